package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.gateway.RawWebSocket.Frame;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.WebSocket;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.SocketException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;
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

/** How WebSockets end, and what clients that break the rules can do. */
@Execution(ExecutionMode.CONCURRENT)
@Tag("slow")
class WebSocketLifeTest {

  private static final int CASES = Integer.getInteger("fuzz.cases", 1_000);
  private static final int MAX_FRAME = 4096;

  @TempDir Path dir;
  private TestGateway server;

  private void start(GatewayOptions options) throws Exception {
    server = new TestGateway(options.setMaxFrameBytes(MAX_FRAME));
  }

  @AfterEach
  void tearDown() throws Exception {
    server.close();
  }

  private RawWebSocket connect(String... headers) throws IOException {
    return new RawWebSocket(server.gateway.port(), headers);
  }

  private void assertServes() throws Exception {
    assertThat(server.post("/v1/events", "application/json", "1").status()).isEqualTo(202);
  }

  @Test
  void clientThatHasVanished_isAskedAndClosed() throws Exception {
    start(TestGateway.idleAfter(6));
    try (RawWebSocket vanished = connect()) {
      assertThat(vanished.read().opcode()).isEqualTo(RawWebSocket.PING);
      Frame last = vanished.read();
      assertThat(last.opcode()).isEqualTo(RawWebSocket.CLOSE);
      assertThat(last.closeCode()).isEqualTo(1001);
    }
    Awaitility.await().until(() -> server.gateway.connections() == 0);
  }

  @Test
  void silentClientThatAnswers_stays() throws Exception {
    start(TestGateway.idleAfter(6));
    WebSocket silent = server.connect("/v1/ingest", List.of());
    Awaitility.await()
        .during(Duration.ofSeconds(9))
        .atMost(Duration.ofSeconds(40))
        .until(() -> !silent.isClosed());
  }

  /** It is not read from, so it cannot be heard; that is no reason to end it. */
  @Test
  void clientThatWaitsForRoom_stays() throws Exception {
    Promise<Void> gate = Promise.promise();
    server = TestGateway.stalled(gate.future(), TestGateway.idleAfter(6));
    WebSocket waiting = server.connect("/v1/ingest?ack=accepted", List.of(Gateway.SUBPROTOCOL));
    AtomicLong acked = new AtomicLong();
    waiting.textMessageHandler(text -> acked.set(new JsonObject(text).getLong("acked")));
    int sent = 20_000;
    for (int i = 0; i < sent; i++) {
      waiting.writeTextMessage("1");
    }
    Awaitility.await()
        .during(Duration.ofSeconds(9))
        .atMost(Duration.ofSeconds(40))
        .until(() -> !waiting.isClosed());
    gate.complete();
    Awaitility.await().until(() -> acked.get() == sent);
  }

  @Test
  void tokenTakenAway_endsWhatItOpened() throws Exception {
    Path tokens = Files.writeString(dir.resolve("tokens"), "ingest i\nread r\nadmin a\n");
    start(new GatewayOptions().setTokensFile(tokens.toString()));
    HttpClientResponse tail =
        TestGateway.await(
            server
                .http
                .request(HttpMethod.GET, server.gateway.port(), "127.0.0.1", "/v1/tail")
                .compose(request -> request.putHeader("Authorization", "Bearer r").send()));
    Buffer told = Buffer.buffer();
    tail.handler(told::appendBuffer);
    try (RawWebSocket socket = connect("Authorization: Bearer i")) {
      socket.send(RawWebSocket.frame(RawWebSocket.FINAL | RawWebSocket.TEXT, "1"));
      assertThat(socket.read().text()).contains("\"acked\":1");
      Path next = Files.writeString(dir.resolve("next"), "ingest other\nadmin a\n");
      Files.move(next, tokens, StandardCopyOption.ATOMIC_MOVE);
      assertThat(socket.closeCode()).isEqualTo(1008);
    }
    // An event makes the tail look.
    assertThat(
            server
                .post("/v1/events", "application/json", "2", "Authorization", "Bearer other")
                .status())
        .isEqualTo(202);
    Awaitility.await().until(() -> told.toString().contains("the token is no longer valid"));
    assertThat(told.toString()).doesNotContain("data: {\"shard\":0,\"sequence\":1");
  }

  @ParameterizedTest
  @CsvSource({"5000", "65536", "2147483647", "2147483648", "4294967296", "9223372036854775807"})
  void frameThatIsTooLong_isRefusedByItsHeader(long length) throws Exception {
    start(new GatewayOptions());
    try (RawWebSocket socket = connect()) {
      socket.send(RawWebSocket.header(RawWebSocket.FINAL | RawWebSocket.BINARY, true, length));
      assertThat(socket.closeCode()).isEqualTo(1009);
    }
    assertServes();
  }

  @Test
  void messageThatIsTooLong_isRefused() throws Exception {
    start(new GatewayOptions());
    try (RawWebSocket socket = connect()) {
      socket.send(RawWebSocket.frame(RawWebSocket.TEXT, "1".repeat(3000)));
      socket.send(RawWebSocket.frame(RawWebSocket.CONTINUATION, "1".repeat(3000)));
      assertThat(socket.closeCode()).isEqualTo(1009);
    }
    assertServes();
  }

  @ParameterizedTest
  @CsvSource({
    // the first byte and the payload of masked frames
    "reserved bit, C1, 31",
    "unknown opcode, 83, 31",
    "unknown control opcode, 8B, 31",
    "continuation of nothing, 80, 31",
    "ping in parts, 09, 31",
    "close with one byte, 88, 03",
    "close with a code that is none, 88, 0001",
    "close with the code for no code, 88, 03ED",
    "close with a reason that is no UTF-8, 88, 03E8FF",
  })
  void frameAgainstTheRules_endsTheConnection(String what, String first, String payload)
      throws Exception {
    start(new GatewayOptions());
    try (RawWebSocket socket = connect()) {
      socket.send(
          RawWebSocket.frame(
              Integer.parseInt(first, 16), java.util.HexFormat.of().parseHex(payload)));
      assertThat(socket.closeCode()).as(what).isIn(1002, 1006, 1007);
    }
    assertServes();
  }

  @Test
  void unmaskedFrame_endsTheConnection() throws Exception {
    start(new GatewayOptions());
    try (RawWebSocket socket = connect()) {
      socket.send(RawWebSocket.header(RawWebSocket.FINAL | RawWebSocket.TEXT, false, 1));
      socket.send(new byte[] {'1'});
      assertThat(socket.closeCode()).isIn(1002, 1006);
    }
    assertServes();
  }

  /** The text is refused as an event, and the connection goes on. */
  @Test
  void textThatIsNoUtf8_isRefused() throws Exception {
    start(new GatewayOptions());
    byte[] half = {'"', (byte) 0xc3};
    byte[] broken = {'"', (byte) 0xc3, '"'};
    try (RawWebSocket whole = connect();
        RawWebSocket parts = connect()) {
      whole.send(RawWebSocket.frame(RawWebSocket.FINAL | RawWebSocket.TEXT, broken));
      assertThat(whole.closeCode()).isEqualTo(1007);
      // A character may be cut.
      parts.send(RawWebSocket.frame(RawWebSocket.TEXT, half));
      parts.send(
          RawWebSocket.frame(
              RawWebSocket.FINAL | RawWebSocket.CONTINUATION, new byte[] {(byte) 0xa9, '"'}));
      assertThat(parts.read().text()).contains("\"acked\":1");
      // Bytes are no text, but these are no JSON either.
      parts.send(RawWebSocket.frame(RawWebSocket.FINAL | RawWebSocket.BINARY, broken));
      assertThat(parts.read().text()).contains("\"invalid\":1");
      parts.send(RawWebSocket.frame(RawWebSocket.TEXT, half));
      parts.send(
          RawWebSocket.frame(RawWebSocket.FINAL | RawWebSocket.CONTINUATION, new byte[] {'"'}));
      assertThat(parts.closeCode()).isEqualTo(1007);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1000, 1001, 3000, 4999, 0})
  void closeOfTheClient_isAnsweredAtOnceWithItsCode(int code) throws Exception {
    start(new GatewayOptions());
    try (RawWebSocket socket = connect()) {
      byte[] payload = code == 0 ? new byte[0] : new byte[] {(byte) (code >> 8), (byte) code};
      socket.send(RawWebSocket.frame(RawWebSocket.FINAL | RawWebSocket.TEXT, "1"));
      socket.send(RawWebSocket.frame(RawWebSocket.FINAL | RawWebSocket.CLOSE, payload));
      assertThat(socket.read().text()).contains("\"acked\":1");
      Frame last = socket.read();
      assertThat(last.opcode()).isEqualTo(RawWebSocket.CLOSE);
      assertThat(last.closeCode()).isIn(code == 0 ? List.of(1005, 1000, 1006) : List.of(code));
      assertThat(socket.read().payload().length()).isZero(); // the connection has ended
    }
    Awaitility.await().until(() -> server.gateway.connections() == 0);
    assertThat(server.gateway.partialBytes()).isZero();
  }

  /** They are due, and come first. */
  @Test
  void closeOfTheClient_waitsForTheAcknowledgements() throws Exception {
    Promise<Void> gate = Promise.promise();
    server = TestGateway.stalled(gate.future(), new GatewayOptions());
    try (RawWebSocket socket = new RawWebSocket("delivered", server.gateway.port())) {
      socket.send(RawWebSocket.frame(RawWebSocket.FINAL | RawWebSocket.TEXT, "1"));
      socket.send(
          RawWebSocket.frame(
              RawWebSocket.FINAL | RawWebSocket.CLOSE, new byte[] {0x0f, (byte) 0xa1}));
      // Behind a Close nothing counts.
      socket.send(RawWebSocket.frame(RawWebSocket.FINAL | RawWebSocket.TEXT, "2"));
      Awaitility.await().until(() -> server.bus.stats().total().accepted() == 1);
      server.vertx.setTimer(500, id -> gate.complete());
      assertThat(socket.read().text()).contains("\"acked\":1");
      assertThat(socket.closeCode()).isEqualTo(4001);
    }
    assertThat(server.bus.stats().total().accepted()).isEqualTo(1);
  }

  @Test
  void closeOfTheClient_isAnsweredWhenTheSinkHangs() throws Exception {
    Promise<Void> never = Promise.promise();
    server = TestGateway.stalled(never.future(), new GatewayOptions());
    try (RawWebSocket socket = new RawWebSocket("delivered", server.gateway.port())) {
      socket.send(RawWebSocket.frame(RawWebSocket.FINAL | RawWebSocket.TEXT, "1"));
      socket.send(
          RawWebSocket.frame(
              RawWebSocket.FINAL | RawWebSocket.CLOSE, new byte[] {0x0f, (byte) 0xa1}));
      assertThat(socket.closeCode()).isEqualTo(4001);
    }
    never.complete();
  }

  @Test
  void subprotocol_mayStandInAnyLine() throws Exception {
    start(new GatewayOptions());
    try (RawWebSocket socket =
        new RawWebSocket(
            server.gateway.port(),
            "Sec-WebSocket-Protocol: other, bearer.x",
            "Sec-WebSocket-Protocol: shardbus.v1")) {
      assertThat(socket.answer()).containsIgnoringCase("sec-websocket-protocol: shardbus.v1\r\n");
    }
  }

  @Test
  void compression_isNotAgreedTo() throws Exception {
    start(new GatewayOptions());
    try (RawWebSocket socket =
        connect("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits")) {
      assertThat(socket.answer()).contains(" 101 ").doesNotContainIgnoringCase("deflate");
      // A frame that claims to be compressed all the same.
      socket.send(
          RawWebSocket.frame(0x40 | RawWebSocket.FINAL | RawWebSocket.TEXT, "\u0001\u0002"));
      assertThat(socket.closeCode()).isIn(1002, 1006);
    }
  }

  /** Each ping is answered: a client that does not read the answers is not read from either. */
  @Test
  void pingsWhoseAnswersAreNotRead_areNotTakenForEver() throws Exception {
    start(new GatewayOptions());
    byte[] ping = RawWebSocket.frame(RawWebSocket.FINAL | RawWebSocket.PING, "p".repeat(125));
    byte[] pings = Arrays.copyOf(ping, ping.length * 1_000);
    for (int i = 1; i < 1_000; i++) {
      System.arraycopy(ping, 0, pings, i * ping.length, ping.length);
    }
    long most = 100_000_000;
    AtomicLong sent = new AtomicLong();
    try (RawWebSocket socket = connect()) {
      Thread flood =
          new Thread(
              () -> {
                try {
                  while (sent.get() < most) {
                    socket.send(pings);
                    sent.addAndGet(pings.length);
                  }
                } catch (IOException e) {
                  // the test is over
                }
              });
      flood.start();
      awaitStandstill(sent);
      assertThat(sent.get()).isLessThan(most);
      // Once it reads, it is read from again.
      while (sent.get() < most) {
        assertThat(socket.read().opcode()).isEqualTo(RawWebSocket.PONG);
      }
    }
    assertServes();
  }

  private static void awaitStandstill(AtomicLong sent) {
    long[] before = {-1};
    Awaitility.await()
        .atMost(Duration.ofSeconds(30))
        .pollInterval(Duration.ofSeconds(1))
        .until(() -> before[0] == (before[0] = sent.get()) && before[0] > 0);
  }

  @Test
  void frameThatTrickles_isCutOff() throws Exception {
    start(new GatewayOptions().setBodyTimeout(Duration.ofSeconds(1)));
    try (RawWebSocket socket = connect()) {
      socket.send(RawWebSocket.header(RawWebSocket.FINAL | RawWebSocket.TEXT, true, 1_000));
      socket.send(new byte[] {'1'});
      Frame last = socket.read();
      assertThat(last.opcode()).isEqualTo(RawWebSocket.CLOSE);
      assertThat(last.closeCode()).isEqualTo(1008);
      assertThat(last.text()).contains("gateway.bodyTimeout");
    }
    assertServes();
  }

  /** It does not even see that it is closed. */
  @Test
  void clientThatNeverReads_isCutOffWhenItIsToGo() throws Exception {
    Path tokens = Files.writeString(dir.resolve("tokens"), "ingest first\n");
    start(new GatewayOptions().setTokensFile(tokens.toString()));
    byte[] pings = RawWebSocket.frame(RawWebSocket.FINAL | RawWebSocket.PING, "p".repeat(125));
    try (RawWebSocket socket = connect("Authorization: Bearer first")) {
      AtomicLong sent = new AtomicLong();
      Thread flood =
          new Thread(
              () -> {
                try {
                  while (true) {
                    socket.send(pings);
                    sent.incrementAndGet();
                  }
                } catch (IOException e) {
                  // cut off
                }
              });
      flood.start();
      awaitStandstill(sent);
      Files.writeString(tokens, "ingest second\n");
      Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> !flood.isAlive());
    }
  }

  /** Every connection ends or goes on; none is left behind, and the server serves on. */
  @Test
  void anyFrames_leaveAServerThatServes() throws Exception {
    start(TestGateway.idleAfter(6));
    long seed = Long.getLong("fuzz.seed", System.nanoTime());
    SplittableRandom random = new SplittableRandom(seed);
    for (int i = 0; i < CASES; i++) {
      try (RawWebSocket socket = connect()) {
        try {
          for (int frames = random.nextInt(1, 6); frames > 0; frames--) {
            socket.send(anyFrame(random));
          }
          if (random.nextBoolean()) {
            socket.finish();
            socket.closeCode();
          }
        } catch (SocketException e) {
          // closed while it was written to
        }
      }
    }
    assertServes();
    Awaitility.await("seed " + seed)
        .atMost(Duration.ofSeconds(30))
        .until(() -> server.gateway.connections() <= 1); // that of the client that looks
    assertThat(server.bus.stats().offered())
        .as("seed " + seed)
        .isEqualTo(server.bus.stats().total().accepted());
  }

  private static byte[] anyFrame(SplittableRandom random) {
    byte[] payload = new byte[random.nextInt(4) == 0 ? random.nextInt(300) : random.nextInt(8)];
    random.nextBytes(payload);
    int first =
        random.nextInt(3) == 0
            ? random.nextInt(256)
            : (random.nextBoolean() ? RawWebSocket.FINAL : 0) | random.nextInt(3);
    if (random.nextInt(4) != 0) {
      for (int i = 0; i < payload.length; i++) {
        payload[i] = (byte) "1{}[]\n\" a".charAt((payload[i] & 0xff) % 9);
      }
    }
    return switch (random.nextInt(5)) {
      case 0 -> RawWebSocket.header(first, random.nextInt(8) != 0, random.nextLong());
      case 1 -> RawWebSocket.header(first, random.nextInt(8) != 0, random.nextInt(MAX_FRAME * 2));
      case 2 -> payload;
      default -> RawWebSocket.frame(first, payload);
    };
  }
}
