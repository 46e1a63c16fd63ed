package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.BusStats;
import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.event.BatchIngestResult;
import io.shardbus.event.NotDeliveredException;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.shardbus.eventbus.EventBusPublisher;
import io.shardbus.eventbus.EventBusPublisherOptions;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.shard.BackpressureMode;
import io.shardbus.sink.DeadLetters;
import io.shardbus.sink.SinkException;
import io.shardbus.testing.Samples;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.eventbus.ReplyFailure;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.WebSocket;
import io.vertx.core.json.JsonObject;
import io.vertx.core.streams.WriteStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What clients are told, by all ways in, is what the accounts say. */
@Execution(ExecutionMode.CONCURRENT)
@Tag("slow")
class AccountsTest {

  private static final int EVENTS = 50;
  private static final int LINES = 3_000;
  private static final String JSON = "application/json";
  private static final String NDJSON = "application/x-ndjson";
  private static final String ADDRESS = ShardBusOptions.DEFAULT_ADDRESS;

  /** Of events that the bus took; the others never were in a ring. */
  private static final Set<Outcome> AFTER_ACCEPTANCE =
      EnumSet.of(Outcome.EVICTED, Outcome.DEAD_LETTERED);

  private final Promise<Void> gate = Promise.promise();
  private TestGateway server;
  private ShardBus bus;

  private record Told(long accepted, long refused) {
    Told plus(Told other) {
      return new Told(accepted + other.accepted, refused + other.refused);
    }

    Told minus(Told other) {
      return new Told(accepted - other.accepted, refused - other.refused);
    }
  }

  private interface Way {
    Told offer() throws Exception;
  }

  @AfterEach
  void tearDown() throws Exception {
    gate.tryComplete();
    server.close();
  }

  private void start(BackpressureMode mode, Duration patience) throws Exception {
    ShardBusOptions options =
        new ShardBusOptions()
            .setShards(1)
            .setRingCapacity(1024)
            .setMaxEventBytes(10_000)
            .setBackpressure(mode);
    options.getBatch().setMinSize(1).setMaxSize(1);
    RecordingSink sink =
        new RecordingSink()
            .behave(
                batch ->
                    batch.events().get(0).payload().toString().startsWith("\"poison")
                        ? Future.failedFuture(SinkException.permanentFailure("never"))
                        : gate.future());
    server =
        new TestGateway(
            options,
            sink,
            new GatewayOptions()
                .setIdleTimeout(
                    Duration.ofSeconds(2)) // so long a client that has gone is not missed
                .setBackpressureTimeout(patience)
                .setAckTimeout(Duration.ofSeconds(1)),
            new HttpClientOptions());
    bus = server.bus;
  }

  /** Full, and the sink has what it takes in its hands. */
  private void fill() {
    for (int i = 0; i < 5_000; i++) {
      bus.ingest(RawEvent.of("fill " + i));
    }
    Awaitility.await().until(() -> bus.stats().total().inFlight() == 2);
    for (int i = 0; i < 100; i++) {
      bus.ingest(RawEvent.of("fill " + i));
    }
  }

  /** What the accounts say of what was offered so far, those of the gateway too. */
  private Told accounts() throws Exception {
    BusStats stats = bus.stats();
    long refused = stats.offered() - stats.total().accepted();
    long byGateway =
        new Samples(server.get("/metrics").body()).count("shardbus_gateway_refused_total");
    return new Told(stats.total().accepted(), refused + byGateway);
  }

  private void check(String name, Way way) throws Exception {
    Told before = accounts();
    Told told = way.offer();
    assertThat(accounts().minus(before)).as(name).isEqualTo(told);
  }

  /** The meters of the gateway have gone with the bus: what it refused itself is said here. */
  private void checkClosed(String name, Way way, long byGateway) throws Exception {
    check("closed: " + name, () -> way.offer().minus(new Told(0, byGateway)));
  }

  private static RawEvent event(int i) {
    return RawEvent.of("\"event " + i + '"');
  }

  private static String lines(int count) {
    return IntStream.range(0, count).mapToObj(i -> i + "\n").collect(Collectors.joining());
  }

  // ------------------------------------------------------------------ ways

  private Told ingest() {
    long accepted = 0;
    for (int i = 0; i < EVENTS; i++) {
      accepted += bus.ingest(event(i)).accepted() ? 1 : 0;
    }
    bus.ingest(RawEvent.of(Buffer.buffer(new byte[10_001])));
    return new Told(accepted, EVENTS + 1 - accepted);
  }

  private Told batch() {
    List<RawEvent> events = new ArrayList<>();
    for (int i = 0; i < LINES; i++) {
      events.add(i % 1_000 == 0 ? RawEvent.of(Buffer.buffer(new byte[10_001])) : event(i));
    }
    return told(bus.ingestBatch(events));
  }

  private static Told told(BatchIngestResult result) {
    return new Told(result.accepted(), result.dropped() + result.unrouted());
  }

  private Told awaitWithin() throws Exception {
    List<Future<?>> futures = new ArrayList<>();
    for (int i = 0; i < EVENTS; i++) {
      futures.add(bus.ingestAwait(event(i), Duration.ofMillis(i % 3)));
    }
    return told(futures);
  }

  private Told awaitCancelled() throws Exception {
    List<Future<?>> futures = new ArrayList<>();
    Promise<Void> cancel = Promise.promise();
    for (int i = 0; i < EVENTS; i++) {
      futures.add(bus.ingestAwait(event(i), cancel.future()));
    }
    cancel.complete();
    futures.add(bus.ingestAwait(event(EVENTS), cancel.future()));
    return told(futures);
  }

  private Told deliver() {
    List<Future<?>> futures = new ArrayList<>();
    for (int i = 0; i < EVENTS; i++) {
      futures.add(bus.deliver(event(i)));
    }
    long refused = futures.stream().filter(AccountsTest::isRefused).count();
    return new Told(EVENTS - refused, refused);
  }

  private static Told told(List<Future<?>> futures) throws Exception {
    TestGateway.await(Future.join(futures).otherwiseEmpty());
    long refused = futures.stream().filter(AccountsTest::isRefused).count();
    return new Told(futures.size() - refused, refused);
  }

  private static boolean isRefused(Future<?> future) {
    return future.cause() instanceof NotDeliveredException e
        && !AFTER_ACCEPTANCE.contains(e.reason());
  }

  private Told single(String query) throws Exception {
    Told told = new Told(0, 0);
    for (int i = 0; i < 3; i++) {
      int status = server.post("/v1/events" + query, JSON, "" + i).status();
      // 504: not confirmed in time; 500: accepted, and evicted
      boolean accepted = Set.of(202, 504, 500).contains(status);
      told = told.plus(new Told(accepted ? 1 : 0, accepted ? 0 : 1));
    }
    for (String wrong : List.of("{", "1".repeat(10_001))) {
      assertThat(server.post("/v1/events" + query, JSON, wrong).status()).isIn(400, 413);
      told = told.plus(new Told(0, 1));
    }
    return told;
  }

  private Told upload(String query) throws Exception {
    String body = lines(LINES / 2) + "{\n" + lines(LINES / 2) + "{\n";
    JsonObject answer = server.post("/v1/events" + query, NDJSON, body).json();
    return new Told(
        answer.getLong("accepted"), answer.getLong("rejected") + answer.getLong("notTaken", 0L));
  }

  private Told message(String ack) throws Exception {
    Told told = new Told(0, 0);
    for (int i = 0; i < 3; i++) {
      DeliveryOptions options = new DeliveryOptions().addHeader("ack", ack).setSendTimeout(1_000);
      told = told.plus(reply(Buffer.buffer("m" + i), options, 1));
    }
    DeliveryOptions options = new DeliveryOptions().addHeader("ack", ack);
    return told.plus(reply(Buffer.buffer(new byte[10_001]), options, 1));
  }

  private Told messageOfLines() throws Exception {
    DeliveryOptions options = new DeliveryOptions().addHeader("batch", "ndjson");
    return reply(Buffer.buffer(lines(LINES)), options, LINES)
        .plus(reply(Buffer.buffer(new byte[10_001]), options, 1));
  }

  private Told reply(Buffer body, DeliveryOptions options, int events) throws Exception {
    try {
      Object reply =
          TestGateway.await(server.vertx.eventBus().request(ADDRESS, body, options)).body();
      JsonObject counts = (JsonObject) reply;
      return counts.containsKey("dropped")
          ? new Told(
              counts.getLong("accepted"), counts.getLong("dropped") + counts.getLong("unrouted"))
          : new Told(1, 0);
    } catch (ExecutionException e) {
      ReplyException failure = (ReplyException) e.getCause();
      boolean accepted =
          failure.failureType() == ReplyFailure.TIMEOUT || failure.failureCode() == 500;
      return accepted ? new Told(events, 0) : new Told(0, events);
    }
  }

  private Told publisher() throws Exception {
    EventBusPublisher publisher =
        EventBusPublisher.create(
            server.vertx, new EventBusPublisherOptions().setTimeout(Duration.ofMillis(300)));
    List<Future<?>> futures = new ArrayList<>();
    for (int i = 0; i < EVENTS; i++) {
      futures.add(publisher.write(event(i)));
    }
    return told(futures);
  }

  /** Is told of refusals only, and goes on. */
  private Told silentWebSocket() throws Exception {
    AtomicLong refused = new AtomicLong();
    WebSocket socket = server.connect("/v1/ingest?ack=none", List.of());
    socket.textMessageHandler(text -> refused.set(rejected(new JsonObject(text))));
    socket.writeTextMessage(lines(EVENTS) + "{\n");
    // One frame tells of all of the message.
    Awaitility.await().until(() -> refused.get() > 0);
    TestGateway.await(socket.close());
    return new Told(EVENTS + 1 - refused.get(), refused.get());
  }

  private static long rejected(JsonObject frame) {
    return frame.getJsonObject("rejected", new JsonObject()).stream()
        .mapToLong(e -> ((Number) e.getValue()).longValue())
        .sum();
  }

  /** Nobody is told: what arrived and did not get in has been refused all the same. */
  private Told clientThatGoes(boolean webSocket) throws Exception {
    long before = accounts().accepted() + accounts().refused();
    String lines = lines(EVENTS);
    if (webSocket) {
      try (RawWebSocket socket = new RawWebSocket(server.gateway.port())) {
        socket.send(RawWebSocket.frame(RawWebSocket.FINAL | RawWebSocket.TEXT, lines));
        awaitArrival(before);
      }
    } else {
      try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), server.gateway.port())) {
        write(socket, "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Type: " + NDJSON);
        write(socket, "\r\nContent-Length: 100000\r\n\r\n" + lines);
        awaitArrival(before);
      }
    }
    Awaitility.await()
        .untilAsserted(
            () ->
                assertThat(accounts().accepted() + accounts().refused())
                    .isEqualTo(before + EVENTS));
    Awaitility.await().until(() -> server.gateway.partialBytes() == 0);
    return accounts();
  }

  private void awaitArrival(long before) {
    Awaitility.await()
        .until(
            () ->
                server.gateway.partialBytes() > 0
                    || accounts().accepted() + accounts().refused() == before + EVENTS);
  }

  private static void write(Socket socket, String text) throws IOException {
    socket.getOutputStream().write(text.getBytes(StandardCharsets.US_ASCII));
  }

  // ------------------------------------------------------------------ tests

  @ParameterizedTest
  @ValueSource(strings = {"fail-producer", "drop-newest", "drop-oldest", "sample(2)"})
  void whatClientsAreTold_isWhatTheAccountsSay(String mode) throws Exception {
    start(BackpressureMode.parse(mode), Duration.ofMillis(200));
    bus.ingestBatch(List.of(RawEvent.of("\"poison 1\""), RawEvent.of("\"poison 2\"")));
    Awaitility.await().until(() -> bus.stats().deadLettersKept() == 2);
    fill();
    check("ingest", this::ingest);
    check("ingestBatch", this::batch);
    check("ingestAwait, patience", this::awaitWithin);
    check("ingestAwait, cancelled", this::awaitCancelled);
    check("deliver", this::deliver);
    for (String query : List.of("", "?ack=delivered")) {
      check("POST " + query, () -> single(query));
      check("POST lines " + query, () -> upload(query));
    }
    check("event bus", () -> message("accepted"));
    check("event bus, delivered", () -> message("delivered"));
    check("event bus, lines", this::messageOfLines);
    check("publisher", this::publisher);
    check("WebSocket without ack", this::silentWebSocket);
    clientThatGoes(false);
    clientThatGoes(true);
    assertThatThrownBy(() -> bus.ingestBatch(java.util.Arrays.asList(event(1), null)))
        .isInstanceOf(IllegalArgumentException.class);
    checkThoseThatWait();
    TestGateway.await(bus.close());
    checkClosed("ingest", this::ingest, 0);
    checkClosed("ingestBatch", this::batch, 0);
    checkClosed("ingestAwait", this::awaitWithin, 0);
    checkClosed("POST", () -> single(""), 2);
    checkClosed("POST lines", () -> upload(""), 2);
    checkClosed("WebSocket without ack", this::silentWebSocket, 1);
    assertThat(bus.stats().total().pending()).isZero();
  }

  /** Streams, awaiting callers, replays and WebSockets with ack wait until there is room. */
  private void checkThoseThatWait() throws Exception {
    Told before = accounts();
    List<Future<?>> futures = new ArrayList<>();
    WriteStream<RawEvent> stream = bus.writeStream().setWriteQueueMaxSize(10);
    for (int i = 0; i < EVENTS; i++) {
      futures.add(stream.write(event(i)));
      futures.add(bus.ingestAwait(event(i)));
      futures.add(bus.deliverAwait(event(i)));
    }
    Future<DeadLetters.ReplayResult> replay = bus.replayDeadLetters();
    List<Future<JsonObject>> sockets = new ArrayList<>();
    for (String ack : List.of("accepted", "delivered")) {
      sockets.add(settled(server.connect("/v1/ingest?ack=" + ack, List.of())));
    }
    gate.complete();
    Told told = told(futures).plus(new Told(2, 0)); // replayed
    TestGateway.await(replay);
    for (Future<JsonObject> socket : sockets) {
      JsonObject frame = TestGateway.await(socket);
      long rejected = rejected(frame);
      JsonObject reasons = frame.getJsonObject("rejected", new JsonObject());
      long evicted =
          AFTER_ACCEPTANCE.stream().mapToLong(why -> reasons.getLong(why.word(), 0L)).sum();
      told = told.plus(new Told(EVENTS + 1 - rejected + evicted, rejected - evicted));
    }
    TestGateway.await(bus.flush());
    assertThat(bus.stats().waiting()).isZero();
    assertThat(accounts().minus(before)).isEqualTo(told);
  }

  /** The frame that says that everything is settled. */
  private static Future<JsonObject> settled(WebSocket socket) {
    Promise<JsonObject> last = Promise.promise();
    socket.textMessageHandler(
        text -> {
          JsonObject frame = new JsonObject(text);
          if (frame.getLong("acked", 0L) + rejected(frame) == EVENTS + 1) {
            last.complete(frame);
          }
        });
    socket.writeTextMessage(lines(EVENTS) + "{\n");
    return last.future();
  }

  /** The gateway refuses them, not the bus. */
  @ParameterizedTest
  @ValueSource(strings = {"fail-producer", "drop-newest"})
  void linesRefusedBecauseTheyComeTooFast_areCountedOnceEach(String mode) throws Exception {
    server =
        new TestGateway(
            new ShardBusOptions().setBackpressure(BackpressureMode.parse(mode)),
            new RecordingSink(),
            new GatewayOptions()
                .setMaxEventsPerSecondPerClient(10)
                .setBackpressureTimeout(Duration.ofMillis(200)),
            new HttpClientOptions());
    bus = server.bus;
    long refused = 0;
    for (int i = 0; i < 3; i++) {
      TestGateway.Answer answer = server.post("/v1/events", NDJSON, lines(100) + "{\n");
      JsonObject json = answer.json();
      refused += json.getLong("rejected") + json.getLong("notTaken", 0L);
      assertThat(json.getLong("accepted") + json.getLong("rejected") + json.getLong("notTaken", 0L))
          .isEqualTo(101);
    }
    refused += server.post("/v1/events", JSON, "1").status() == 429 ? 1 : 0;
    JsonObject stats = server.get("/v1/stats").json();
    JsonObject byGateway = stats.getJsonObject("refusedByGateway");
    assertThat(byGateway.getLong("invalid")).isEqualTo(3);
    assertThat(byGateway.getLong("rate")).isEqualTo(refused - 3).isPositive();
    assertThat(stats.getLong("offered")).isEqualTo(stats.getLong("accepted"));
    assertThat(stats.getLong("accepted")).isEqualTo(304 - refused);
  }

  /** The bus is full before the first line comes. */
  @Test
  void linesRefusedForWantOfRoom_areCountedOnceEach() throws Exception {
    start(BackpressureMode.FAIL_PRODUCER, Duration.ofMillis(100));
    fill();
    long before = bus.stats().total().backpressure();
    long told = 0;
    for (int i = 0; i < 10; i++) {
      TestGateway.Answer answer = server.post("/v1/events", NDJSON, lines(500));
      assertThat(answer.status()).isEqualTo(429);
      assertThat(answer.json().getLong("accepted")).isZero();
      assertThat(answer.json().getLong("rejected")).as("to be sent again").isZero();
      told += answer.json().getLong("notTaken", 0L);
    }
    assertThat(told).isEqualTo(5_000);
    assertThat(bus.stats().total().backpressure() - before).isEqualTo(5_000);
  }
}
