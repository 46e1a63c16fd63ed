package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.ShardBusOptions;
import io.shardbus.gateway.TestGateway.Answer;
import io.shardbus.net.RateLimit;
import io.shardbus.shard.BackpressureMode;
import io.shardbus.sink.SinkOptions;
import io.shardbus.sink.Sinks;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.UpgradeRejectedException;
import io.vertx.core.http.WebSocket;
import io.vertx.core.json.JsonObject;
import io.vertx.core.net.SocketAddress;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
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

@Execution(ExecutionMode.CONCURRENT)
@Tag("slow")
class LimitsTest {

  private static final String JSON = "application/json";
  private static final String NDJSON = "application/x-ndjson";

  private TestGateway server;

  @AfterEach
  void tearDown() throws Exception {
    if (server != null) {
      server.close();
    }
  }

  private void start(GatewayOptions options, BackpressureMode mode) throws Exception {
    server =
        new TestGateway(
            new ShardBusOptions().setShards(1).setBackpressure(mode),
            Sinks.create(new SinkOptions("memory")),
            options,
            new HttpClientOptions());
  }

  private static String lines(int count) {
    return "1\n".repeat(count);
  }

  // ------------------------------------------------------------------ headers

  @ParameterizedTest
  @CsvSource({
    "GET,/",
    "GET,/v1/stats",
    "GET,/v1/events?limit=x",
    "GET,/nowhere",
    "PUT,/v1/events",
    "GET,/v1/ingest",
    "POST,/v1/events",
    "GET,/health/live"
  })
  void everyAnswer_protectsBrowsers(String method, String uri) throws Exception {
    server = new TestGateway(new GatewayOptions());
    Answer answer = server.send(HttpMethod.valueOf(method), uri, Map.of(), null);
    assertThat(answer.header("X-Content-Type-Options")).isEqualTo("nosniff");
    assertThat(answer.header("Referrer-Policy")).isEqualTo("no-referrer");
    assertThat(answer.header("Content-Security-Policy"))
        .contains("default-src 'self'")
        .contains("frame-ancestors 'none'");
    // The page has no data in it: browsers may keep it, and ask whether it has changed.
    assertThat(answer.header("Cache-Control")).isEqualTo(uri.equals("/") ? "no-cache" : "no-store");
  }

  @Test
  void largeHeadersAndLines_areRefusedByName() throws Exception {
    server = new TestGateway(new GatewayOptions().setMaxUriBytes(2000).setMaxHeaderBytes(3000));
    Answer uri = server.get("/v1/events?cursor=" + "x".repeat(2000));
    assertThat(uri.status()).isEqualTo(414);
    assertThat(uri.detail()).contains("gateway.maxUriBytes").contains("2000 bytes");
    Answer headers = server.get("/v1/events", "X-Large", "x".repeat(3000));
    assertThat(headers.status()).isEqualTo(431);
    assertThat(headers.detail()).contains("gateway.maxHeaderBytes").contains("3000 bytes");
    for (Answer answer : List.of(uri, headers)) {
      assertThat(answer.header("Content-Type")).isEqualTo("application/problem+json");
      assertThat(answer.header("X-Content-Type-Options")).isEqualTo("nosniff");
    }
    assertThat(server.get("/v1/events").status()).isEqualTo(200);
  }

  // ------------------------------------------------------------------ connections

  private Socket socket() throws Exception {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.gateway.port());
    socket.setSoTimeout(20_000);
    return socket;
  }

  /** The status and body of an answer, read to the end of the connection. */
  private static String ask(Socket socket) throws Exception {
    write(socket, "GET /v1/stats HTTP/1.1\r\nConnection: close");
    return new String(socket.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
  }

  private static void write(Socket socket, String request) throws Exception {
    socket
        .getOutputStream()
        .write((request + "\r\nHost: localhost\r\n\r\n").getBytes(StandardCharsets.US_ASCII));
  }

  @Test
  void diskThatHangs_gathersNoMoreAndMoreRequests(@TempDir Path dir) throws Exception {
    server =
        new TestGateway(
            new ShardBusOptions().setDataDir(dir.toString()),
            Sinks.create(new SinkOptions("memory")),
            new GatewayOptions().setMaxConnectionsPerClient(3_000),
            new HttpClientOptions());
    List<Socket> sockets = new ArrayList<>();
    CountDownLatch disk = new CountDownLatch(1);
    List<Long> idThatHangs =
        new AbstractList<>() {
          @Override
          public Long get(int index) {
            try {
              disk.await();
            } catch (InterruptedException e) {
              throw new IllegalStateException(e);
            }
            return 1L;
          }

          @Override
          public int size() {
            return 1;
          }
        };
    Future<Integer> hanging = server.bus.deadLetters().remove(idThatHangs);
    try {
      for (int i = 0; i < 1_050; i++) {
        sockets.add(socket());
        write(sockets.get(i), "DELETE /v1/dead-letters/1 HTTP/1.1");
      }
      Awaitility.await()
          .ignoreExceptions() // those asked before cannot be answered
          .untilAsserted(
              () -> {
                try (Socket late = socket()) {
                  late.setSoTimeout(1_000);
                  write(late, "DELETE /v1/dead-letters/1 HTTP/1.1\r\nConnection: close");
                  assertThat(
                          new String(late.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
                      .contains("HTTP/1.1 503", "1000 requests wait");
                }
              });
    } finally {
      disk.countDown();
      for (Socket each : sockets) {
        each.close();
      }
    }
    Awaitility.await().until(hanging::succeeded);
    Awaitility.await()
        .atMost(Duration.ofMinutes(1))
        .until(() -> server.get("/v1/dead-letters").status() == 200);
  }

  @ParameterizedTest
  @CsvSource({"maxConnections", "maxConnectionsPerClient"})
  void tooManyConnections_areRefusedByName(String limit) throws Exception {
    GatewayOptions options = new GatewayOptions();
    server =
        new TestGateway(
            limit.equals("maxConnections")
                ? options.setMaxConnections(2)
                : options.setMaxConnectionsPerClient(2));
    try (Socket one = socket();
        Socket two = socket()) {
      one.getOutputStream().write("GET ".getBytes(StandardCharsets.US_ASCII));
      Awaitility.await()
          .ignoreExceptions() // one that asks too late is only closed
          .untilAsserted(
              () -> {
                try (Socket three = socket()) {
                  assertThat(ask(three)).startsWith("HTTP/1.1 503").contains("gateway." + limit);
                }
              });
      assertThat(ask(two)).startsWith("HTTP/1.1 200");
      Awaitility.await().until(() -> server.gateway.connections() == 1);
      // One that asks for nothing is closed all the same.
      try (Socket again = socket();
          Socket silent = socket()) {
        assertThat(silent.getInputStream().read()).isEqualTo(-1);
        assertThat(ask(again)).startsWith("HTTP/1.1 200");
      }
    }
    Awaitility.await()
        .untilAsserted(() -> assertThat(server.get("/v1/stats").status()).isEqualTo(200));
  }

  @Test
  void webSockets_countAsConnectionsUntilTheyClose() throws Exception {
    server = new TestGateway(new GatewayOptions().setMaxConnectionsPerClient(2));
    for (int i = 0; i < 5; i++) {
      WebSocket one = connect("");
      WebSocket two = connect("");
      assertThatThrownBy(() -> connect(""))
          .cause()
          .isInstanceOfSatisfying(
              UpgradeRejectedException.class,
              e -> {
                assertThat(e.getStatus()).isEqualTo(503);
                assertThat(e.getBody().toString()).contains("gateway.maxConnectionsPerClient: 2");
              });
      TestGateway.await(one.close());
      TestGateway.await(two.close());
      Awaitility.await().until(() -> server.gateway.connections() == 0);
    }
  }

  private WebSocket connect(String query) throws Exception {
    return server.connect("/v1/ingest" + query, List.of(Gateway.SUBPROTOCOL));
  }

  @Test
  void requestThatTrickles_isCutOff() throws Exception {
    server = new TestGateway(TestGateway.idleAfter(4));
    WebSocket busy = connect("?ack=accepted");
    long started = System.nanoTime();
    try (Socket socket = socket()) {
      socket.setSoTimeout(200);
      InputStream in = socket.getInputStream();
      socket.getOutputStream().write("GET / HTTP/1.1\r\n".getBytes(StandardCharsets.US_ASCII));
      Awaitility.await()
          .atMost(Duration.ofSeconds(40))
          .until(
              () -> {
                busy.writeTextMessage("1");
                try {
                  socket.getOutputStream().write("X-A: b\r\n".getBytes(StandardCharsets.US_ASCII));
                  return in.read() == -1;
                } catch (java.net.SocketTimeoutException e) {
                  return false;
                } catch (java.io.IOException e) {
                  return true; // closed while it was written to
                }
              });
    }
    assertThat(Duration.ofNanos(System.nanoTime() - started)).isLessThan(Duration.ofSeconds(20));
    assertThat(busy.isClosed()).isFalse();
  }

  // ------------------------------------------------------------------ rate

  @Test
  void rate_refillsWithTime() {
    AtomicLong now = new AtomicLong(-5);
    RateLimit limit = new RateLimit(() -> 10, () -> 0, now::get);
    RateLimit.Client bucket = limit.of("a");
    for (int i = 0; i < 10; i++) {
      assertThat(bucket.tryTake(1)).isTrue();
    }
    assertThat(bucket.tryTake(1)).isFalse();
    assertThat(limit.of("a").tryTake(1)).isFalse();
    assertThat(limit.of("b").tryTake(1)).isTrue();
    now.addAndGet(99_999_999);
    assertThat(bucket.tryTake(1)).isFalse();
    now.addAndGet(1);
    assertThat(bucket.tryTake(1)).isTrue();
    assertThat(bucket.tryTake(1)).isFalse();
    bucket.giveBack(1);
    assertThat(bucket.tryTake(1)).isTrue();
    assertThat(limit.clients()).isEqualTo(2);
    now.addAndGet(TimeUnit.SECONDS.toNanos(1));
    limit.forgetIdle();
    assertThat(limit.clients()).isZero();
    RateLimit none = new RateLimit(() -> 0, () -> 0, now::get);
    for (int i = 0; i < 1_000; i++) {
      assertThat(none.of("a").tryTake(1)).isTrue();
    }
    assertThat(none.clients()).isZero();
  }

  @Test
  void singleEvents_beyondTheRateAreRefused() throws Exception {
    start(new GatewayOptions().setMaxEventsPerSecondPerClient(1), BackpressureMode.FAIL_PRODUCER);
    assertThat(server.post("/v1/events", JSON, "1").status()).isEqualTo(202);
    Answer second = server.post("/v1/events", JSON, "1");
    for (int i = 0; i < 10 && second.status() == 202; i++) {
      second = server.post("/v1/events", JSON, "1"); // the last took longer than a second
    }
    assertThat(second.status()).isEqualTo(429);
    assertThat(second.header("Retry-After")).isEqualTo("1");
    assertThat(second.json().getString("reason")).isEqualTo("rate");
    assertThat(second.detail()).contains("gateway.maxEventsPerSecondPerClient").contains("1 ");
    Awaitility.await()
        .untilAsserted(
            () -> assertThat(server.post("/v1/events", JSON, "1").status()).isEqualTo(202));
  }

  @Test
  void upload_isSlowedToTheRate() throws Exception {
    start(
        new GatewayOptions().setMaxEventsPerSecondPerClient(1_000), BackpressureMode.FAIL_PRODUCER);
    long started = System.nanoTime();
    Answer answer = server.post("/v1/events?ack=delivered", NDJSON, lines(3_000));
    assertThat(answer.status()).as(answer.body()).isEqualTo(202);
    assertThat(answer.json().getInteger("delivered")).isEqualTo(3_000);
    assertThat(Duration.ofNanos(System.nanoTime() - started))
        .isBetween(Duration.ofMillis(1_900), Duration.ofSeconds(15));
  }

  @Test
  void upload_thatWouldTakeTooLongIsToldWhereToGoOn() throws Exception {
    start(
        new GatewayOptions()
            .setMaxEventsPerSecondPerClient(10)
            .setBackpressureTimeout(Duration.ofMillis(200)),
        BackpressureMode.FAIL_PRODUCER);
    long started = System.nanoTime();
    Answer answer = server.post("/v1/events", NDJSON, lines(1_000));
    long seconds = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - started);
    assertThat(answer.status()).isEqualTo(429);
    assertThat(answer.json().getString("reason")).isEqualTo("rate");
    int accepted = answer.json().getInteger("accepted");
    assertThat(accepted).isBetween(10, 20 + 10 * (int) seconds);
    assertThat(answer.detail())
        .contains("gateway.maxEventsPerSecondPerClient")
        .contains("behind the first " + accepted + " lines");
    assertThat(server.bus.stats().total().accepted()).isEqualTo(accepted);
  }

  /** Else a client that goes on behind what was counted would leave out what was not taken. */
  @Test
  void upload_countsTheFirstOfItsEvents() throws Exception {
    start(
        new GatewayOptions()
            .setMaxEventsPerSecondPerClient(1)
            .setBackpressureTimeout(Duration.ofMillis(1)),
        BackpressureMode.FAIL_PRODUCER);
    Answer answer = server.post("/v1/events", NDJSON, "{\n" + "1\n{\n".repeat(1_000));
    assertThat(answer.status()).isEqualTo(429);
    // One, and one more for each second that the machine stood still.
    int accepted = answer.json().getInteger("accepted");
    assertThat(accepted).isBetween(1, 10);
    assertThat(answer.json().getInteger("rejected")).isEqualTo(accepted + 1);
    assertThat(answer.detail()).contains("behind the first " + (2 * accepted + 1) + " lines");
  }

  @Test
  void upload_countsInvalidLinesInTheirTurn() throws Exception {
    start(new GatewayOptions().setMaxEventsPerSecondPerClient(100), BackpressureMode.FAIL_PRODUCER);
    Answer answer = server.post("/v1/events", NDJSON, (lines(2) + "{\n").repeat(60));
    assertThat(answer.status()).as(answer.body()).isEqualTo(202);
    assertThat(answer.json().getInteger("accepted")).isEqualTo(120);
    assertThat(answer.json().getInteger("rejected")).isEqualTo(60);
  }

  @Test
  void upload_countsBlankLinesToo() throws Exception {
    start(
        new GatewayOptions()
            .setMaxEventsPerSecondPerClient(1)
            .setBackpressureTimeout(Duration.ofMillis(1)),
        BackpressureMode.FAIL_PRODUCER);
    Answer answer = server.post("/v1/events", NDJSON, "\n\n1\n\n".repeat(1_000));
    int accepted = answer.json().getInteger("accepted");
    assertThat(accepted).isBetween(1, 10);
    assertThat(answer.detail()).contains("behind the first " + (4 * accepted + 2) + " lines");
  }

  @Test
  void upload_ofAnImpatientModeIsCounted() throws Exception {
    start(new GatewayOptions().setMaxEventsPerSecondPerClient(10), BackpressureMode.DROP_NEWEST);
    JsonObject counts = server.post("/v1/events", NDJSON, lines(1_000)).json();
    assertThat(counts.getInteger("accepted")).isBetween(10, 30);
    assertThat(counts.getJsonObject("reasons").getInteger("rate"))
        .isEqualTo(1_000 - counts.getInteger("accepted"));
    Answer next = server.post("/v1/events", NDJSON, lines(1));
    assertThat(next.status()).isIn(202, 429);
  }

  @Test
  void webSocketWithAck_isPausedAndLosesNothing() throws Exception {
    start(new GatewayOptions().setMaxEventsPerSecondPerClient(1_000), BackpressureMode.DROP_NEWEST);
    WebSocket socket = connect("?ack=accepted");
    BlockingQueue<Long> acked = new LinkedBlockingQueue<>();
    socket.textMessageHandler(text -> acked.add(new JsonObject(text).getLong("acked")));
    long started = System.nanoTime();
    for (int i = 0; i < 3_000; i++) {
      socket.writeTextMessage("1");
    }
    Awaitility.await().atMost(Duration.ofSeconds(30)).until(() -> acked.contains(3_000L));
    assertThat(Duration.ofNanos(System.nanoTime() - started))
        .isGreaterThan(Duration.ofMillis(1_900));
    assertThat(server.bus.stats().total().accepted()).isEqualTo(3_000);
  }

  @Test
  void webSocketWithoutAck_isToldWhatWasRefused() throws Exception {
    start(new GatewayOptions().setMaxEventsPerSecondPerClient(10), BackpressureMode.DROP_NEWEST);
    WebSocket socket = connect("");
    BlockingQueue<JsonObject> frames = new LinkedBlockingQueue<>();
    socket.textMessageHandler(text -> frames.add(new JsonObject(text)));
    socket.writeTextMessage(lines(1_000));
    assertThat(frames.poll(20, TimeUnit.SECONDS).getJsonObject("rejected").getInteger("rate"))
        .isBetween(970, 990);
  }

  @Test
  void bytes_areLimitedLikeEvents() {
    AtomicLong now = new AtomicLong();
    RateLimit limit = new RateLimit(() -> 3, () -> 1_000, now::get);
    RateLimit.Client client = limit.of("a");
    assertThat(client.tryTake(600)).isTrue();
    assertThat(client.tryTake(600)).isFalse();
    assertThat(client.refusal()).contains("gateway.maxBytesPerSecondPerClient").contains("1000");
    assertThat(client.tryTake(400)).isTrue();
    client.giveBack(400);
    assertThat(client.tryTake(400)).isTrue();
    now.addAndGet(TimeUnit.SECONDS.toNanos(2));
    // More than a second's bytes at once, which those behind have to wait for.
    assertThat(client.tryTake(5_000)).isTrue();
    now.addAndGet(TimeUnit.SECONDS.toNanos(3));
    assertThat(client.tryTake(1)).isFalse();
    now.addAndGet(TimeUnit.SECONDS.toNanos(2));
    assertThat(client.tryTake(1)).isTrue();
    assertThat(client.tryTake(1)).isTrue();
    assertThat(client.tryTake(1)).isTrue();
    assertThat(client.tryTake(1)).isFalse();
    assertThat(client.refusal()).contains("gateway.maxEventsPerSecondPerClient");
  }

  @ParameterizedTest
  @CsvSource({
    "127.0.0.1, 127.0.0.1",
    "2001:db8:1:2:3:4:5:6, 20010db800010002::/64",
    "2001:db8:1:2::9, 20010db800010002::/64",
    "2001:db8:1:3::9, 20010db800010003::/64"
  })
  void clients_areAddressesOrNetworks(String address, String client) {
    assertThat(Connections.client(SocketAddress.inetSocketAddress(1, address))).isEqualTo(client);
  }

  // ------------------------------------------------------------------ keys and messages

  @Test
  void keys_areLimited() throws Exception {
    server = new TestGateway(new GatewayOptions().setMaxKeyBytes(4));
    for (String type : List.of(JSON, NDJSON)) {
      assertThat(server.post("/v1/events?key=%C3%A9%C3%A9", type, "1").status()).isEqualTo(202);
      Answer answer = server.post("/v1/events?key=12345", type, "1");
      assertThat(answer.status()).isEqualTo(400);
      assertThat(answer.detail()).contains("gateway.maxKeyBytes").contains("4 bytes");
    }
    JsonObject counts =
        server
            .post("/v1/events?keyPath=k", NDJSON, "{\"k\":\"1234\"}\n{\"k\":12345}\n{\"k\":1.50}")
            .json();
    assertThat(counts.getInteger("accepted")).isEqualTo(2);
    assertThat(counts.getJsonArray("errors").encode()).contains("gateway.maxKeyBytes");
  }

  @Test
  void messages_areLimitedInEvents() throws Exception {
    server = new TestGateway(new GatewayOptions().setMaxEventsPerMessage(3));
    WebSocket socket = connect("?ack=accepted");
    BlockingQueue<JsonObject> frames = new LinkedBlockingQueue<>();
    socket.textMessageHandler(text -> frames.add(new JsonObject(text)));
    socket.writeTextMessage("1\nbad\n3\n4\n5");
    JsonObject frame = frames.poll(20, TimeUnit.SECONDS);
    assertThat(frame.getInteger("acked")).isEqualTo(2);
    assertThat(frame.getJsonObject("rejected"))
        .isEqualTo(new JsonObject().put("invalid", 1).put("too_many", 2));
    assertThat(frame.getJsonArray("errors").encode()).contains("gateway.maxEventsPerMessage");
    socket.writeTextMessage("1\n2\n3");
    Awaitility.await().until(() -> server.bus.stats().total().accepted() == 5);
  }

  // ------------------------------------------------------------------ waiting

  @ParameterizedTest
  @ValueSource(strings = {"backpressureTimeout", "ackTimeout"})
  void waitThatOutlastsTheIdleTimeout_isRefused(String wait) {
    GatewayOptions options =
        new GatewayOptions(new JsonObject().put("idleTimeout", "20s").put(wait, "20s"));
    assertThatThrownBy(() -> new TestGateway(options))
        .hasMessageContaining(wait + ": 20s must be below idleTimeout, which is 20s");
  }

  /** The connection of a request that waits is silent; with a longer wait it is only closed. */
  @ParameterizedTest
  @CsvSource({
    "?ack=delivered, application/json, 1, 504",
    "?ack=delivered, application/x-ndjson, 1, 504",
    "'', application/x-ndjson, 30000, 429"
  })
  void waitBelowTheIdleTimeout_isAnswered(String query, String type, int events, int status)
      throws Exception {
    Promise<Void> gate = Promise.promise();
    server = TestGateway.stalled(gate.future(), TestGateway.idleAfter(6));
    assertThat(server.post("/v1/events" + query, type, lines(events)).status()).isEqualTo(status);
    gate.complete();
  }
}
