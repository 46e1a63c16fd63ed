package io.shardbus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.delivery.WaitingRoom;
import io.shardbus.event.IngestResult;
import io.shardbus.event.NotDeliveredException;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.shard.ScalingPolicy;
import io.shardbus.sink.SinkException;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.streams.WriteStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Waiting for room: in order, in time, and never without an end. */
class IngestAwaitTest {

  private static final int CAPACITY = 1024;

  private Vertx vertx;
  private ShardBus bus;
  private final RecordingSink sink = new RecordingSink();

  @BeforeEach
  void start() throws Exception {
    vertx = Vertx.vertx();
  }

  @AfterEach
  void stop() throws Exception {
    sink.heal();
    await(bus.close());
    await(vertx.close());
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(20, TimeUnit.SECONDS);
  }

  private void start(int shards) throws Exception {
    ShardBusOptions options =
        new ShardBusOptions()
            .setShards(shards)
            .setRingCapacity(CAPACITY)
            .setScaling(ScalingPolicy.defaults(8).setAutoScale(false));
    options.getBatch().setMinSize(1).setMaxSize(10);
    bus = await(ShardBus.start(vertx, options, sink));
  }

  private static RawEvent event(String text, String key) {
    return RawEvent.of(Buffer.buffer(text), key);
  }

  private void assertReason(Future<?> future, Outcome reason) {
    assertThatThrownBy(() -> await(future))
        .cause()
        .isInstanceOfSatisfying(
            NotDeliveredException.class, e -> assertThat(e.reason()).isEqualTo(reason));
  }

  private void assertBalanced() {
    var total = bus.stats().total();
    assertThat(total.accepted())
        .isEqualTo(total.delivered() + total.pendingInRing() + total.inFlight());
    assertThat(sink.faults()).isEmpty();
  }

  @Test
  void deadline_failsAndTheEventNeverGetsIn() throws Exception {
    start(1);
    sink.fillRings(bus);
    long refused = bus.stats().total().backpressure();
    Future<IngestResult> late = bus.ingestAwait(event("late", "k"), Duration.ofMillis(20));
    Future<IngestResult> patient = bus.ingestAwait(event("patient", "k"), Duration.ofDays(99_999));
    assertReason(late, Outcome.BACKPRESSURE);
    assertReason(bus.ingestAwait(event("at once", "k"), Duration.ZERO), Outcome.BACKPRESSURE);
    assertThat(bus.stats().total().backpressure()).isEqualTo(refused + 2);
    assertThat(patient.isComplete()).isFalse();
    sink.heal();
    assertThat(await(patient).accepted()).isTrue();
    await(bus.flush());
    assertThat(sink.all().stream().map(e -> e.payload().toString()))
        .contains("patient")
        .doesNotContain("late", "at once");
    assertBalanced();
  }

  @Test
  void deadlineAgainstRoom_eachEventIsInOrRefusedNeverBoth() throws Exception {
    start(2);
    Random random = new Random(7);
    Map<String, Future<IngestResult>> results = new HashMap<>();
    for (int round = 0; round < 15; round++) {
      sink.fillRings(bus);
      for (int i = 0; i < 400; i++) {
        String text = round + ":" + i;
        Duration patience =
            i % 10 == 0 ? Duration.ofMinutes(1) : Duration.ofMillis(1 + random.nextInt(20));
        results.put(text, bus.ingestAwait(event(text, "a"), patience));
      }
      vertx.setTimer(1 + random.nextInt(20), timer -> sink.heal());
      await(Future.join(new ArrayList<>(results.values())).otherwiseEmpty());
    }
    await(bus.flush());
    Map<String, Integer> delivered = new HashMap<>();
    sink.all().forEach(e -> delivered.merge(e.payload().toString(), 1, Integer::sum));
    int accepted = 0;
    for (var each : results.entrySet()) {
      accepted += each.getValue().succeeded() ? 1 : 0;
      assertThat(delivered.getOrDefault(each.getKey(), 0))
          .as(each.getKey())
          .isEqualTo(each.getValue().succeeded() ? 1 : 0);
    }
    assertThat(accepted).as("both happened").isBetween(1, results.size() - 1);
    assertBalanced();
  }

  @Test
  void callers_areServedInTurn() throws Exception {
    start(1);
    sink.fillRings(bus);
    List<String> asked = new ArrayList<>();
    List<Future<IngestResult>> results = new ArrayList<>();
    WriteStream<RawEvent> stream = bus.writeStream();
    for (int i = 0; i < 3_000; i++) {
      String text = (i % 3) + ":" + i;
      asked.add(text);
      switch (i % 3) {
        case 0 -> results.add(bus.ingestAwait(event(text, "a" + i)));
        case 1 -> results.add(bus.ingestAwait(event(text, "b" + i), Duration.ofMinutes(1)));
        default -> stream.write(event(text, "c" + i));
      }
    }
    sink.heal();
    await(Future.all(results));
    await(stream.end());
    await(bus.flush());
    assertThat(
            sink.ofShard(0).stream()
                .map(e -> e.payload().toString())
                .filter(text -> !text.equals("fill")))
        .containsExactlyElementsOf(asked);
  }

  @Test
  void waiting_isBounded() throws Exception {
    start(1);
    sink.fillRings(bus);
    List<Future<IngestResult>> results = new ArrayList<>();
    for (int i = 0; i < WaitingRoom.MAX_WAITING + 10; i++) {
      results.add(bus.ingestAwait(RawEvent.of("w" + i)));
    }
    for (int i = WaitingRoom.MAX_WAITING; i < results.size(); i++) {
      assertRefused(results.get(i), Outcome.BACKPRESSURE);
    }
    sink.heal();
    await(Future.all(results.subList(0, WaitingRoom.MAX_WAITING)));
    await(bus.flush());
    assertThat(sink.ofShard(0).stream().filter(e -> e.payload().toString().startsWith("w")).count())
        .isEqualTo(WaitingRoom.MAX_WAITING);
    assertBalanced();
  }

  @Test
  void fullShard_doesNotHoldUpOthers() throws Exception {
    start(2);
    String full = "k0";
    int busy = bus.shards().selectShardByHash(event("", full).hash());
    int i = 1;
    while (bus.shards().selectShardByHash(event("", "k" + i).hash()) == busy) {
      i++;
    }
    String free = "k" + i;
    sink.fillRings(bus, busy);
    Future<IngestResult> waits = bus.ingestAwait(event("x", full));
    assertThat(bus.ingestAwait(event("x", free)).isComplete()).isTrue();
    assertThat(waits.isComplete()).isFalse();
    sink.heal();
    await(waits);
  }

  @Test
  void scaling_keepsTheOrderOfWhatWaits() throws Exception {
    start(1);
    sink.fillRings(bus);
    List<Future<IngestResult>> results = new ArrayList<>();
    for (int i = 0; i < 2_000; i++) {
      results.add(bus.ingestAwait(event("" + i, "key" + i % 10)));
    }
    await(bus.scaleUp(2));
    for (int i = 2_000; i < 6_000; i++) {
      results.add(bus.ingestAwait(event("" + i, "key" + i % 10)));
    }
    sink.heal();
    await(Future.all(results));
    await(bus.flush());
    Map<Integer, Integer> last = new HashMap<>();
    for (ShardEvent event : sink.all()) {
      int n = Integer.parseInt(event.payload().toString());
      Integer before = last.put(event.shard(), n);
      assertThat(n).isGreaterThan(before == null ? -1 : before);
    }
    assertThat(sink.count()).isEqualTo(6_000);
    assertBalanced();
  }

  @Test
  void callerThatIsUndeployed_doesNotStopOthers() throws Exception {
    start(1);
    sink.fillRings(bus);
    Promise<Future<IngestResult>> first = Promise.promise();
    String id =
        await(
            vertx.deployVerticle(
                new VerticleBase() {
                  @Override
                  public Future<?> start() {
                    first.complete(bus.ingestAwait(RawEvent.of("first")));
                    return Future.succeededFuture();
                  }
                }));
    await(vertx.undeploy(id));
    Future<IngestResult> second = bus.ingestAwait(RawEvent.of("second"));
    sink.heal();
    await(second);
    assertThat(await(await(first.future())).accepted()).isTrue();
  }

  @Test
  void close_refusesWhatWaits() throws Exception {
    start(1);
    sink.fillRings(bus);
    Future<IngestResult> waits = bus.ingestAwait(RawEvent.of("x"));
    Future<Void> closed = bus.close();
    Awaitility.await().until(waits::isComplete);
    assertRefused(waits, Outcome.CLOSED);
    sink.heal();
    await(closed);
  }

  @Test
  void cancelledEvent_neverGetsInAndHoldsUpNobody() throws Exception {
    start(1);
    sink.fillRings(bus);
    Promise<Void> cancel = Promise.promise();
    Future<IngestResult> regretted = bus.ingestAwait(RawEvent.of("regretted"), cancel.future());
    Future<IngestResult> next = bus.ingestAwait(RawEvent.of("next"), Future.future(never -> {}));
    cancel.fail("no longer needed");
    Awaitility.await().until(regretted::isComplete);
    assertRefused(regretted, Outcome.BACKPRESSURE);
    assertThat(next.isComplete()).isFalse();
    sink.heal();
    await(next);
    await(bus.flush());
    assertThat(sink.ofShard(0))
        .extracting(e -> e.payload().toString())
        .contains("next")
        .doesNotContain("regretted");
    Promise<Void> late = Promise.promise();
    assertThat(await(bus.ingestAwait(RawEvent.of("in"), late.future())).accepted()).isTrue();
    late.complete();
    await(bus.flush());
    assertBalanced();
  }

  @Test
  void deliverAwait_waitsForRoomAndThenForTheSink() throws Exception {
    start(1);
    sink.fillRings(bus);
    Promise<Void> gate = Promise.promise();
    Promise<Void> confirmation = Promise.promise();
    AtomicBoolean written = new AtomicBoolean();
    sink.behave(
        batch -> {
          if (batch.events().stream().noneMatch(e -> e.payload().toString().equals("x"))) {
            return gate.future();
          }
          written.set(true);
          return confirmation.future();
        });
    Future<IngestResult> result = bus.deliverAwait(RawEvent.of("x"));
    assertThat(result.isComplete()).isFalse();
    gate.complete(); // there is room
    Awaitility.await().untilTrue(written);
    assertThat(result.isComplete()).isFalse();
    confirmation.complete();
    assertThat(await(result).accepted()).isTrue();
    assertThat(sink.ofShard(0)).extracting(e -> e.payload().toString()).contains("x");
    sink.fail(SinkException.permanentFailure("no"));
    Future<IngestResult> poison = bus.deliverAwait(RawEvent.of("poison"));
    Awaitility.await().until(poison::isComplete);
    assertRefused(poison, Outcome.DEAD_LETTERED);
    await(bus.close());
    Future<IngestResult> late = bus.deliverAwait(RawEvent.of("late"));
    assertRefused(late, Outcome.CLOSED);
  }

  private static void assertRefused(Future<IngestResult> result, Outcome reason) {
    assertThat(result.cause())
        .isInstanceOfSatisfying(
            NotDeliveredException.class, e -> assertThat(e.reason()).isEqualTo(reason));
  }

  @Test
  void stream_tellsOfRoomOnItsContext() throws Exception {
    start(1);
    sink.fillRings(bus);
    Context context = vertx.getOrCreateContext();
    Promise<Boolean> drained = Promise.promise();
    context.runOnContext(
        now -> {
          WriteStream<RawEvent> stream = bus.writeStream().setWriteQueueMaxSize(10);
          while (!stream.writeQueueFull()) {
            stream.write(RawEvent.of("x"));
          }
          stream.drainHandler(room -> drained.complete(Vertx.currentContext() == context));
          sink.heal();
        });
    assertThat(await(drained.future())).isTrue();
    Promise<Void> late = Promise.promise();
    bus.writeStream().drainHandler(late::complete);
    await(late.future());
  }
}
