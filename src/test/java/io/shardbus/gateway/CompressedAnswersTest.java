package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.RawEvent;
import io.shardbus.gateway.TestGateway.Answer;
import io.shardbus.testing.Program;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.ext.web.Router;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Answers that are compressed because the client asks for it. */
class CompressedAnswersTest {

  private static final String PAGE = "/v1/events?limit=1000";

  private TestGateway server;

  @AfterEach
  void tearDown() throws Exception {
    server.close();
  }

  /** With a page of many events. */
  private void start(GatewayOptions options) throws Exception {
    server = new TestGateway(options);
    for (int i = 0; i < 500; i++) {
      server.bus.ingest(RawEvent.of("{\"n\":" + i + ",\"text\":\"" + "abc ".repeat(20) + "\"}"));
    }
    TestGateway.await(server.bus.flush());
  }

  private String curl(String uri, String... arguments) throws Exception {
    String url = "http://127.0.0.1:" + server.gateway.port() + uri;
    return Program.run(
        Stream.concat(Stream.of("curl", "-si", url), Arrays.stream(arguments))
            .toArray(String[]::new));
  }

  @ParameterizedTest
  @ValueSource(strings = {"--http1.1", "--http2-prior-knowledge"})
  void whatIsLarge_isCompressedAndDecodesToTheSame(String version) throws Exception {
    start(new GatewayOptions().setHttp2ClearText(true));
    for (String uri :
        List.of(
            PAGE, "/openapi.json", "/", "/console/console.css", "/console/lib/chart.umd.min.js")) {
      String plain = curl(uri, version);
      String squeezed = curl(uri, version, "--compressed");
      assertThat(head(plain)).as(uri).contains("vary: accept-encoding");
      assertThat(head(plain)).doesNotContain("content-encoding");
      assertThat(head(squeezed)).contains("vary: accept-encoding", "content-encoding: ");
      assertThat(length(squeezed)).as(uri).isLessThan(length(plain) * 2 / 3).isPositive();
      assertThat(body(squeezed)).as(uri).isEqualTo(body(plain));
    }
  }

  private static String head(String answer) {
    return answer.substring(0, answer.indexOf("\r\n\r\n")).toLowerCase(Locale.ROOT);
  }

  private static String body(String answer) {
    return answer.substring(answer.indexOf("\r\n\r\n"));
  }

  private static int length(String answer) {
    String rest = head(answer).split("content-length: ", 2)[1];
    return Integer.parseInt(rest.split("\\D", 2)[0]);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "gzip | gzip",
        "GZip;q=0.5 | gzip",
        "gzip, deflate, br, zstd | zstd",
        "zstd;q=0.1, gzip;q=0.2 | gzip",
        "* | zstd",
        "zstd;q=0, * | gzip",
        "gzip;q=0 | ",
        "*;q=0 | ",
        "br | ",
        "identity | ",
        "'' | ",
        ";;, ,= | "
      })
  void encoding_isTheOneThatTheClientLikesBest(String accepted, String encoding) throws Exception {
    start(new GatewayOptions());
    Answer answer = server.get(PAGE, "Accept-Encoding", accepted);
    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.header("Content-Encoding")).isEqualTo(encoding);
  }

  /** Also what is refused, and what is not compressed. */
  @ParameterizedTest
  @ValueSource(strings = {"--http1.1", "--http2-prior-knowledge"})
  void head_hasNoBody(String version) throws Exception {
    start(new GatewayOptions().setHttp2ClearText(true));
    for (String uri : List.of(PAGE, "/health/live", "/metrics", "/", "/console/main.js")) {
      for (String more : List.of("--compressed", "-s")) {
        assertThat(curl(uri, "-I", version, more)).as(uri).contains(" 200").endsWith("\r\n\r\n");
      }
    }
    assertThat(curl("/v1/nothing", "-I", version)).contains(" 404").endsWith("\r\n\r\n");
    assertThat(curl("/v1/events?limit=x", "-I", version)).contains(" 400").endsWith("\r\n\r\n");
    assertThat(curl("/v1/tail", "-I", version)).contains(" 405").endsWith("\r\n\r\n");
  }

  @Test
  void head_saysWhatGetWould() throws Exception {
    start(new GatewayOptions());
    Answer get = server.get(PAGE, "Accept-Encoding", "gzip");
    Answer head =
        server.send(HttpMethod.HEAD, PAGE, TestGateway.map("Accept-Encoding", "gzip"), null);
    assertThat(head.body()).isEmpty();
    for (String name : List.of("Content-Encoding", "Vary", "Content-Type")) {
      assertThat(head.header(name)).isEqualTo(get.header(name)).isNotNull();
    }
  }

  @Test
  void whatIsSmall_isNotCompressed() throws Exception {
    start(new GatewayOptions().setHttp2ClearText(true));
    for (String uri : List.of("/health/live", "/v1/events?limit=1", "/v1/nothing")) {
      assertThat(head(curl(uri, "--compressed", "--http2-prior-knowledge")))
          .doesNotContain("content-encoding");
    }
    assertThat(
            server.post("/v1/events", "application/json", "1", "Accept-Encoding", "gzip").headers())
        .doesNotContainKey("content-encoding");
  }

  @Test
  void option_turnsItOff() throws Exception {
    start(new GatewayOptions().setCompression(false));
    assertThat(server.get(PAGE, "Accept-Encoding", "gzip").header("Content-Encoding")).isNull();
  }

  /** Else each open tail would need the memory of a compressor. */
  @Test
  void tails_areNotCompressed() throws Exception {
    start(new GatewayOptions());
    assertThat(head(curl("/v1/tail?from=start&until=2026-01-01T00:00:00Z", "--compressed")))
        .contains("text/event-stream")
        .doesNotContain("content-encoding");
  }

  @Test
  void browsers_loadPartsAgainOnlyIfTheyChanged() throws Exception {
    start(new GatewayOptions());
    Answer first = server.get("/console/main.js", "Accept-Encoding", "gzip");
    assertThat(first.header("Cache-Control")).isEqualTo("no-cache");
    Answer again = server.get("/console/main.js", "If-None-Match", first.header("ETag"));
    assertThat(again.status()).isEqualTo(304);
    assertThat(again.body()).isEmpty();
    assertThat(server.get("/console/main.js", "If-None-Match", "W/\"other\"").status())
        .isEqualTo(200);
  }

  @ParameterizedTest
  @ValueSource(strings = {"none.js", "main", "%2e%2e%2fopenapi.json", ".js", "lib/chart.js"})
  void otherFiles_areNotServed(String name) throws Exception {
    start(new GatewayOptions());
    assertThat(server.get("/console/" + name).status()).isEqualTo(404);
  }

  /**
   * The application's server compresses, if it is told to, and a tail comes at once all the same.
   */
  @Test
  void mountedGateway_leavesItToTheServerOfTheApplication() throws Exception {
    start(new GatewayOptions());
    Router app = Router.router(server.vertx);
    Gateway.mount(app, server.bus, new GatewayOptions());
    for (boolean compress : List.of(false, true)) {
      int port =
          TestGateway.await(
                  server
                      .vertx
                      .createHttpServer(new HttpServerOptions().setCompressionSupported(compress))
                      .requestHandler(app)
                      .listen(0, "127.0.0.1"))
              .actualPort();
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
        socket.setSoTimeout(20_000);
        String request = "GET %s HTTP/1.1\r\nHost: localhost\r\nAccept-Encoding: gzip\r\n\r\n";
        socket
            .getOutputStream()
            .write(request.formatted("/v1/tail").getBytes(StandardCharsets.US_ASCII));
        InputStream in = socket.getInputStream();
        StringBuilder head = new StringBuilder();
        while (head.indexOf("\r\n\r\n") < 0) {
          head.append((char) in.read());
        }
        assertThat(head.toString().contains("content-encoding: gzip")).isEqualTo(compress);
        InputStream body = new Chunks(in);
        InputStream decoded = compress ? new GZIPInputStream(body, 1) : body;
        server.bus.ingest(RawEvent.of("\"here\""));
        StringBuilder seen = new StringBuilder();
        while (seen.indexOf("\"here\"") < 0) {
          seen.append((char) decoded.read());
        }
      }
    }
  }

  /** What is in the chunks of a body. */
  private static final class Chunks extends InputStream {

    private final InputStream in;
    private int left;

    Chunks(InputStream in) {
      this.in = in;
    }

    @Override
    public int read() throws java.io.IOException {
      if (left == 0) {
        StringBuilder size = new StringBuilder();
        while (size.toString().isBlank() || !size.toString().endsWith("\r\n")) {
          size.append((char) in.read());
        }
        left = Integer.parseInt(size.toString().strip(), 16);
      }
      left--;
      return in.read();
    }

    /** What is there, so that nothing waits for more. */
    @Override
    public int read(byte[] bytes, int from, int length) throws java.io.IOException {
      bytes[from] = (byte) read();
      return 1;
    }
  }
}
