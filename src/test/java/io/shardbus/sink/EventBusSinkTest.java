package io.shardbus.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.delivery.BatchOptions;
import io.shardbus.delivery.RetryOptions;
import io.shardbus.event.Batch;
import io.shardbus.event.ProducerId;
import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.eventbus.EventBusConsumer;
import io.shardbus.testing.Batches;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Promise;
import io.vertx.core.ThreadingModel;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.Message;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EventBusSinkTest {

  private static final String ADDRESS = "orders";
  private static final ProducerId PRODUCER = new ProducerId("test", 1);

  private Vertx vertx;
  private Sink sink;
  private final Received received = new Received();

  @BeforeEach
  void start() throws Exception {
    vertx = Vertx.vertx();
    sink = open(vertx, new JsonObject());
  }

  @AfterEach
  void stop() throws Exception {
    get(sink.close());
    get(vertx.close());
  }

  static Sink open(Vertx vertx, JsonObject config) throws Exception {
    Sink sink =
        Sinks.create(
            new SinkOptions("eventbus")
                .setConfig(
                    new JsonObject()
                        .put("address", ADDRESS)
                        .put("memberTimeout", "2s")
                        .mergeIn(config)));
    get(sink.open(new SinkContext(vertx, PRODUCER, null)));
    return sink;
  }

  static <T> T get(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
  }

  static Batch batch(int shard, int first, int count) {
    List<ShardEvent> events = new ArrayList<>();
    for (int i = first; i < first + count; i++) {
      events.add(new ShardEvent(shard, i, i, Buffer.buffer("{\"n\":" + i + "}"), null));
    }
    return new Batch(shard, first, events, PRODUCER);
  }

  /** Writes as the bus does: one batch at a time, and again after a failure that may pass. */
  static Future<Void> writeAll(Vertx vertx, Sink sink, int shard, int batches) {
    Future<Void> chain = Future.succeededFuture();
    for (int i = 0; i < batches; i++) {
      Batch next = batch(shard, i * 10, 10);
      chain = chain.compose(done -> writeUntilTaken(vertx, sink, next));
    }
    return chain;
  }

  static Future<Void> writeUntilTaken(Vertx vertx, Sink sink, Batch batch) {
    return sink.write(batch)
        .recover(
            failure ->
                ((SinkException) failure).kind() == SinkException.Kind.TRANSIENT
                    ? vertx
                        .timer(20, TimeUnit.MILLISECONDS)
                        .compose(later -> writeUntilTaken(vertx, sink, batch))
                    : Future.failedFuture(failure));
  }

  static Future<?> writeShards(Vertx vertx, Sink sink, int shards, int batches) {
    List<Future<Void>> all = new ArrayList<>();
    for (int shard = 0; shard < shards; shard++) {
      all.add(writeAll(vertx, sink, shard, batches));
    }
    return Future.all(all);
  }

  static SinkException failure(Future<Void> write) {
    await().atMost(30, TimeUnit.SECONDS).until(write::failed);
    return (SinkException) write.cause();
  }

  /** What consumers were given, in the order in which they were. */
  static final class Received {

    private final List<ShardEvent> events = new ArrayList<>();
    private final ConcurrentHashMap<Integer, Set<String>> consumersOfShard =
        new ConcurrentHashMap<>();

    synchronized Future<Void> take(String consumer, Batch batch) {
      events.addAll(batch.events());
      consumersOfShard
          .computeIfAbsent(batch.shard(), shard -> ConcurrentHashMap.newKeySet())
          .add(consumer);
      return Future.succeededFuture();
    }

    synchronized List<Long> sequences(int shard) {
      return events.stream().filter(e -> e.shard() == shard).map(ShardEvent::sequence).toList();
    }

    synchronized int size() {
      return events.size();
    }

    Set<String> consumers(int shard) {
      return consumersOfShard.getOrDefault(shard, Set.of());
    }

    void assertOnceInOrder(int shards, int count) {
      for (int shard = 0; shard < shards; shard++) {
        assertThat(sequences(shard)).isEqualTo(SinkContract.range(0, count));
      }
    }

    /** After faults events may come again, but the first time they come in order. */
    void assertFirstTimesInOrder(int shards, int count) {
      for (int shard = 0; shard < shards; shard++) {
        assertThat(sequences(shard).stream().distinct().toList())
            .isEqualTo(SinkContract.range(0, count));
      }
    }
  }

  private EventBusConsumer join(String name, int credits) throws Exception {
    return get(
        EventBusConsumer.start(vertx, ADDRESS, credits, batch -> received.take(name, batch)));
  }

  /** A consumer that says hello once and then is silent, as one whose machine died. */
  private List<Object> joinMute(String id) throws Exception {
    List<Object> got = new CopyOnWriteArrayList<>();
    joinBare(id, message -> got.add(message.body()));
    return got;
  }

  /** A consumer that speaks the protocol itself, but sends no heartbeats. */
  private void joinBare(String id, Handler<Message<Object>> handler) throws Exception {
    get(vertx.eventBus().consumer(ADDRESS + ".member." + id, handler).completion());
    vertx
        .eventBus()
        .publish(
            ADDRESS, new JsonObject().put("type", "hello").put("member", id).put("credits", 10));
  }

  @Test
  void events_comeOnceAndInOrderAndShardsStick() throws Exception {
    join("a", 2);
    join("b", 2);
    join("c", 1);
    get(writeShards(vertx, sink, 9, 50));
    received.assertOnceInOrder(9, 500);
    AtomicInteger[] owned = {new AtomicInteger(), new AtomicInteger(), new AtomicInteger()};
    for (int shard = 0; shard < 9; shard++) {
      assertThat(received.consumers(shard)).hasSize(1);
      owned[received.consumers(shard).iterator().next().charAt(0) - 'a'].incrementAndGet();
    }
    assertThat(owned).allSatisfy(count -> assertThat(count).hasValue(3));
  }

  @Test
  void consumerThatJoins_getsItsShare() throws Exception {
    join("a", 8);
    get(writeShards(vertx, sink, 8, 1));
    join("b", 8);
    await()
        .until(
            () -> {
              get(writeUntilTaken(vertx, sink, batch(100, 0, 1)));
              get(writeUntilTaken(vertx, sink, batch(101, 0, 1)));
              return received.consumers(100).contains("b") || received.consumers(101).contains("b");
            });
    for (int shard = 0; shard < 8; shard++) {
      get(sink.write(batch(shard, 10, 10)));
    }
    received.assertOnceInOrder(8, 20);
    long moved = 0;
    for (int shard = 0; shard < 8; shard++) {
      moved += received.consumers(shard).contains("b") ? 1 : 0;
    }
    assertThat(moved).isBetween(3L, 5L);
  }

  @Test
  void credits_boundTheBatchesInFlight() throws Exception {
    Sink second = open(vertx, new JsonObject());
    AtomicInteger inFlight = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    get(
        EventBusConsumer.start(
            vertx,
            ADDRESS,
            3,
            batch -> {
              most.accumulateAndGet(inFlight.incrementAndGet(), Math::max);
              return vertx
                  .timer(5, TimeUnit.MILLISECONDS)
                  .compose(
                      done -> {
                        inFlight.decrementAndGet();
                        return received.take("slow", batch);
                      });
            }));
    List<Future<?>> all = new ArrayList<>();
    for (int shard = 0; shard < 12; shard++) {
      all.add(writeAll(vertx, shard < 6 ? sink : second, shard, 10));
    }
    get(Future.all(all));
    received.assertOnceInOrder(12, 100);
    assertThat(most).hasValue(3);
    get(second.close());
  }

  @Test
  void noConsumer_isTransientUntilOneComes() throws Exception {
    SinkException none = failure(sink.write(batch(0, 0, 10)));
    assertThat(none.kind()).isEqualTo(SinkException.Kind.TRANSIENT);
    assertThat(none).hasMessage("no consumer at address orders");
    Future<?> writing = writeShards(vertx, sink, 2, 5);
    EventBusConsumer consumer = join("a", 1);
    get(writing);
    received.assertOnceInOrder(2, 50);
    get(consumer.stop());
    assertThat(failure(sink.write(batch(0, 50, 10))).kind())
        .isEqualTo(SinkException.Kind.TRANSIENT);
  }

  @Test
  void failures_reachTheCallerByTheirKind() throws Exception {
    get(
        EventBusConsumer.start(
            vertx,
            ADDRESS,
            8,
            batch ->
                switch (batch.shard()) {
                  case 0 -> Future.failedFuture(SinkException.permanentFailure("it is poisonous"));
                  case 1 -> Future.failedFuture(SinkException.transientFailure("not now"));
                  case 2 -> Future.failedFuture("of a kind of its own");
                  default -> throw new IllegalStateException("it threw");
                }));
    await().until(() -> failure(sink.write(batch(9, 0, 1))).getMessage().contains("threw"));
    String[] messages = {"it is poisonous", "not now", "of a kind of its own", "it threw"};
    for (int shard = 0; shard < messages.length; shard++) {
      SinkException failure = failure(sink.write(batch(shard, 0, 10)));
      assertThat(failure).hasMessageContaining(messages[shard]);
      assertThat(failure.kind())
          .isEqualTo(shard == 0 ? SinkException.Kind.PERMANENT : SinkException.Kind.TRANSIENT);
    }
  }

  @Test
  void partialFailures_keepTheirIndexesAndKind() throws Exception {
    BitSet some = new BitSet();
    some.set(0);
    some.set(3, 6);
    some.set(9);
    BitSet beyond = new BitSet();
    beyond.set(10);
    get(
        EventBusConsumer.start(
            vertx,
            ADDRESS,
            8,
            batch ->
                Future.failedFuture(
                    switch (batch.shard()) {
                      case 0 -> SinkException.partial(some, new IllegalStateException("no room"));
                      case 1 ->
                          SinkException.partial(some, SinkException.permanentFailure("too odd"));
                      case 2 ->
                          SinkException.partial(beyond, SinkException.permanentFailure("unknown"));
                      default -> SinkException.transientFailure("awake");
                    })));
    await().until(() -> failure(sink.write(batch(9, 0, 1))).getMessage().contains("awake"));
    SinkException passing = failure(sink.write(batch(0, 0, 10)));
    assertThat(passing.kind()).isEqualTo(SinkException.Kind.PARTIAL);
    assertThat(passing.failed()).isEqualTo(some);
    assertThat(passing.isForGood()).isFalse();
    assertThat(passing).hasMessageContaining("no room").hasMessageContaining("consumer");
    SinkException forGood = failure(sink.write(batch(1, 0, 10)));
    assertThat(forGood.failed()).isEqualTo(some);
    assertThat(forGood.isForGood()).isTrue();
    assertThat(forGood).hasMessageContaining("too odd");
    SinkException unbelievable = failure(sink.write(batch(2, 0, 10)));
    assertThat(unbelievable.kind()).isEqualTo(SinkException.Kind.TRANSIENT);
  }

  /** Else the order of the key would be lost. */
  @Test
  void laterEventsOfAKey_comeAgainWithTheOneThatFailed() throws Exception {
    BitSet first = new BitSet();
    first.set(0);
    get(
        EventBusConsumer.start(
            vertx,
            ADDRESS,
            1,
            batch -> Future.failedFuture(SinkException.partial(first, new Exception("no room")))));
    Batch batch = Batches.withKeys("a", "b", "a", null);
    await().until(() -> failure(sink.write(batch)).kind() == SinkException.Kind.PARTIAL);
    assertThat(failure(sink.write(batch)).failed().stream()).containsExactly(0, 2);
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void handlerThatGivesNoFuture_keepsNoCredit(boolean throwsError) throws Exception {
    AtomicInteger calls = new AtomicInteger();
    get(
        EventBusConsumer.start(
            vertx,
            ADDRESS,
            1,
            batch -> {
              if (calls.incrementAndGet() > 1) {
                return Future.succeededFuture();
              }
              if (throwsError) {
                throw new AssertionError("the handler failed");
              }
              return null;
            }));
    await().until(() -> !failure(sink.write(batch(0, 0, 1))).getMessage().contains("no consumer"));
    assertThat(calls).hasValue(1);
    get(sink.write(batch(0, 0, 1)));
    assertThat(calls).hasValue(2);
  }

  @Test
  void silentConsumer_losesItsBatchesToAnother() throws Exception {
    List<Object> got = joinMute("mute");
    Future<?> writing = writeShards(vertx, sink, 4, 20);
    await().until(() -> got.size() == 4);
    join("a", 1);
    get(writing);
    received.assertOnceInOrder(4, 200);
    assertThat(got).hasSize(4);
  }

  @Test
  void consumerThatCannotBeReached_isPassedOver() throws Exception {
    vertx
        .eventBus()
        .publish(
            ADDRESS,
            new JsonObject().put("type", "hello").put("member", "ghost").put("credits", 10));
    join("a", 1);
    get(writeShards(vertx, sink, 4, 20));
    received.assertOnceInOrder(4, 200);
  }

  @Test
  void consumerThatTakesTooLong_losesTheShard() throws Exception {
    get(sink.close());
    sink = open(vertx, new JsonObject().put("requestTimeout", "2s"));
    List<Object> got = joinMute("mute");
    Future<Void> writing = writeAll(vertx, sink, 0, 20);
    await().until(() -> !got.isEmpty());
    join("a", 1);
    get(writing);
    received.assertOnceInOrder(1, 200);
  }

  /** As the one that owns the fewest it would get back what was taken from it. */
  @Test
  void consumerThatHangs_getsNoShardBack() throws Exception {
    get(sink.close());
    sink = open(vertx, new JsonObject().put("requestTimeout", "4s"));
    Promise<Void> hang = Promise.promise();
    AtomicInteger given = new AtomicInteger();
    get(
        EventBusConsumer.start(
            vertx,
            ADDRESS,
            2,
            batch -> {
              given.incrementAndGet();
              return hang.future();
            }));
    join("a", 4);
    get(writeShards(vertx, sink, 4, 20));
    // Each shard that was with it has lost one request's time, and no more.
    assertThat(given.get()).isBetween(1, 4);
    received.assertOnceInOrder(4, 200);
    hang.complete();
    await()
        .atMost(30, TimeUnit.SECONDS)
        .until(
            () -> {
              for (int shard = 10; shard < 14; shard++) {
                get(writeUntilTaken(vertx, sink, batch(shard, given.get() * 1_000, 1)));
              }
              return given.get() > 4; // it answers again, and has its share
            });
  }

  @Test
  void consumerThatStops_finishesWhatItHas() throws Exception {
    Promise<Void> go = Promise.promise();
    AtomicInteger running = new AtomicInteger();
    EventBusConsumer leaving =
        get(
            EventBusConsumer.start(
                vertx,
                ADDRESS,
                2,
                batch -> {
                  running.incrementAndGet();
                  return go.future().compose(done -> received.take("leaving", batch));
                }));
    Future<?> writing = writeShards(vertx, sink, 4, 10);
    await().until(() -> running.get() == 2);
    Future<Void> stopped = leaving.stop();
    join("a", 4);
    await().until(() -> received.sequences(0).size() + received.sequences(3).size() >= 100);
    assertThat(stopped.isComplete()).isFalse();
    go.complete();
    get(stopped);
    get(writing);
    received.assertOnceInOrder(4, 100);
    assertThat(running).hasValue(2);
  }

  /** A verticle whose consumer never answers. */
  private static final class Stuck extends VerticleBase {

    private final AtomicInteger running;

    Stuck(AtomicInteger running) {
      this.running = running;
    }

    @Override
    public Future<?> start() {
      return EventBusConsumer.start(
          vertx,
          ADDRESS,
          10,
          batch -> {
            running.incrementAndGet();
            return Promise.<Void>promise().future();
          });
    }
  }

  @Test
  void consumerWhoseVerticleGoes_handsBackAtOnce() throws Exception {
    AtomicInteger running = new AtomicInteger();
    String deployment = get(vertx.deployVerticle(new Stuck(running)));
    Future<?> writing = writeShards(vertx, sink, 4, 10);
    await().until(() -> running.get() == 4);
    join("a", 1);
    get(vertx.undeploy(deployment));
    get(writing);
    received.assertFirstTimesInOrder(4, 100);
  }

  @Test
  void handler_runsOnTheContextOfItsVerticle() throws Exception {
    Set<String> threads = ConcurrentHashMap.newKeySet();
    get(
        vertx.deployVerticle(
            new VerticleBase() {
              @Override
              public Future<?> start() {
                return EventBusConsumer.start(
                    vertx,
                    ADDRESS,
                    4,
                    batch -> {
                      threads.add(Thread.currentThread().getName());
                      return received.take("worker", batch);
                    });
              }
            },
            new DeploymentOptions().setThreadingModel(ThreadingModel.WORKER)));
    get(writeShards(vertx, sink, 4, 10));
    received.assertOnceInOrder(4, 100);
    assertThat(threads).allSatisfy(name -> assertThat(name).contains("worker"));
  }

  @Test
  void repeatedWrite_sharesTheAnswerOfTheOneUnderWay() throws Exception {
    Promise<Void> go = Promise.promise();
    AtomicInteger running = new AtomicInteger();
    get(
        EventBusConsumer.start(
            vertx,
            ADDRESS,
            8,
            batch -> {
              running.incrementAndGet();
              return go.future().compose(done -> received.take("a", batch));
            }));
    Future<Void> first = writeUntilTaken(vertx, sink, batch(0, 0, 10));
    await().until(() -> running.get() == 1);
    Future<Void> second = sink.write(batch(0, 0, 10));
    Future<Void> other = sink.write(batch(0, 10, 10));
    go.complete();
    get(Future.all(first, second, other));
    received.assertOnceInOrder(1, 20);
  }

  @Test
  void bus_keepsEventsUntilAConsumerComesAndLosesNone() throws Exception {
    ShardBusOptions options =
        new ShardBusOptions()
            .setShards(3)
            .setSink(
                new SinkOptions("eventbus").setConfig(new JsonObject().put("address", ADDRESS)));
    ShardBus bus = get(ShardBus.start(vertx, options));
    for (int i = 0; i < 10_000; i++) {
      assertThat(bus.ingest(RawEvent.of("{\"n\":" + i + "}")).accepted()).isTrue();
    }
    AtomicInteger refusals = new AtomicInteger();
    get(
        EventBusConsumer.start(
            vertx,
            ADDRESS,
            2,
            batch ->
                refusals.incrementAndGet() % 3 == 1
                    ? Future.failedFuture("busy")
                    : received.take("a", batch)));
    EventBusConsumer leaving = join("b", 1);
    await().until(() -> bus.stats().total().delivered() > 0);
    get(leaving.stop());
    get(bus.flush());
    int count = 0;
    for (int shard = 0; shard < 3; shard++) {
      int ofShard = received.sequences(shard).size();
      assertThat(received.sequences(shard)).isEqualTo(SinkContract.range(0, ofShard));
      count += ofShard;
    }
    assertThat(count).isEqualTo(10_000);
    get(bus.close());
  }

  /** What is on the wire, for consumers of other languages and versions. */
  @Test
  void partialFailures_areCodesAndIndexesInText() throws Exception {
    joinBare("bare", message -> message.fail(5, "1,3-4 no room"));
    SinkException failure = failure(writeUntilTaken(vertx, sink, batch(0, 0, 10)));
    assertThat(failure.failed().stream()).containsExactly(1, 3, 4);
    assertThat(failure.isForGood()).isTrue();
    assertThat(failure).hasMessageContaining("consumer bare: no room");
  }

  @Test
  void bus_writesOnlyThoseAgainThatAConsumerRefused() throws Exception {
    PartialTaker some = new PartialTaker(batch -> received.take("a", batch));
    get(EventBusConsumer.start(vertx, ADDRESS, 4, some::take));
    ShardBus bus =
        get(
            ShardBus.start(
                vertx,
                new ShardBusOptions()
                    .setShards(2)
                    .setBatch(new BatchOptions().setMinSize(10).setMaxSize(50))
                    .setDelivery(new RetryOptions().setInitialBackoff(Duration.ofMillis(5)))
                    .setSink(
                        new SinkOptions("eventbus")
                            .setConfig(new JsonObject().put("address", ADDRESS)))));
    for (int i = 0; i < 2_000; i++) {
      assertThat(bus.ingest(RawEvent.of("" + i)).accepted()).isTrue();
    }
    get(bus.flush());
    for (int shard = 0; shard < 2; shard++) {
      assertThat(received.sequences(shard)).isSorted().doesNotHaveDuplicates();
    }
    assertThat(received.size()).isEqualTo(1_980);
    assertThat(get(bus.deadLetters().list(0, 100)))
        .hasSize(20)
        .allSatisfy(
            kept -> {
              assertThat(kept.letter().event()).matches(PartialTaker::isPoison);
              assertThat(kept.letter().cause()).contains("ends with " + PartialTaker.POISON);
            });
    get(bus.close());
  }

  @Test
  void close_completesWhatIsUnderWay() throws Exception {
    Promise<Void> go = Promise.promise();
    AtomicInteger running = new AtomicInteger();
    get(
        EventBusConsumer.start(
            vertx,
            ADDRESS,
            2,
            batch -> {
              running.incrementAndGet();
              return go.future().compose(done -> received.take("a", batch));
            }));
    List<Future<Void>> writes = new ArrayList<>();
    writes.add(writeUntilTaken(vertx, sink, batch(0, 0, 10)));
    await().until(() -> running.get() == 1);
    for (int shard = 1; shard < 5; shard++) {
      writes.add(sink.write(batch(shard, 0, 10)));
    }
    await().until(() -> running.get() == 2);
    Future<Void> closed = sink.close();
    for (int shard = 2; shard < 5; shard++) {
      assertThat(failure(writes.get(shard))).hasMessageContaining("closed");
    }
    assertThat(closed.isComplete()).isFalse();
    assertThat(failure(sink.write(batch(7, 0, 10)))).hasMessageContaining("closed");
    go.complete();
    get(closed);
    get(Future.all(writes.get(0), writes.get(1)));
    get(sink.close());
  }

  @Test
  void messagesOfOthers_areIgnored() throws Exception {
    for (Object junk :
        new Object[] {
          "x",
          new JsonObject(),
          new JsonObject().put("type", "hello").put("member", 3),
          new JsonObject().put("type", "hello").put("member", "m").put("credits", 0),
          new JsonObject().put("type", "hello").put("member", "m").put("credits", "many"),
          new JsonObject().put("type", 7).put("member", "m")
        }) {
      vertx.eventBus().publish(ADDRESS, junk);
    }
    join("a", 1);
    get(writeShards(vertx, sink, 2, 5));
    received.assertOnceInOrder(2, 50);
  }
}
