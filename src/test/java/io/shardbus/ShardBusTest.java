package io.shardbus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.event.IngestResult;
import io.shardbus.event.NotDeliveredException;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.shard.ScalingException;
import io.shardbus.shard.ScalingPolicy;
import io.shardbus.sink.DeadLetters;
import io.shardbus.sink.SinkException;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.streams.WriteStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("hot")
class ShardBusTest {

  private Vertx vertx;
  private final RecordingSink sink = new RecordingSink();

  @BeforeEach
  void setUp() {
    // Where there is one core, a test that blocks an event loop would block half of two.
    vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(8));
  }

  @AfterEach
  void tearDown() throws Exception {
    await(vertx.close());
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(20, TimeUnit.SECONDS);
  }

  private ShardBus start(ShardBusOptions options) throws Exception {
    return await(ShardBus.start(vertx, options, sink));
  }

  private static ShardBusOptions elastic(int shards) {
    return new ShardBusOptions()
        .setShards(shards)
        .setScaling(ScalingPolicy.defaults(8).setAutoScale(false));
  }

  private void assertBalanced(ShardBus bus) {
    var total = bus.stats().total();
    assertThat(total.accepted())
        .isEqualTo(
            total.delivered()
                + total.evicted()
                + total.deadLettered()
                + total.pendingInRing()
                + total.inFlight());
    if (total.inFlight() == 0) {
      assertThat(total.delivered()).isEqualTo(sink.count());
    }
    assertThat(sink.faults()).isEmpty();
  }

  @Test
  void ingest_deliversEveryEventOnceInOrder() throws Exception {
    ShardBus bus = start(new ShardBusOptions().setShards(3));
    Set<String> sent = new HashSet<>();
    for (int i = 0; i < 100_000; i++) {
      String text = "event " + i;
      sent.add(text);
      assertThat(bus.ingest(RawEvent.of(text)).accepted()).isTrue();
    }
    await(bus.flush());
    assertThat(sink.count()).isEqualTo(100_000);
    List<String> got = new ArrayList<>();
    sink.all().forEach(event -> got.add(event.payload().toString()));
    assertThat(new HashSet<>(got)).isEqualTo(sent);
    assertBalanced(bus);
    await(bus.close());
    assertThat(sink.closed()).isOne();
    assertThat(bus.ingest(RawEvent.of("late")).outcome()).isEqualTo(Outcome.CLOSED);
  }

  @Test
  void close_deliversWhatWasAccepted() throws Exception {
    ShardBus bus = start(new ShardBusOptions().setShards(2));
    long accepted = 0;
    for (int i = 0; i < 50_000; i++) {
      accepted += bus.ingest(RawEvent.of("event " + i)).accepted() ? 1 : 0;
    }
    Future<Void> first = bus.close();
    await(bus.close());
    await(first);
    assertThat(sink.count()).isEqualTo(accepted);
    assertBalanced(bus);
  }

  /** Handlers of a verticle may rely on its thread, and nobody's hold up a shard. */
  @Test
  void answers_comeOnTheContextOfTheCaller() throws Exception {
    sink.hang();
    ShardBus bus = start(elastic(2));
    Context caller = vertx.getOrCreateContext();
    Promise<List<Future<?>>> asked = Promise.promise();
    Set<Context> seen = ConcurrentHashMap.newKeySet();
    caller.runOnContext(
        now -> {
          List<Future<?>> all =
              List.of(
                  bus.deliver(RawEvent.of("a")),
                  bus.deliverAwait(RawEvent.of("b")),
                  bus.flush(),
                  bus.scaleUp(1),
                  bus.removeShard(0),
                  bus.replayDeadLetters(),
                  bus.close());
          all.forEach(each -> each.onComplete(done -> seen.add(Vertx.currentContext())));
          asked.complete(all);
        });
    Future<List<Future<?>>> all = asked.future();
    await(all);
    sink.heal();
    await(Future.join(all.result()).otherwiseEmpty());
    assertThat(seen).containsExactly(caller);
  }

  @Test
  void timersOfHandlers_outliveTheShard() throws Exception {
    ShardBus bus = start(elastic(2));
    AtomicInteger ticks = new AtomicInteger();
    int shard =
        await(
                bus.deliver(RawEvent.of("a"))
                    .onSuccess(done -> vertx.setPeriodic(5, id -> ticks.incrementAndGet())))
            .shard();
    await(bus.removeShard(shard));
    int before = ticks.get();
    Awaitility.await().until(() -> ticks.get() > before + 2);
  }

  /** As applications do that end: what was accepted is delivered although nothing is deployed. */
  @Test
  void undeployingAllAndClosingVertx_losesNothing() throws Exception {
    for (int round = 0; round < 5; round++) {
      Vertx own = Vertx.vertx();
      RecordingSink mine = new RecordingSink();
      ShardBus bus = await(ShardBus.start(own, new ShardBusOptions().setShards(3), mine));
      long accepted = 0;
      for (int i = 0; i < 50_000; i++) {
        accepted += bus.ingest(RawEvent.of("event " + i)).accepted() ? 1 : 0;
      }
      await(
          Future.join(own.deploymentIDs().stream().map(own::undeploy).toList())
              .otherwiseEmpty()
              .compose(done -> own.close()));
      assertThat(mine.count()).isEqualTo(accepted);
      assertThat(mine.faults()).isEmpty();
      assertThat(mine.closed()).isOne();
    }
  }

  @Test
  void sinkThatBlocksItsEventLoop_doesNotKeepTheBusOpen() throws Exception {
    CountDownLatch blocked = new CountDownLatch(1);
    sink.behave(
        batch -> {
          try {
            blocked.await(60, TimeUnit.SECONDS);
          } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
          }
          return Future.succeededFuture();
        });
    try {
      ShardBus bus =
          start(new ShardBusOptions().setShards(1).setCloseTimeout(Duration.ofSeconds(1)));
      bus.ingest(RawEvent.of("a"));
      Awaitility.await().until(() -> bus.stats().total().inFlight() == 1);
      assertThatThrownBy(() -> await(bus.close())).hasMessageContaining("1 event of shards [0]");
      assertThat(sink.closed()).isOne();
    } finally {
      blocked.countDown();
    }
  }

  /** Each stops at its own marks, and none is refused because there are many. */
  @Test
  void streams_areNotRefusedForEachOther() throws Exception {
    sink.hang();
    ShardBus bus = start(new ShardBusOptions().setShards(1).setRingCapacity(1024));
    List<Future<?>> written = new ArrayList<>();
    for (int stream = 0; stream < 80; stream++) {
      WriteStream<RawEvent> into = bus.writeStream();
      for (int i = 0; i < 1_024; i++) {
        assertThat(into.writeQueueFull()).isFalse();
        written.add(into.write(RawEvent.of("event")));
      }
    }
    assertThat(bus.stats().waiting()).isGreaterThan(65_536);
    written.add(bus.ingestAwait(RawEvent.of("nor are others for streams")));
    sink.heal();
    await(Future.all(written));
    await(bus.flush());
    assertThat(sink.count()).isEqualTo(written.size());
  }

  @Test
  void commonPoolThatIsBusy_holdsNothingUp() throws Exception {
    CountDownLatch busy = new CountDownLatch(1);
    for (int i = 0; i < 64; i++) {
      ForkJoinPool.commonPool()
          .execute(
              () -> {
                try {
                  busy.await(60, TimeUnit.SECONDS);
                } catch (InterruptedException e) {
                  Thread.currentThread().interrupt();
                }
              });
    }
    try {
      sink.hang();
      ShardBus bus = start(elastic(1).setRingCapacity(1024));
      while (bus.ingest(RawEvent.of("event")).accepted()) {
        // until the ring is full
      }
      Future<IngestResult> impatient = bus.ingestAwait(RawEvent.of("late"), Duration.ofMillis(100));
      await(impatient.otherwiseEmpty());
      Future<IngestResult> patient = bus.ingestAwait(RawEvent.of("event"));
      sink.heal();
      assertThat(await(patient).accepted()).isTrue();
      assertThat(await(bus.scaleUp(1))).hasSize(1);
    } finally {
      busy.countDown();
    }
  }

  @Test
  void closeThatCannotDeliver_saysWhatIsLeftAndWhere() throws Exception {
    sink.behave(batch -> batch.shard() == 1 ? Promise.<Void>promise().future() : delivered());
    ShardBus bus =
        start(new ShardBusOptions().setShards(2).setCloseTimeout(Duration.ofMillis(200)));
    for (int i = 0; i < 10; i++) {
      assertThat(bus.ingest(RawEvent.ofHash(Buffer.buffer("x"), (long) i << 63)).accepted())
          .isTrue();
    }
    Awaitility.await().until(() -> bus.stats().total().delivered() == 5);
    assertThatThrownBy(() -> await(bus.close()))
        .cause()
        .hasMessage("5 events of shards [1] could not be delivered within 200 ms");
    assertThat(bus.stats().total().delivered()).isEqualTo(5);
    assertBalanced(bus);
  }

  @Test
  void sinkThatDoesNotClose_isNotWaitedForForEver() throws Exception {
    sink.onClose(() -> Future.future(never -> {}));
    ShardBus bus = start(new ShardBusOptions().setCloseTimeout(Duration.ofSeconds(2)));
    bus.ingest(RawEvent.of("x"));
    await(bus.flush());
    assertThatThrownBy(() -> await(bus.close()))
        .cause()
        .hasMessage("sink recording did not close within 2000 ms");
    assertThat(sink.count()).isEqualTo(1);
  }

  @Test
  void closeThatCannotDeliver_answersAllWhoWait() throws Exception {
    sink.hang();
    ShardBus bus =
        start(new ShardBusOptions().setShards(1).setCloseTimeout(Duration.ofMillis(200)));
    List<Future<IngestResult>> deliveries = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      deliveries.add(bus.deliver(RawEvent.of("event " + i)));
    }
    Future<Void> flushed = bus.flush();
    assertThatThrownBy(() -> await(bus.close())).cause().hasMessageContaining("10 events");
    assertThatThrownBy(() -> await(flushed)).cause().hasMessageContaining("10 events");
    for (Future<IngestResult> delivery : deliveries) {
      assertThatThrownBy(() -> await(delivery))
          .cause()
          .isInstanceOfSatisfying(
              NotDeliveredException.class, e -> assertThat(e.reason()).isEqualTo(Outcome.UNKNOWN));
    }
    assertThat(bus.stats().total().inFlight()).isEqualTo(10);
    assertBalanced(bus);
  }

  @Test
  void closingVertx_closesTheBusFirst() throws Exception {
    sink.behave(batch -> Future.future(done -> vertx.setTimer(50, timer -> done.complete())));
    ShardBus bus = start(elastic(2));
    for (int i = 0; i < 10_000; i++) {
      assertThat(bus.ingest(RawEvent.of("event " + i)).accepted()).isTrue();
    }
    await(vertx.close());
    assertThat(sink.count()).isEqualTo(10_000);
    assertThat(sink.closed()).isOne();
    assertThat(bus.ingest(RawEvent.of("late")).outcome()).isEqualTo(Outcome.CLOSED);
    vertx = Vertx.vertx();
  }

  @Test
  void waitingEvents_doNotDependOnAnyVerticle() throws Exception {
    sink.hang();
    ShardBus bus = start(new ShardBusOptions().setShards(1).setRingCapacity(1024));
    List<Future<IngestResult>> results = new ArrayList<>();
    for (int i = 0; i < 20_000; i++) {
      results.add(bus.ingestAwait(RawEvent.of("event " + i)));
    }
    for (String id : allButTheFirst(vertx)) {
      vertx.undeploy(id);
    }
    sink.heal();
    await(Future.all(results));
    await(bus.close());
    assertThat(sink.count()).isEqualTo(20_000);
  }

  /** The first is the bus's own: whoever undeploys that closes the bus. */
  private static List<String> allButTheFirst(Vertx vertx) {
    return vertx.deploymentIDs().stream()
        .sorted(Comparator.comparingLong(Long::parseLong))
        .skip(1)
        .toList();
  }

  private static Future<Void> delivered() {
    return Future.succeededFuture();
  }

  @Test
  void scaling_keepsEveryEventWhileProducersPush() throws Exception {
    ShardBus bus = start(elastic(2).setRingCapacity(4096));
    int producers = 3;
    int each = 60_000;
    List<Thread> threads = new ArrayList<>();
    for (int p = 0; p < producers; p++) {
      int producer = p;
      Thread thread =
          new Thread(
              () -> {
                for (int i = 0; i < each; ) {
                  if (bus.ingest(RawEvent.of(producer + ":" + i)).accepted()) {
                    i++;
                  } else {
                    Thread.onSpinWait();
                  }
                }
              });
      thread.start();
      threads.add(thread);
    }
    for (int round = 0; round < 20; round++) {
      await(bus.scaleUp(2));
      await(bus.scaleDown(2));
    }
    for (Thread thread : threads) {
      thread.join(20_000);
    }
    await(bus.flush());
    assertThat(sink.count()).isEqualTo((long) producers * each);
    assertThat(new HashSet<>(sink.all().stream().map(e -> e.payload().toString()).toList()))
        .hasSize(producers * each);
    assertBalanced(bus);
    assertThat(bus.stats().scaling().added()).isEqualTo(40);
    assertThat(bus.stats().scaling().removed()).isEqualTo(40);
    assertThat(bus.stats().shards()).hasSize(2);
    await(bus.close());
  }

  @Test
  void scaling_staticBusRefuses() throws Exception {
    ShardBus bus = start(new ShardBusOptions().setShards(1));
    assertThatThrownBy(() -> await(bus.scaleUp(1)))
        .cause()
        .isInstanceOfSatisfying(
            ScalingException.class,
            e -> assertThat(e.reason()).isEqualTo(ScalingException.Reason.SCALING_DISABLED));
    await(bus.close());
  }

  @Test
  void deliver_completesWhenTheSinkConfirmed() throws Exception {
    ShardBus bus = start(new ShardBusOptions().setShards(2));
    IngestResult result = await(bus.deliver(RawEvent.of("now")));
    assertThat(result.accepted()).isTrue();
    assertThat(sink.all()).hasSize(1);
    await(bus.close());
    assertThatThrownBy(() -> await(bus.deliver(RawEvent.of("late"))))
        .cause()
        .isInstanceOfSatisfying(
            NotDeliveredException.class, e -> assertThat(e.reason()).isEqualTo(Outcome.CLOSED));
  }

  @Test
  void undeployedShardVerticle_isDeployedAgainAndGoesOn() throws Exception {
    ShardBus bus = start(new ShardBusOptions().setShards(1).setRouters(0));
    for (int i = 0; i < 1_000; i++) {
      bus.ingest(RawEvent.of("before " + i));
    }
    for (String id : allButTheFirst(vertx)) {
      await(vertx.undeploy(id));
    }
    for (int i = 0; i < 1_000; i++) {
      assertThat(bus.ingest(RawEvent.of("after " + i)).accepted()).isTrue();
    }
    await(bus.flush());
    assertThat(sink.count()).isEqualTo(2_000);
    assertBalanced(bus);
    await(bus.close());
  }

  @Test
  void ingestAwait_waitsForRoomAndKeepsOrder() throws Exception {
    io.vertx.core.Promise<Void> gate = io.vertx.core.Promise.promise();
    sink.behave(batch -> gate.future());
    ShardBus bus = start(new ShardBusOptions().setShards(1).setRingCapacity(1024));
    List<Future<IngestResult>> results = new ArrayList<>();
    for (int i = 0; i < 20_000; i++) {
      results.add(bus.ingestAwait(RawEvent.of(Buffer.buffer("event " + i))));
    }
    assertThat(results.get(19_999).isComplete()).isFalse();
    gate.complete();
    await(Future.all(results));
    await(bus.flush());
    assertThat(sink.ofShard(0)).hasSize(20_000);
    for (int i = 0; i < 20_000; i++) {
      assertThat(sink.ofShard(0).get(i).payload().toString()).isEqualTo("event " + i);
    }
    assertBalanced(bus);
    await(bus.close());
  }

  @Test
  void deadLetters_areReplayedWhenTheSinkTakesThem(@TempDir Path folder) throws Exception {
    sink.behave(
        batch ->
            batch.events().stream().anyMatch(e -> e.payload().length() > 10)
                ? Future.failedFuture(SinkException.permanentFailure("too long for us"))
                : Future.succeededFuture());
    ShardBus bus = start(new ShardBusOptions().setShards(2).setDataDir(folder.toString()));
    for (int i = 0; i < 60; i++) {
      RawEvent event =
          RawEvent.of(Buffer.buffer(i % 3 == 0 ? "a long event " + i : "e" + i), "k" + i);
      assertThat(bus.ingest(event).accepted()).isTrue();
    }
    await(bus.flush());
    assertThat(bus.stats().total().deadLettered()).isEqualTo(20);
    assertThat(await(bus.deadLetters().count())).isEqualTo(20);
    long first = await(bus.deadLetters().list(0, 1)).get(0).id();
    assertThat(await(bus.replayDeadLetters(List.of(first, 999_999L))))
        .isEqualTo(new DeadLetters.ReplayResult(0, 1, 0));
    assertThat(await(bus.deadLetters().count())).as("a new letter for the old").isEqualTo(20);
    await(bus.close());

    // They outlive the bus.
    RecordingSink patient = new RecordingSink().hang();
    ShardBus next =
        await(ShardBus.start(vertx, new ShardBusOptions().setDataDir(folder.toString()), patient));
    Future<DeadLetters.ReplayResult> replay = next.replayDeadLetters();
    assertThatThrownBy(() -> await(next.replayDeadLetters()))
        .cause()
        .hasMessageContaining("under way");
    patient.heal();
    assertThat(await(replay)).isEqualTo(new DeadLetters.ReplayResult(20, 0, 0));
    assertThat(await(next.deadLetters().count())).isZero();
    assertThat(patient.all())
        .hasSize(20)
        .allSatisfy(
            event ->
                assertThat(event.payload().toString())
                    .isEqualTo("a long event " + event.key().substring(1)));
    await(next.close());
  }
}
