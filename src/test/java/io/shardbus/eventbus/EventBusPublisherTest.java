package io.shardbus.eventbus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.event.Ack;
import io.shardbus.event.NotDeliveredException;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.sink.SinkException;
import io.shardbus.testing.Source;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.Message;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Tag("once")
class EventBusPublisherTest {

  private Vertx vertx;
  private final RecordingSink sink = new RecordingSink();

  @BeforeEach
  void start() {
    vertx = Vertx.vertx();
  }

  @AfterEach
  void stop() throws Exception {
    await(vertx.close());
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private static ShardBusOptions small() {
    ShardBusOptions options = new ShardBusOptions().setShards(2).setRingCapacity(1024);
    options.getBatch().setMinSize(1).setMaxSize(200);
    return options;
  }

  private ShardBus bus(RecordingSink into) throws Exception {
    return await(ShardBus.start(vertx, small(), into));
  }

  private EventBusPublisher publisher(EventBusPublisherOptions options) {
    return EventBusPublisher.create(vertx, options);
  }

  private static void assertReason(Future<?> future, Outcome reason) {
    assertThatThrownBy(() -> await(future))
        .cause()
        .isInstanceOfSatisfying(
            NotDeliveredException.class, e -> assertThat(e.reason()).isEqualTo(reason));
  }

  @Test
  void eventThatIsNull_leavesNoTrace() throws Exception {
    bus(sink);
    EventBusPublisher publisher = publisher(new EventBusPublisherOptions());
    assertThatThrownBy(() -> publisher.write(null)).isInstanceOf(NullPointerException.class);
    await(publisher.write(RawEvent.of("one")));
    await(publisher.end());
  }

  @Test
  void events_keepBytesKeyHashAndOrder() throws Exception {
    ShardBus bus = bus(sink);
    EventBusPublisher publisher =
        publisher(new EventBusPublisherOptions().setAck(Ack.DELIVERED).setBatchEvents(3));
    byte[] anything = {0, '\n', -1, 13};
    List<Future<Void>> written = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      written.add(publisher.write(RawEvent.of(Buffer.buffer(anything).appendInt(i), "kéy")));
    }
    written.add(publisher.write(RawEvent.ofHash(Buffer.buffer("hash"), -1)));
    written.add(publisher.write(RawEvent.ofHash(Buffer.buffer(), 0)));
    await(Future.all(written));
    int keyed = bus.shards().selectShardByHash(RawEvent.of(Buffer.buffer(), "kéy").hash());
    List<ShardEvent> got =
        sink.ofShard(keyed).stream().filter(event -> event.key() != null).toList();
    for (int i = 0; i < 10; i++) {
      assertThat(got.get(i).payload()).isEqualTo(Buffer.buffer(anything).appendInt(i));
      assertThat(got.get(i).key()).isEqualTo("kéy");
    }
    assertThat(sink.ofShard(1).get(sink.ofShard(1).size() - 1).payload().toString())
        .isEqualTo("hash");
    assertThat(sink.count()).isEqualTo(12);
    await(publisher.close());
    assertThatThrownBy(() -> await(publisher.write(RawEvent.of("late"))))
        .hasMessageContaining("has ended");
  }

  @ParameterizedTest
  @CsvSource({"ACCEPTED", "DELIVERED"})
  void stalledSink_makesThePublisherWait(Ack ack) throws Exception {
    AtomicReference<Promise<Void>> gate = new AtomicReference<>(Promise.promise());
    sink.behave(batch -> gate.get().future());
    ShardBus bus = bus(sink);
    Source source = new Source("a", 30_000);
    Future<Void> done =
        source.pumpInto(
            vertx,
            publisher(
                new EventBusPublisherOptions()
                    .setAck(ack)
                    .setMaxInFlightEvents(1000)
                    .setBatchEvents(100)));
    for (int stall = 0; stall < 3; stall++) {
      AtomicReference<Integer> before = new AtomicReference<>(-1);
      Awaitility.await()
          .pollInterval(Duration.ofMillis(200))
          .until(() -> before.getAndSet(source.written()) == source.written());
      assertThat(source.written()).isLessThan(30_000);
      Promise<Void> open = gate.get();
      gate.set(Promise.promise());
      open.complete();
    }
    gate.get().complete();
    sink.heal();
    await(done);
    await(bus.flush());
    source.assertTruthful(sink);
    assertThat(source.reasons()).isEmpty();
    assertThat(source.maxUnsettled()).isLessThanOrEqualTo(1000);
    assertThat(sink.count()).isEqualTo(30_000);
  }

  @Test
  void flood_ofAMillionEventsArrivesOnceInOrder() throws Exception {
    ShardBus bus = await(ShardBus.start(vertx, new ShardBusOptions().setShards(2), sink));
    Source source = new Source("f", 1_000_000);
    await(source.pumpInto(vertx, EventBusPublisher.create(vertx)));
    await(bus.flush());
    source.assertTruthful(sink);
    assertThat(source.reasons()).isEmpty();
    assertThat(sink.count()).isEqualTo(1_000_000);
    assertThat(source.maxUnsettled())
        .isLessThanOrEqualTo(EventBusPublisherOptions.DEFAULT_MAX_IN_FLIGHT_EVENTS);
  }

  @Test
  void twoPublishers_shareABusThatIsFull() throws Exception {
    sink.behave(batch -> Future.future(done -> vertx.setTimer(1, timer -> done.complete())));
    ShardBus bus = bus(sink);
    Source one = new Source("one", 20_000);
    Source two = new Source("two", 20_000);
    await(
        Future.all(
            one.pumpInto(vertx, EventBusPublisher.create(vertx)),
            two.pumpInto(vertx, EventBusPublisher.create(vertx))));
    await(bus.flush());
    one.assertTruthful(sink);
    two.assertTruthful(sink);
    assertThat(sink.count()).isEqualTo(40_000);
    assertThat(bus.stats().total().backpressure()).isZero();
  }

  @Test
  void busThatCloses_leavesNothingUntold() throws Exception {
    Promise<Void> gate = Promise.promise();
    sink.behave(batch -> sink.count() < 10_000 ? Future.succeededFuture() : gate.future());
    ShardBus bus = bus(sink);
    Source source = new Source("a", 24_000);
    Future<Void> done =
        source.pumpInto(
            vertx, publisher(new EventBusPublisherOptions().setTimeout(Duration.ofSeconds(8))));
    Awaitility.await().until(() -> sink.count() >= 10_000);
    // The rings cannot hold all of the rest: some of it meets a bus that is closing.
    Future<Void> closed = bus.close();
    Awaitility.await().until(() -> bus.shards().isClosed());
    gate.complete();
    await(closed);
    await(done);
    source.assertTruthful(sink);
    assertThat(source.reasons().keySet())
        .isNotEmpty()
        .isSubsetOf(Outcome.CLOSED, Outcome.NO_BUS, Outcome.UNKNOWN);
  }

  @Test
  void nextBus_getsWhatTheClosedOneDidNotTake() throws Exception {
    Promise<Void> gate = Promise.promise();
    sink.behave(batch -> sink.count() < 10_000 ? Future.succeededFuture() : gate.future());
    ShardBus bus = bus(sink);
    Source source = new Source("a", 100_000);
    Future<Void> done = source.pumpInto(vertx, EventBusPublisher.create(vertx));
    Awaitility.await().until(() -> sink.count() >= 10_000);
    // The rings cannot hold all of the rest.
    Future<Void> closed = bus.close();
    Awaitility.await().until(() -> bus.shards().isClosed());
    gate.complete();
    await(closed);
    RecordingSink next = new RecordingSink();
    ShardBus second = bus(next);
    await(done);
    await(second.flush());
    source.assertTruthful(sink, next);
    assertThat(source.reasons()).isEmpty();
    assertThat(sink.count() + next.count()).isEqualTo(100_000);
    assertThat(next.count()).isPositive();
  }

  @Test
  void busThatComesLate_isFound() throws Exception {
    Source source = new Source("a", 5_000);
    Future<Void> done = source.pumpInto(vertx, EventBusPublisher.create(vertx));
    Awaitility.await().until(() -> source.written() == 5_000);
    assertThat(source.settled()).isZero();
    ShardBus bus = bus(sink);
    await(done);
    await(bus.flush());
    source.assertTruthful(sink);
    assertThat(source.reasons()).isEmpty();
  }

  @Test
  void noBus_failsInTime() throws Exception {
    EventBusPublisher publisher =
        publisher(new EventBusPublisherOptions().setTimeout(Duration.ofMillis(50)));
    List<Throwable> told = new ArrayList<>();
    publisher.exceptionHandler(told::add);
    assertReason(publisher.write(RawEvent.of("x")), Outcome.NO_BUS);
    await(publisher.end());
    Awaitility.await().until(() -> told.size() == 1);
  }

  @Test
  void fullBus_failsInTimeAndLetsInNothingLater() throws Exception {
    sink.hang();
    ShardBus bus = bus(sink);
    Source source = new Source("a", 5_000);
    Future<Void> done =
        source.pumpInto(
            vertx,
            publisher(
                new EventBusPublisherOptions()
                    .setTimeout(Duration.ofSeconds(6))
                    .setMaxInFlightEvents(10_000)));
    await(done);
    assertThat(source.reasons().get(Outcome.BACKPRESSURE)).isBetween(1_000, 4_000);
    sink.heal();
    await(bus.flush());
    source.assertTruthful(sink);
  }

  @Test
  void refusalsForGood_areTold() throws Exception {
    sink.behave(
        batch ->
            batch.events().stream().anyMatch(event -> event.payload().length() == 3)
                ? Future.failedFuture(SinkException.permanentFailure("not that"))
                : Future.succeededFuture());
    await(ShardBus.start(vertx, small().setMaxEventBytes(10), sink));
    EventBusPublisher publisher =
        publisher(new EventBusPublisherOptions().setAck(Ack.DELIVERED).setMaxInFlightBytes(1000));
    Future<Void> good = publisher.write(RawEvent.of("good"));
    Future<Void> large = publisher.write(RawEvent.of("x".repeat(1_000)));
    Future<Void> bad = publisher.write(RawEvent.of("bad"));
    await(good);
    assertReason(large, Outcome.TOO_LARGE);
    assertReason(bad, Outcome.DEAD_LETTERED);
    await(publisher.write(RawEvent.of("fine")));
  }

  @Test
  void writesThatIgnoreFlowControl_areBounded() throws Exception {
    EventBusPublisher publisher =
        publisher(new EventBusPublisherOptions().setMaxInFlightEvents(10).setBatchEvents(4));
    List<Future<Void>> written = new ArrayList<>();
    for (int i = 0; i < 25; i++) {
      written.add(publisher.write(RawEvent.of("" + i)));
    }
    for (int i = 20; i < 25; i++) {
      assertReason(written.get(i), Outcome.BACKPRESSURE);
    }
    bus(sink);
    await(Future.all(written.subList(0, 20)));
  }

  /** Between publisher and bus: loses requests and replies, and is late. */
  private void lossyProxy(String address, Random random) {
    AtomicReference<String> router = new AtomicReference<>();
    vertx
        .eventBus()
        .<Buffer>consumer(address + ".batches", message -> forward(message, router.get(), random));
    vertx
        .eventBus()
        .<Object>consumer(
            address,
            message ->
                vertx
                    .eventBus()
                    .<JsonObject>request("shardbus.ingest", null, headers(message))
                    .onSuccess(
                        reply -> {
                          router.set(reply.body().getString("address"));
                          message.reply(new JsonObject().put("address", address + ".batches"));
                        }));
  }

  private static DeliveryOptions headers(Message<?> message) {
    return new DeliveryOptions().setHeaders(message.headers());
  }

  private void forward(Message<Buffer> message, String router, Random random) {
    if (random.nextInt(60) == 0) {
      return;
    }
    Future<Message<Buffer>> answer =
        vertx.eventBus().request(router, message.body(), headers(message));
    if (random.nextInt(60) == 0) {
      return;
    }
    answer
        .onSuccess(
            reply -> vertx.setTimer(1 + random.nextInt(3), late -> message.reply(reply.body())))
        .onFailure(
            e -> message.fail(((ReplyException) e).failureCode(), String.valueOf(e.getMessage())));
  }

  @Test
  void lostMessages_neitherLoseNorDoubleNorReorderEvents() throws Exception {
    ShardBus bus = bus(sink);
    lossyProxy("lossy", new Random(3));
    Source source = new Source("a", 30_000);
    await(
        source.pumpInto(
            vertx,
            publisher(
                new EventBusPublisherOptions()
                    .setAddress("lossy")
                    .setBatchEvents(100)
                    .setMaxInFlightEvents(1_000)
                    .setTimeout(Duration.ofSeconds(8)))));
    await(bus.flush());
    source.assertTruthful(sink);
    assertThat(source.reasons()).isEmpty();
    assertThat(sink.count()).isEqualTo(30_000);
  }

  @Test
  void answerThatIsThereAtTheDeadline_isAskedFor() throws Exception {
    Duration timeout = Duration.ofSeconds(6);
    long start = System.nanoTime();
    vertx
        .eventBus()
        .<Object>consumer(
            "slow", message -> message.reply(new JsonObject().put("address", "slow.batches")));
    vertx
        .eventBus()
        .<Buffer>consumer(
            "slow.batches",
            message -> {
              if (message.headers().contains("ask")) {
                message.reply(null);
              } else if (System.nanoTime() - start > timeout.toNanos()) {
                message.reply(Buffer.buffer(new byte[] {Outcome.DEAD_LETTERED.wireByte()}));
              }
            });
    EventBusPublisher publisher =
        publisher(new EventBusPublisherOptions().setAddress("slow").setTimeout(timeout));
    assertReason(publisher.write(RawEvent.of("x")), Outcome.DEAD_LETTERED);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"batch\":1}|unknown option \"batch\"",
        "{\"address\":\" \"}|address: must not be empty",
        "{\"ack\":\"perhaps\"}|[none, accepted, delivered]",
        "{\"ack\":\"none\"}|ack: none must be accepted or delivered",
        "{\"maxInFlightEvents\":0}|maxInFlightEvents: 0 must be 1 to 1000000",
        "{\"maxInFlightBytes\":-1}|maxInFlightBytes: -1 must be 1 to 1073741824",
        "{\"batchEvents\":65537}|batchEvents: 65537 must be 1 to 65536",
        "{\"batchBytes\":0}|batchBytes: 0 must be 1 to 1073741824",
        "{\"timeout\":\"1ms\"}|timeout: 1ms must be 10ms to 1d"
      })
  void badOptions_areNamed(String json, String says) {
    assertThatThrownBy(() -> new EventBusPublisherOptions(new JsonObject(json)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(says);
  }
}
