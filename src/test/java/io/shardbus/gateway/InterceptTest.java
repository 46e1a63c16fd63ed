package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.BusStats;
import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.event.BatchIngestResult;
import io.shardbus.event.Headers;
import io.shardbus.event.IngestResult;
import io.shardbus.event.Intercepted;
import io.shardbus.event.NotDeliveredException;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.shardbus.eventbus.EventBusPublisher;
import io.shardbus.gateway.TestGateway.Answer;
import io.shardbus.gateway.WayIn.Sent;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.sink.DeadLetters;
import io.shardbus.sink.SinkException;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.WebSocket;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Interceptors see each event once, whichever way it comes, and a refusal is told and counted. */
@Tag("once")
class InterceptTest {

  private final RecordingSink sink = new RecordingSink();
  private TestGateway server;
  private ShardBus bus;

  @BeforeEach
  void setUp() throws Exception {
    ShardBusOptions options = new ShardBusOptions().setShards(1).setRingCapacity(1024);
    options.getBatch().setMinSize(1).setMaxSize(1);
    server = new TestGateway(options, sink, new GatewayOptions(), new HttpClientOptions());
    bus = server.bus;
  }

  @AfterEach
  void tearDown() throws Exception {
    server.close();
  }

  private void refuseAll() {
    bus.intercept(event -> Intercepted.refuse("no_tenant"));
  }

  private void assertCounted(Map<String, Long> reasons, long accepted) {
    BusStats stats = bus.stats();
    assertThat(stats.refusals().intercepted()).isEqualTo(reasons);
    long refused = reasons.values().stream().mapToLong(Long::longValue).sum();
    assertThat(stats.total().accepted()).isEqualTo(accepted);
    assertThat(stats.offered()).isEqualTo(accepted + refused);
  }

  @ParameterizedTest
  @EnumSource(WayIn.class)
  void refusal_isToldByEachWayInAndCountedOnce(WayIn way) throws Exception {
    refuseAll();
    switch (way) {
      case WEB_SOCKET -> webSocketIsTold("", "1");
      case WEB_SOCKET_LINES -> webSocketIsTold("", "1\n");
      case WEB_SOCKET_ENVELOPES -> webSocketIsTold("&format=envelope", "{\"event\":1}");
      case BUS_LINES -> // answered with counts
          assertThat(way.send(server, Sent.json("{\"n\":1}"))).isNull();
      default ->
          assertThat(way.send(server, Sent.json("{\"n\":1}")))
              .contains("an interceptor refused it");
    }
    assertCounted(Map.of("no_tenant", 1L), 0);
    assertThat(sink.count()).isZero();
  }

  private void webSocketIsTold(String query, String message) throws Exception {
    WebSocket socket =
        server.connect("/v1/ingest?ack=accepted" + query, List.of(Gateway.SUBPROTOCOL));
    BlockingQueue<String> answers = new LinkedBlockingQueue<>();
    socket.textMessageHandler(answers::add);
    socket.writeTextMessage(message);
    assertThat(new JsonObject(answers.poll(30, TimeUnit.SECONDS)).getJsonObject("rejected"))
        .isEqualTo(new JsonObject().put("intercepted", 1));
  }

  @ParameterizedTest
  @EnumSource(WayIn.class)
  void replacedEvent_isTheOneThatIsDelivered(WayIn way) throws Exception {
    bus.intercept(
        event ->
            RawEvent.builder(Buffer.buffer("[" + event.buffer() + "]"))
                .key("k")
                .header("h", "v")
                .build());
    assertThat(way.send(server, Sent.json("{\"n\":1}"))).isNull();
    Awaitility.await().until(() -> sink.count() == 1);
    ShardEvent event = sink.all().get(0);
    assertThat(event.payload().toString()).isEqualTo("[{\"n\":1}]");
    assertThat(event.key()).isEqualTo("k");
    assertThat(event.headers()).isEqualTo(Headers.of(Map.of("h", "v")));
    assertCounted(Map.of(), 1);
  }

  @Test
  void single_isToldWithTheReasonOfTheInterceptor() throws Exception {
    refuseAll();
    IngestResult result = bus.ingest(RawEvent.of("1"));
    assertThat(result.outcome()).isEqualTo(Outcome.INTERCEPTED);
    assertThat(result.refusal()).isEqualTo("no_tenant");
    Answer answer = server.post("/v1/events", "application/json", "1");
    assertThat(answer.status()).isEqualTo(422);
    assertThat(answer.json().getString("reason")).isEqualTo("intercepted");
    assertThat(answer.detail()).isEqualTo("an interceptor refused it: no_tenant");
    assertThatThrownBy(
            () ->
                TestGateway.await(
                    server.vertx.eventBus().request(ShardBusOptions.DEFAULT_ADDRESS, "1")))
        .cause()
        .isInstanceOfSatisfying(
            ReplyException.class,
            e -> {
              assertThat(e.failureCode()).isEqualTo(422);
              assertThat(e.getMessage()).isEqualTo("an interceptor refused it: no_tenant");
            });
    EventBusPublisher publisher = EventBusPublisher.create(server.vertx);
    for (Future<?> sent :
        List.of(
            publisher.write(RawEvent.of("1")),
            bus.deliver(RawEvent.of("1")),
            bus.deliverAwait(RawEvent.of("1")),
            bus.writeStream().write(RawEvent.of("1")))) {
      assertThatThrownBy(() -> TestGateway.await(sent))
          .cause()
          .isInstanceOfSatisfying(
              NotDeliveredException.class,
              e -> assertThat(e.reason()).isEqualTo(Outcome.INTERCEPTED));
    }
    JsonObject stats = server.get("/v1/stats").json();
    assertThat(stats.getJsonObject("intercepted")).isEqualTo(new JsonObject().put("no_tenant", 7));
    assertThat(stats.getJsonObject("refused").getLong("intercepted")).isEqualTo(7);
    TestGateway.await(publisher.close());
  }

  @Test
  void linesOfAnUpload_areRefusedOneByOne() throws Exception {
    bus.intercept(
        event -> event.buffer().toString().contains("2") ? Intercepted.refuse("two") : event);
    Answer answer = server.post("/v1/events", "application/x-ndjson", "1\n2\n3\n2\n");
    assertThat(answer.status()).isEqualTo(202);
    assertThat(answer.json())
        .isEqualTo(
            new JsonObject()
                .put("accepted", 2)
                .put("rejected", 2)
                .put("reasons", new JsonObject().put("intercepted", 2)));
    assertCounted(Map.of("two", 2L), 2);
  }

  @Test
  void batch_losesOnlyTheRefused() {
    bus.intercept(
        event -> event.id() != null ? Intercepted.refuse("id") : RawEvent.of(event.buffer(), "k"));
    List<RawEvent> events = new ArrayList<>();
    for (int i = 0; i < 600; i++) {
      RawEvent.Builder event = RawEvent.builder(Buffer.buffer("e" + i));
      events.add(i % 3 == 0 ? event.id("i" + i).build() : event.build());
    }
    assertThat(bus.ingestBatch(events)).isEqualTo(new BatchIngestResult(400, 200, 0, 0));
    Awaitility.await().until(() -> sink.count() == 400);
    assertThat(sink.all()).allMatch(event -> "k".equals(event.key()));
    assertCounted(Map.of("id", 200L), 400);
    assertThatThrownBy(() -> bus.ingestBatch(Arrays.asList(RawEvent.of("1"), null)))
        .hasMessageContaining("events[1]");
    assertCounted(Map.of("id", 200L), 400);
  }

  @Test
  void interceptors_areCalledInOrderUntilOneRefuses() throws Exception {
    List<String> calls = new ArrayList<>();
    bus.intercept(
        event -> {
          calls.add("first " + event.buffer());
          return RawEvent.of("b");
        });
    Runnable remove =
        bus.intercept(
            event -> {
              calls.add("second " + event.buffer());
              return Intercepted.refuse("second");
            });
    bus.intercept(
        event -> {
          calls.add("third " + event.buffer());
          return event;
        });
    assertThat(bus.ingest(RawEvent.of("a")).refusal()).isEqualTo("second");
    remove.run();
    remove.run();
    assertThat(bus.ingest(RawEvent.of("a")).accepted()).isTrue();
    assertThat(calls).containsExactly("first a", "second b", "first a", "third b");
  }

  @Test
  void interceptorThatFails_refusesAndTheOthersStay() {
    Runnable throwing =
        bus.intercept(
            event -> {
              throw new StackOverflowError("deep");
            });
    assertThat(bus.ingest(RawEvent.of("a")).refusal()).isEqualTo("interceptor_failed");
    throwing.run();
    Runnable nullish = bus.intercept(event -> null);
    assertThat(bus.ingest(RawEvent.of("a")).refusal()).isEqualTo("interceptor_failed");
    assertThat(bus.ingestBatch(List.of(RawEvent.of("a"))).dropped()).isOne();
    nullish.run();
    Runnable wordless = bus.intercept(event -> Intercepted.refuse("not a word"));
    assertThat(bus.ingest(RawEvent.of("a")).refusal()).isEqualTo("interceptor_failed");
    wordless.run();
    assertThat(bus.ingest(RawEvent.of("a")).accepted()).isTrue();
    assertCounted(Map.of("interceptor_failed", 4L), 1);
  }

  @Test
  void eventThatWaitsForRoom_isInterceptedOnce() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    sink.fillRings(bus);
    long taken = bus.stats().total().accepted();
    bus.intercept(
        event -> {
          calls.incrementAndGet();
          return event;
        });
    Future<IngestResult> waits = bus.ingestAwait(RawEvent.of("waits"));
    Future<Void> streamed = bus.writeStream().write(RawEvent.of("waits"));
    EventBusPublisher publisher = EventBusPublisher.create(server.vertx);
    Future<Void> published = publisher.write(RawEvent.of("waits"));
    Awaitility.await().until(() -> bus.stats().waiting() == 3);
    sink.heal();
    TestGateway.await(Future.all(waits, streamed, published));
    assertThat(calls).hasValue(3);
    assertThat(bus.stats().total().accepted()).isEqualTo(taken + 3);
    TestGateway.await(publisher.close());
  }

  @Test
  void tooManyReasons_areCountedTogether() {
    AtomicInteger n = new AtomicInteger();
    bus.intercept(event -> Intercepted.refuse("r" + n.getAndIncrement()));
    for (int i = 0; i < 150; i++) {
      bus.ingest(RawEvent.of("1"));
    }
    Map<String, Long> reasons = bus.stats().refusals().intercepted();
    assertThat(reasons).hasSize(101).containsEntry("r99", 1L).containsEntry("other", 50L);
  }

  @Test
  void replayedDeadLetter_isNotInterceptedAgain() throws Exception {
    sink.fail(SinkException.permanentFailure("never"));
    bus.ingest(RawEvent.of("letter"));
    Awaitility.await().until(() -> bus.stats().deadLettersKept() == 1);
    sink.heal();
    refuseAll();
    DeadLetters.ReplayResult result = TestGateway.await(bus.replayDeadLetters());
    assertThat(result.delivered()).isOne();
  }
}
