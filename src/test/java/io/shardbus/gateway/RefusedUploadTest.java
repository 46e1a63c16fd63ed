package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.ShardBusOptions;
import io.shardbus.junit5.RecordingSink;
import io.vertx.core.Promise;
import io.vertx.core.http.HttpClientOptions;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.net.SocketException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Clients that send more than is taken, slower than is waited for, or what is not wanted. */
@Execution(ExecutionMode.CONCURRENT)
@Tag("slow")
class RefusedUploadTest {

  private static final int LARGE = 52_000_000;
  private static final String JSON = "application/json";
  private static final String NDJSON = "application/x-ndjson";

  @TempDir Path dir;
  private TestGateway server;
  private final List<Socket> sockets = new ArrayList<>();

  @AfterEach
  void tearDown() throws Exception {
    for (Socket socket : sockets) {
      socket.close();
    }
    server.close();
  }

  private void start(GatewayOptions options) throws Exception {
    server = new TestGateway(options);
  }

  private Socket post(String uri, String type, long length, String... headers) throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.gateway.port());
    sockets.add(socket);
    socket.setSoTimeout(20_000);
    String more = headers.length == 0 ? "" : String.join("\r\n", headers) + "\r\n";
    String head =
        "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\nContent-Length: %d\r\n%s\r\n";
    write(socket, head.formatted(uri, type, length, more));
    return socket;
  }

  private static void write(Socket socket, String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
  }

  /** All that comes until the connection is closed. */
  private static String read(Socket socket) throws IOException {
    StringBuilder all = new StringBuilder();
    InputStream in = socket.getInputStream();
    byte[] some = new byte[4096];
    try {
      for (int n = in.read(some); n >= 0; n = in.read(some)) {
        all.append(new String(some, 0, n, StandardCharsets.US_ASCII));
      }
    } catch (SocketException e) {
      // closed while there was something that the server had not read
    }
    return all.toString();
  }

  /** Writes until it cannot; says how much. */
  private static long writeAll(Socket socket, long bytes) throws IOException {
    OutputStream out = socket.getOutputStream();
    byte[] some = "1\n".repeat(8_000).getBytes(StandardCharsets.US_ASCII);
    long written = 0;
    try {
      while (written < bytes) {
        int n = (int) Math.min(some.length, bytes - written);
        out.write(some, 0, n);
        written += n;
      }
    } catch (SocketException e) {
      return written;
    }
    return written;
  }

  @ParameterizedTest
  @CsvSource({"401, application/json", "413, application/json", "415, text/plain"})
  void clientThatWritesBeforeItReads_seesTheAnswer(int status, String type) throws Exception {
    start(
        status == 401
            ? new GatewayOptions().setToken(new TokenOptions().setIngest("i"))
            : new GatewayOptions());
    Socket socket = post("/v1/events", type, LARGE);
    assertThat(writeAll(socket, LARGE)).isLessThan(LARGE);
    assertThat(read(socket)).startsWith("HTTP/1.1 " + status);
  }

  @Test
  void uploadBeyondTheRate_seesTheAnswerToo() throws Exception {
    start(
        new GatewayOptions()
            .setMaxEventsPerSecondPerClient(10)
            .setBackpressureTimeout(Duration.ofMillis(100)));
    Socket socket = post("/v1/events", NDJSON, LARGE);
    assertThat(writeAll(socket, LARGE)).isLessThan(LARGE);
    assertThat(read(socket)).startsWith("HTTP/1.1 429").contains("maxEventsPerSecondPerClient");
  }

  /** It must not be cut off before it has seen why. */
  @Test
  void clientWhoseBodyIsShort_isClosedWithTheAnswer() throws Exception {
    start(new GatewayOptions());
    Socket socket = post("/v1/events", "text/plain", 5);
    write(socket, "12345");
    assertThat(read(socket)).startsWith("HTTP/1.1 415").endsWith("}\n");
  }

  @Test
  void unfinishedBodies_shareABudget() throws Exception {
    start(new GatewayOptions().setMaxPartialBytes(262_144));
    String part = " ".repeat(150_000);
    Socket first = post("/v1/events", JSON, 150_001);
    write(first, part);
    Awaitility.await().until(() -> server.gateway.partialBytes() >= 150_000);
    for (String type : List.of(JSON, NDJSON)) {
      Socket second = post("/v1/events", type, 150_001);
      write(second, part);
      assertThat(read(second)).startsWith("HTTP/1.1 503").contains("gateway.maxPartialBytes");
    }
    try (RawWebSocket socket = new RawWebSocket(server.gateway.port())) {
      socket.send(RawWebSocket.frame(RawWebSocket.TEXT, part));
      assertThat(socket.closeCode()).isEqualTo(1013);
    }
    write(first, "1");
    byte[] status = first.getInputStream().readNBytes(12);
    assertThat(new String(status, StandardCharsets.US_ASCII)).isEqualTo("HTTP/1.1 202");
    Socket third = post("/v1/events", NDJSON, 150_001);
    write(third, part + "1");
    status = third.getInputStream().readNBytes(12);
    assertThat(new String(status, StandardCharsets.US_ASCII)).isEqualTo("HTTP/1.1 202");
    assertThat(server.gateway.partialBytes()).isZero();
  }

  /** A frame is seen only when all of it is there, but what has come of it is in memory. */
  @Test
  void unfinishedFrames_shareTheBudget() throws Exception {
    start(new GatewayOptions().setMaxPartialBytes(262_144));
    byte[] header = RawWebSocket.header(RawWebSocket.FINAL | RawWebSocket.TEXT, true, 150_001);
    byte[] part = " ".repeat(150_000).getBytes(StandardCharsets.US_ASCII);
    try (RawWebSocket first = new RawWebSocket(server.gateway.port());
        RawWebSocket third = new RawWebSocket(server.gateway.port())) {
      first.send(header);
      first.send(part);
      Awaitility.await().until(() -> server.gateway.partialBytes() >= 150_000);
      try (RawWebSocket second = new RawWebSocket(server.gateway.port())) {
        second.send(header);
        second.send(part);
        assertThat(second.closeCode()).isEqualTo(1013);
      }
      first.send(new byte[] {'1'});
      assertThat(first.read().text()).contains("\"acked\":1");
      Awaitility.await().until(() -> server.gateway.partialBytes() == 0);
      third.send(header);
      third.send(part);
      third.send(new byte[] {'1'});
      assertThat(third.read().text()).contains("\"acked\":1");
      // Also what comes together with the end of the frame before.
      byte[] whole = RawWebSocket.frame(RawWebSocket.FINAL | RawWebSocket.TEXT, "2");
      ByteBuffer both = ByteBuffer.allocate(whole.length + header.length + 1_000);
      third.send(both.put(whole).put(header).array());
      assertThat(third.read().text()).contains("\"acked\":2");
      Awaitility.await().until(() -> server.gateway.partialBytes() >= 1_000);
    }
    Awaitility.await().until(() -> server.gateway.partialBytes() == 0);
  }

  @Test
  void connectionsThatEnd_giveTheirShareBack() throws Exception {
    start(new GatewayOptions());
    for (String type : List.of(JSON, NDJSON)) {
      Socket socket = post("/v1/events", type, 100);
      write(socket, "[1,");
      Awaitility.await().until(() -> server.gateway.partialBytes() == 3);
      socket.close();
      Awaitility.await().until(() -> server.gateway.partialBytes() == 0);
    }
    try (RawWebSocket socket = new RawWebSocket(server.gateway.port())) {
      socket.send(RawWebSocket.frame(RawWebSocket.TEXT, "[1,"));
      Awaitility.await().until(() -> server.gateway.partialBytes() == 3);
    }
    Awaitility.await().until(() -> server.gateway.partialBytes() == 0);
  }

  @ParameterizedTest
  @ValueSource(strings = {JSON, NDJSON})
  void bodyThatTrickles_isCutOff(String type) throws Exception {
    start(new GatewayOptions().setBodyTimeout(Duration.ofSeconds(1)));
    Socket socket = post("/v1/events", type, 1_000);
    write(socket, type.equals(JSON) ? "1" : "1\n2");
    Thread trickle =
        new Thread(
            () ->
                Awaitility.await()
                    .pollInterval(Duration.ofMillis(200))
                    .until(() -> socket.isClosed() || !trickled(socket)));
    trickle.start();
    assertThat(read(socket)).startsWith("HTTP/1.1 408").contains("gateway.bodyTimeout");
    socket.close();
    trickle.join();
    assertThat(server.bus.stats().total().accepted()).isEqualTo(type.equals(JSON) ? 0 : 1);
  }

  private static boolean trickled(Socket socket) {
    try {
      write(socket, " ");
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  /** Slow is not what is cut off: lines that come to an end may take any time. */
  @Test
  void streamOfShortLines_goesOn() throws Exception {
    start(new GatewayOptions().setBodyTimeout(Duration.ofSeconds(1)));
    Socket socket = post("/v1/events", NDJSON, 8);
    for (int i = 1; i <= 3; i++) {
      write(socket, "1\n");
      int sent = i;
      Awaitility.await()
          .during(Duration.ofMillis(600))
          .until(() -> server.bus.stats().total().accepted() == sent);
    }
    write(socket, "2\n");
    byte[] status = socket.getInputStream().readNBytes(12);
    assertThat(new String(status, StandardCharsets.US_ASCII)).isEqualTo("HTTP/1.1 202");
  }

  @Test
  void messageThatTrickles_isCutOff() throws Exception {
    start(new GatewayOptions().setBodyTimeout(Duration.ofSeconds(1)));
    try (RawWebSocket socket = new RawWebSocket(server.gateway.port())) {
      socket.send(RawWebSocket.frame(RawWebSocket.TEXT, "[1,"));
      assertThat(socket.closeCode()).isEqualTo(1008);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {JSON, NDJSON})
  void sinkThatDoesNotConfirm_isAnsweredInTime(String type) throws Exception {
    Promise<Void> never = Promise.promise();
    server =
        new TestGateway(
            new ShardBusOptions().setShards(1),
            new RecordingSink().behave(batch -> never.future()),
            new GatewayOptions().setAckTimeout(Duration.ofSeconds(1)),
            new HttpClientOptions());
    TestGateway.Answer answer = server.post("/v1/events?ack=delivered", type, "1");
    assertThat(answer.status()).isEqualTo(504);
    assertThat(answer.detail()).contains("gateway.ackTimeout").contains("1s");
    assertThat(server.post("/v1/events", type, "1").status()).isEqualTo(202);
    never.complete();
  }

  @Test
  void tokenTakenAway_endsAnUpload() throws Exception {
    Path tokens = Files.writeString(dir.resolve("tokens"), "ingest i\n");
    start(new GatewayOptions().setTokensFile(tokens.toString()));
    Socket socket = post("/v1/events", NDJSON, LARGE, "Authorization: Bearer i");
    write(socket, "1\n");
    Awaitility.await().until(() -> server.bus.stats().total().accepted() == 1);
    Files.writeString(tokens, "ingest other\n");
    Awaitility.await()
        .atMost(Duration.ofSeconds(15))
        .until(
            () ->
                server.post("/v1/events", JSON, "1", "Authorization", "Bearer i").status() == 401);
    long before = server.bus.stats().total().accepted();
    write(socket, "2\n");
    assertThat(read(socket)).startsWith("HTTP/1.1 401").contains("\"accepted\":1");
    assertThat(server.bus.stats().total().accepted()).isEqualTo(before);
  }

  @Test
  void clientThatAsksBeforeItSends_isToldToGoOnOrNot() throws Exception {
    start(new GatewayOptions());
    for (String type : List.of(JSON, NDJSON)) {
      Socket socket = post("/v1/events", type, 1, "Expect: 100-continue");
      byte[] go = socket.getInputStream().readNBytes(25);
      assertThat(new String(go, StandardCharsets.US_ASCII))
          .isEqualTo("HTTP/1.1 100 Continue\r\n\r\n");
      write(socket, "1");
      byte[] status = socket.getInputStream().readNBytes(12);
      assertThat(new String(status, StandardCharsets.US_ASCII)).isEqualTo("HTTP/1.1 202");
    }
    for (String type : List.of(JSON, "text/plain")) {
      Socket socket = post("/v1/events", type, LARGE, "Expect: 100-continue");
      assertThat(read(socket)).startsWith("HTTP/1.1 41");
    }
  }
}
