package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import com.github.luben.zstd.Zstd;
import io.shardbus.gateway.TestGateway.Answer;
import io.shardbus.testing.Program;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonObject;
import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Stream;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The bodies of requests that send events: forms, compression, and how they end. */
@Tag("once")
class BodiesTest {

  private static final String NDJSON = "application/x-ndjson";
  private static final String JSON = "application/json";

  @TempDir Path dir;
  private TestGateway server;

  @AfterEach
  void tearDown() throws Exception {
    if (server != null) {
      server.close();
    }
  }

  private void start() throws Exception {
    start(new GatewayOptions());
  }

  private void start(GatewayOptions options) throws Exception {
    server = new TestGateway(options);
  }

  private String url(String uri) {
    return "http://127.0.0.1:" + server.gateway.port() + uri;
  }

  /** The answer with its head. */
  private static String curl(String... arguments) throws Exception {
    return Program.run(
        Stream.concat(Stream.of("curl", "-si"), Stream.of(arguments)).toArray(String[]::new));
  }

  // ------------------------------------------------------------------ compression

  @ParameterizedTest
  @CsvSource({
    "gzip, gzip -k, .gz",
    "x-gzip, gzip -k, .gz",
    "GZIP, gzip -k, .gz",
    "zstd, zstd -q, .zst",
    "zstd, zstd -q --ultra -22, .zst"
  })
  void compressedBodies_areTaken(String encoding, String program, String suffix) throws Exception {
    start();
    Path lines = Files.writeString(dir.resolve("lines"), "{\"n\":1}\n".repeat(100_000));
    Path one = Files.writeString(dir.resolve("one"), "{\"n\":2}");
    for (Path file : new Path[] {lines, one}) {
      Program.run(
          Stream.concat(Stream.of(program.split(" ", -1)), Stream.of(file.toString()))
              .toArray(String[]::new));
    }
    String header = "Content-Encoding: " + encoding;
    assertThat(
            curl(
                "-H",
                header,
                "-H",
                "Content-Type: " + NDJSON,
                "--data-binary",
                "@" + lines + suffix,
                url("/v1/events")))
        .contains("202 Accepted")
        .contains("\"accepted\":100000,\"rejected\":0");
    assertThat(
            curl(
                "-H",
                header,
                "-H",
                "Content-Type: " + JSON,
                "--data-binary",
                "@" + one + suffix,
                url("/v1/events?ack=delivered")))
        .contains("202 Accepted");
    assertThat(server.get("/v1/events?limit=10000&filter=@.n%20==%202").body())
        .contains("\"event\":{\"n\":2}");
  }

  /** It is not on the heap. */
  @Test
  void windowOfZstd_countsAsUnfinishedInput() throws Exception {
    start(new GatewayOptions().setMaxPartialBytes(4 << 20).setMaxDecodedRatio(100_000));
    for (int blankLines : new int[] {3 << 20, 5 << 20}) {
      byte[] lines = ("\n".repeat(blankLines) + "1\n").getBytes(StandardCharsets.UTF_8);
      Path file = Files.write(dir.resolve("lines.zst"), Zstd.compress(lines, 22));
      String answer =
          curl(
              "-H",
              "Content-Encoding: zstd",
              "-H",
              "Content-Type: " + NDJSON,
              "--data-binary",
              "@" + file,
              url("/v1/events"));
      if (blankLines < 4 << 20) {
        assertThat(answer).contains("202 Accepted");
      } else {
        assertThat(answer).contains("503 ", "gateway.maxPartialBytes: 4194304");
      }
      Awaitility.await().until(() -> server.gateway.partialBytes() == 0);
    }
  }

  /** Compressed it is larger than that. */
  @Test
  void largestEvent_isTakenEvenIfItGrowsWhenCompressed() throws Exception {
    start();
    int most = server.bus.shards().limits().maxEventBytes();
    byte[] event = new byte[most];
    new java.util.Random(1).nextBytes(event);
    String text = java.util.Base64.getEncoder().encodeToString(event).substring(0, most - 2);
    Path file = Files.writeString(dir.resolve("event"), "\"" + text + "\"");
    ByteArrayOutputStream stored = new ByteArrayOutputStream();
    try (var gzip =
        new GZIPOutputStream(stored) {
          {
            def.setLevel(Deflater.NO_COMPRESSION);
          }
        }) {
      Files.copy(file, gzip);
    }
    Answer answer =
        server.send(
            HttpMethod.POST,
            "/v1/events",
            Map.of("Content-Type", JSON, "Content-Encoding", "gzip"),
            Buffer.buffer(stored.toByteArray()));
    assertThat(answer.status()).as(answer.body()).isEqualTo(202);
  }

  @ParameterizedTest
  @ValueSource(strings = {"utf-8", "UTF8", "\"utf-8\"", "us-ascii"})
  void charsets_thatAreUtf8AreTaken(String charset) throws Exception {
    start();
    assertThat(server.post("/v1/events", JSON + "; charset=" + charset, "1").status())
        .isEqualTo(202);
  }

  @ParameterizedTest
  @ValueSource(strings = {"gzip", "zstd"})
  void bodiesThatGrowTooMuch_areRefused(String encoding) throws Exception {
    server = new TestGateway(new GatewayOptions().setMaxDecodedBytes(3_000_000));
    Path bomb = Files.writeString(dir.resolve("bomb"), "1\n".repeat(1_000_000));
    Path large = dir.resolve("large");
    java.util.Random random = new java.util.Random(1);
    StringBuilder text = new StringBuilder();
    while (text.length() < 4_000_000) {
      text.append(random.nextLong()).append('\n');
    }
    Files.writeString(large, text);
    String suffix = encoding.equals("gzip") ? ".gz" : ".zst";
    for (Path file : new Path[] {bomb, large}) {
      Program.run(encoding, file.toString());
      String said =
          curl(
              "-H",
              "Content-Encoding: " + encoding,
              "-H",
              "Content-Type: " + NDJSON,
              "--data-binary",
              "@" + file + suffix,
              url("/v1/events"));
      assertThat(said)
          .contains("413 ")
          .contains(file == bomb ? "gateway.maxDecodedRatio" : "gateway.maxDecodedBytes")
          .contains("; go on behind the first ");
    }
    assertThat(server.gateway.partialBytes()).isZero();
  }

  @ParameterizedTest
  @CsvSource({"br", "deflate", "'gzip, gzip'"})
  void unknownEncodings_areRefusedWithThoseThatAreKnown(String encoding) throws Exception {
    start();
    Answer answer = server.post("/v1/events", JSON, "1", "Content-Encoding", encoding);
    assertThat(answer.status()).isEqualTo(415);
    assertThat(answer.header("Accept-Encoding")).isEqualTo("gzip, zstd");
  }

  @Test
  void bodyThatIsNotAsItSays_isRefused() throws Exception {
    start();
    for (String type : new String[] {JSON, NDJSON}) {
      Answer answer = server.post("/v1/events", type, "1", "Content-Encoding", "gzip");
      assertThat(answer.status()).isEqualTo(400);
      assertThat(answer.detail()).startsWith("Content-Encoding: the body is not gzip");
    }
  }

  // ------------------------------------------------------------------ media types

  @ParameterizedTest
  @ValueSource(
      strings = {
        "application/x-ndjson",
        "application/ndjson",
        "application/jsonl",
        "application/jsonlines",
        "application/x-jsonlines",
        "Application/NDJSON; charset=UTF-8"
      })
  void linesHaveManyNames(String type) throws Exception {
    start();
    assertThat(server.post("/v1/events", type, "1\n2\n").json().getInteger("accepted"))
        .isEqualTo(2);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "application/json; charset=utf-8",
        "application/vnd.github+json",
        "application/problem+json",
        "application/json;charset=\"UTF-8\""
      })
  void jsonHasManyNames(String type) throws Exception {
    start();
    assertThat(server.post("/v1/events", type, "[1,2]").json().getInteger("shard")).isNotNull();
  }

  @Test
  void charsetsOtherThanUtf8_areRefused() throws Exception {
    start();
    assertThat(server.post("/v1/events", "application/json; charset=utf-16", "1").status())
        .isEqualTo(415);
    assertThat(server.post("/v1/events", "application/json; charset=iso-8859-1", "1").status())
        .isEqualTo(415);
  }

  @Test
  void array_isSplitIfAsked() throws Exception {
    start();
    Answer answer = server.post("/v1/events?array=split", JSON, " [1, {\"a\":[2]}, bad, \"]\"] ");
    assertThat(answer.status()).isEqualTo(202);
    assertThat(answer.json().getInteger("accepted")).isEqualTo(3);
    assertThat(answer.json().getInteger("rejected")).isOne();
    assertThat(answer.json().getJsonArray("errors").getJsonObject(0).getInteger("event"))
        .isEqualTo(3);
    assertThat(server.post("/v1/events?array=split", NDJSON, "[]").status()).isEqualTo(400);
    assertThat(server.post("/v1/events?array=split", JSON, "[]").status()).isEqualTo(202);
    assertThat(server.post("/v1/events?array=split", JSON, "{\"a\":1}").status()).isEqualTo(400);
    answer = server.post("/v1/events?array=join", JSON, "[]");
    assertThat(answer.detail())
        .isEqualTo("array: \"join\" must be split, and the content type application/json");
  }

  @Test
  void severalLinesAsOneEvent_getAHint() throws Exception {
    start();
    Answer answer = server.post("/v1/events", JSON, "{\"n\":1}\n{\"n\":2}\n");
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.detail())
        .endsWith("; to send one event a line, use the content type application/x-ndjson");
    assertThat(server.post("/v1/events", JSON, "{\"n\":\n2").detail()).doesNotContain("line, use");
  }

  /** It sends the type of a form. */
  @Test
  void curlWithoutAType_isToldWhatIsTaken() throws Exception {
    start();
    assertThat(curl("-d", "{\"n\":1}", url("/v1/events")))
        .contains("415 ")
        .containsIgnoringCase(
            "accept-post: application/json, application/x-ndjson,"
                + " application/vnd.shardbus.events+ndjson, application/cloudevents+json,"
                + " application/cloudevents-batch+json\r\n")
        .containsIgnoringCase("accept-encoding: gzip, zstd\r\n")
        .contains("application/x-www-form-urlencoded");
  }

  @ParameterizedTest
  @ValueSource(strings = {JSON, NDJSON, "application/vnd.shardbus.events+ndjson"})
  void byteOrderMark_isSkipped(String type) throws Exception {
    start();
    String event = type.contains("events") ? "{\"event\":1}" : "1";
    Answer answer = server.post("/v1/events?ack=delivered", type, "\ufeff" + event);
    assertThat(answer.status()).as(answer.body()).isEqualTo(202);
    JsonObject page = server.get("/v1/events").json();
    assertThat(page.getJsonArray("events").getJsonObject(0).getValue("event")).isEqualTo(1);
    // Cut in the middle of the mark, or not a mark after all.
    assertThat(
            exchange(
                "POST",
                type,
                "chunked",
                "1\r\n\u00ef\r\n2\r\n\u00bb\u00bf\r\n"
                    + Integer.toHexString(event.length())
                    + "\r\n"
                    + event
                    + "\r\n0\r\n\r\n"))
        .startsWith("HTTP/1.1 202");
    assertThat(exchange("POST", type, "chunked", "1\r\n\u00ef\r\n1\r\n1\r\n0\r\n\r\n"))
        .startsWith("HTTP/1.1 400");
    assertThat(exchange("POST", type, "chunked", "1\r\n\u00ef\r\n0\r\n\r\n"))
        .startsWith("HTTP/1.1 400");
  }

  // ------------------------------------------------------------------ how they end

  /** The bytes are given as characters up to 255. */
  private Socket open(String method, String type, String coding, String body) throws Exception {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.gateway.port());
    socket.setSoTimeout(20_000);
    String head =
        method
            + " /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: "
            + type
            + "\r\nTransfer-Encoding: "
            + coding
            + "\r\nConnection: close\r\n\r\n";
    socket.getOutputStream().write((head + body).getBytes(StandardCharsets.ISO_8859_1));
    return socket;
  }

  private String exchange(String method, String type, String coding, String body) throws Exception {
    try (Socket socket = open(method, type, coding, body)) {
      return readAll(socket);
    }
  }

  private static String readAll(Socket socket) throws Exception {
    InputStream in = socket.getInputStream();
    return new String(in.readAllBytes(), StandardCharsets.ISO_8859_1);
  }

  @Test
  void linesOfWhichNoneIsValid_areNoSuccess() throws Exception {
    start();
    Answer answer = server.post("/v1/events", NDJSON, "bad\nworse\n");
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.json().getInteger("accepted")).isZero();
    assertThat(answer.json().getInteger("rejected")).isEqualTo(2);
    assertThat(answer.json().getString("reason")).isEqualTo("invalid");
    assertThat(answer.json().getJsonArray("errors")).hasSize(2);
    assertThat(server.post("/v1/events", NDJSON, "bad\n1\n").status()).isEqualTo(202);
  }

  @ParameterizedTest
  @ValueSource(strings = {"zz\r\n", "3\r\nabcXX", "-1\r\n"})
  void malformedChunk_isAnswered(String chunk) throws Exception {
    start();
    assertThat(exchange("POST", JSON, "chunked", chunk))
        .startsWith("HTTP/1.1 400")
        .contains("a chunk of it is malformed");
    assertThat(exchange("POST", NDJSON, "chunked", "4\r\n1\n2\n\r\n" + chunk))
        .startsWith("HTTP/1.1 400")
        .contains("\"accepted\":2")
        .contains("; go on behind the first 2 lines");
  }

  @Test
  void uploadThatIsQuiet_isToldWhereToGoOn() throws Exception {
    server = new TestGateway(TestGateway.idleAfter(2));
    assertThat(exchange("POST", NDJSON, "chunked", "5\r\n1\n2\n3\r\n"))
        .startsWith("HTTP/1.1 408")
        .contains("\"accepted\":2")
        .contains("gateway.idleTimeout")
        .contains("; go on behind the first 2 lines");
  }

  /** Also those that come in other forms, or wait for the sink. */
  @Test
  void uploadUnderWay_endsWithALineWhenTheServerStops() throws Exception {
    start();
    try (Socket between = open("POST", NDJSON, "chunked", "4\r\n1\n2\n\r\n");
        Socket inLine = open("POST", NDJSON, "chunked", "3\r\n1\n2\r\n");
        Socket silent = open("POST", NDJSON, "chunked", "3\r\n1\n2\r\n")) {
      Awaitility.await().until(() -> server.bus.stats().total().accepted() == 4);
      var closed = server.gateway.close();
      assertThat(readAll(between))
          .startsWith("HTTP/1.1 503")
          .contains("\"accepted\":2")
          .contains("\"reason\":\"closed\"")
          .contains("; go on behind the first 2 lines");
      assertThat(closed.isComplete()).isFalse();
      inLine.getOutputStream().write("3\r\n3\n4\r\n".getBytes(StandardCharsets.US_ASCII));
      assertThat(readAll(inLine))
          .startsWith("HTTP/1.1 503")
          .contains("\"accepted\":2")
          .contains("; go on behind the first 2 lines");
      assertThat(readAll(silent))
          .startsWith("HTTP/1.1 503")
          .contains("\"accepted\":1")
          .contains("; go on behind the first 1 line");
      TestGateway.await(closed);
    }
    assertThat(server.bus.stats().total().accepted()).isEqualTo(5);
    Awaitility.await()
        .atMost(Duration.ofSeconds(1))
        .until(() -> server.gateway.partialBytes() == 0);
  }
}
