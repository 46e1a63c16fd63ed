package io.shardbus.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.delivery.BatchOptions;
import io.shardbus.delivery.RetryOptions;
import io.shardbus.event.Batch;
import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.eventbus.EventBusConsumer;
import io.shardbus.testing.Batches;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import io.vertx.core.spi.tracing.SpanKind;
import io.vertx.core.spi.tracing.TagExtractor;
import io.vertx.core.spi.tracing.VertxTracer;
import io.vertx.core.tracing.TracingPolicy;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("once")
class EventBusSinkTest extends EventBusSinkFixture {

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

  @Test
  void sinkThatOpensTooLate_isClosedAgain() throws Exception {
    int before = vertx.deploymentIDs().size();
    Sink late =
        Sinks.create(
            new SinkOptions("eventbus").setConfig(new JsonObject().put("address", "late")));
    Future<Void> opened = late.open(new SinkContext(vertx, PRODUCER, null));
    get(late.close());
    get(opened);
    get(late.close()); // as the bus does
    assertThat(vertx.deploymentIDs()).hasSize(before);
  }

  @Test
  void batchThatCannotBeEncoded_failsAtOnce() {
    OutOfMemoryError cause = new OutOfMemoryError("of the test");
    Buffer starved =
        (Buffer)
            Proxy.newProxyInstance(
                Buffer.class.getClassLoader(),
                new Class<?>[] {Buffer.class},
                (proxy, method, arguments) -> {
                  if (method.getName().equals("length")) {
                    return 1;
                  }
                  throw cause;
                });
    List<ShardEvent> events = List.of(new ShardEvent(0, 0, 0, starved, null));
    Future<Void> write = sink.write(new Batch(0, 0, events, PRODUCER));
    await().until(write::failed);
    assertThat(write.cause()).isSameAs(cause);
  }

  /** As a clustered event bus does while the connection to a node that was killed breaks. */
  private static Vertx throwingIn(Set<String> operations) {
    return Vertx.builder()
        .withTracer(
            options ->
                new VertxTracer<Object, Object>() {
                  @Override
                  public <R> Object sendRequest(
                      Context context,
                      SpanKind kind,
                      TracingPolicy policy,
                      R request,
                      String operation,
                      BiConsumer<String, String> headers,
                      TagExtractor<R> tags) {
                    if (operations.contains(operation)) {
                      throw new IllegalStateException("Promise already completed");
                    }
                    return null;
                  }
                })
        .build();
  }

  @Test
  void eventBusThatThrows_keepsNoShardAndNoConsumer() throws Exception {
    Set<String> broken = ConcurrentHashMap.newKeySet();
    Vertx throwing = throwingIn(broken);
    Sink sink = open(throwing, new JsonObject().put("requestTimeout", "2s"));
    AtomicReference<Future<Void>> gate = new AtomicReference<>(Future.succeededFuture());
    EventBusConsumer consumer =
        get(
            EventBusConsumer.start(
                throwing,
                ADDRESS,
                1,
                batch -> {
                  received.take("a", batch);
                  return gate.get();
                }));
    get(writeUntilTaken(throwing, sink, batch(0, 0, 10)));
    broken.add("send");
    assertThat(failure(sink.write(batch(0, 10, 10)))).hasMessageContaining("already completed");
    broken.clear();
    get(sink.write(batch(0, 10, 10)));
    received.assertOnceInOrder(1, 20);
    Promise<Void> answer = Promise.promise();
    gate.set(answer.future());
    Future<Void> unanswered = sink.write(batch(0, 20, 10));
    await().until(() -> received.size() == 30);
    broken.addAll(Set.of("publish", "send"));
    Future<Void> stopped = consumer.stop();
    answer.complete();
    get(stopped);
    assertThat(failure(unanswered).kind()).isEqualTo(SinkException.Kind.TRANSIENT);
    broken.clear();
    get(sink.close());
    get(throwing.close());
  }
}
