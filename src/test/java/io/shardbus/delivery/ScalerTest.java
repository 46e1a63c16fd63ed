package io.shardbus.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.shardbus.event.ProducerId;
import io.shardbus.event.RawEvent;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.shard.BackpressureMode;
import io.shardbus.shard.ScalingException;
import io.shardbus.shard.ScalingHistory;
import io.shardbus.shard.ScalingPolicy;
import io.shardbus.shard.Shard;
import io.shardbus.shard.ShardManager;
import io.shardbus.shard.ShardState;
import io.vertx.core.Context;
import io.vertx.core.Deployable;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Function;
import java.util.function.IntPredicate;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ScalerTest {

  private Vertx vertx;
  private final RecordingSink sink = new RecordingSink();
  private ShardManager manager;
  private ShardDeployments deployments;
  private Scaler scaler;
  private final DeliveryObservers observers = new DeliveryObservers();

  @BeforeEach
  void setUp() {
    vertx = Vertx.vertx();
  }

  @AfterEach
  void tearDown() throws Exception {
    deployments.abandonAll(); // else it would go on deploying verticles
    await(vertx.close());
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(20, TimeUnit.SECONDS);
  }

  private void start(ScalingPolicy policy, Function<ShardVerticle, Deployable> wrapper)
      throws Exception {
    manager = ShardManager.withMapper(2, 1024, BackpressureMode.FAIL_PRODUCER, policy);
    deployments =
        new ShardDeployments(
            vertx,
            sink,
            letters -> Future.succeededFuture(),
            new ProducerId("p", 1),
            // small, so that a ring fills while the sink holds a batch
            new BatchOptions().setMinSize(10).setMaxSize(100),
            new RetryOptions(),
            observers,
            wrapper);
    scaler = new Scaler(manager, deployments);
    for (Shard shard : manager.shards()) {
      await(deployments.deploy(shard));
    }
  }

  /** Fails the start of some, and holds that of others. */
  private static Deployable wrap(
      ShardVerticle verticle, Function<Integer, Future<Void>> beforeStart, AtomicInteger starts) {
    return new Deployable() {
      @Override
      public Future<?> deploy(Context context) throws Exception {
        int number = starts.incrementAndGet();
        return beforeStart
            .apply(number)
            .compose(
                go -> {
                  try {
                    return verticle.deploy(context).mapEmpty();
                  } catch (Exception e) {
                    return Future.failedFuture(e);
                  }
                });
      }

      @Override
      public Future<?> undeploy(Context context) throws Exception {
        return verticle.undeploy(context);
      }
    };
  }

  private static Function<ShardVerticle, Deployable> failing(
      IntPredicate which, AtomicInteger starts) {
    return verticle ->
        wrap(
            verticle,
            n ->
                which.test(n)
                    ? Future.failedFuture(new IllegalStateException("no room"))
                    : Future.succeededFuture(),
            starts);
  }

  @Test
  void failedDeployment_leavesNoTraceButACounter() throws Exception {
    AtomicInteger starts = new AtomicInteger();
    start(new ScalingPolicy().setAutoScale(false), failing(n -> n == 4, starts));
    int deployed = vertx.deploymentIDs().size();
    assertThatThrownBy(() -> await(scaler.scaleUp(3))).cause().hasMessageContaining("no room");
    assertThat(manager.mapper().orElseThrow().allShardIds()).containsExactly(0, 1);
    assertThat(vertx.deploymentIDs()).hasSize(deployed);
    assertThat(scaler.failed()).isEqualTo(1);
    assertThat(scaler.added()).isZero();
    assertThat(await(scaler.scaleUp(1))).containsExactly(5);
  }

  /** The verticle of the third shard is about to start, and does so by the gate. */
  @Test
  void reasonOfThePolicy_isKeptWithTheChange() throws Exception {
    start(new ScalingPolicy().setMetricsWindow(Duration.ofMillis(10)), verticle -> verticle);
    manager
        .mapper()
        .orElseThrow()
        .changePolicy(manager.mapper().orElseThrow().policy().setMinShards(3));
    Awaitility.await().until(() -> await(scaler.tick()) != null && scaler.added() == 1);
    await(scaler.scaleUp(1));
    assertThat(scaler.history().recent())
        .extracting(ScalingHistory.Entry::cause, ScalingHistory.Entry::reason)
        .containsExactly(
            tuple(ScalingHistory.Cause.AUTOMATIC, "2 active shards, minShards is 3"),
            tuple(ScalingHistory.Cause.MANUAL, ""));
  }

  private Future<List<Integer>> scaleUpBehind(Future<Void> gate) throws Exception {
    AtomicInteger starts = new AtomicInteger();
    start(
        new ScalingPolicy().setAutoScale(false),
        verticle -> wrap(verticle, n -> n == 3 ? gate : Future.succeededFuture(), starts));
    Future<List<Integer>> up = scaler.scaleUp(1);
    Awaitility.await().until(() -> starts.get() == 3);
    return up;
  }

  @Test
  void flushBesideADeploymentThatFails_ends() throws Exception {
    Promise<Void> gate = Promise.promise();
    Future<List<Integer>> up = scaleUpBehind(gate.future());
    Future<Void> flushed = deployments.flushAll();
    gate.fail("no room");
    assertThatThrownBy(() -> await(up)).hasMessageContaining("no room");
    await(flushed);
  }

  @Test
  void provisionedShard_getsNothingBeforeItsVerticleRuns() throws Exception {
    Promise<Void> gate = Promise.promise();
    Future<List<Integer>> up = scaleUpBehind(gate.future());
    assertThat(manager.mapper().orElseThrow().shardState(2)).contains(ShardState.PROVISIONING);
    for (int i = 0; i < 1000; i++) {
      assertThat(manager.ingestRaw(RawEvent.of("early " + i)).shard()).isLessThan(2);
    }
    gate.complete();
    await(up);
    int got = 0;
    for (int i = 0; i < 500; i++) {
      got += manager.ingestRaw(RawEvent.of("late " + i)).shard() == 2 ? 1 : 0;
    }
    assertThat(got).isPositive();
    await(deployments.flushAll());
    assertThat(sink.count()).isEqualTo(1500);
  }

  @Test
  void removal_waitsForTheSinkButHoldsNobodyUp() throws Exception {
    Promise<Void> gate = Promise.promise();
    start(new ScalingPolicy().setAutoScale(false), verticle -> verticle);
    sink.behave(batch -> batch.shard() == 0 ? gate.future() : Future.succeededFuture());
    for (int i = 0; i < 500; i++) {
      manager.ingestRaw(RawEvent.of("event " + i));
    }
    Future<Void> gone = scaler.remove(0);
    assertThat(await(scaler.scaleUp(1))).containsExactly(2);
    assertThat(gone.isComplete()).isFalse();
    assertThat(scaler.history().underWay())
        .extracting(request -> request.direction() + " " + request.cause())
        .containsExactly("DOWN MANUAL");
    assertThat(manager.mapper().orElseThrow().shardState(0)).contains(ShardState.DRAINING);
    Future<Void> again = scaler.remove(0);
    gate.complete();
    await(gone);
    await(again);
    assertThat(scaler.history().underWay()).isEmpty();
    assertThat(manager.mapper().orElseThrow().shardState(0)).isEmpty();
    await(deployments.flushAll());
    assertThat(sink.count()).isEqualTo(500);
    assertThat(sink.faults()).isEmpty();
    assertThat(scaler.removed()).isEqualTo(1);
  }

  @Test
  void removalUnderWay_isJoinedByAllWhoAsk() throws Exception {
    sink.hang();
    start(new ScalingPolicy().setAutoScale(false).setMaxShards(8), verticle -> verticle);
    for (int i = 0; i < 100; i++) {
      manager.ingestRaw(RawEvent.of("event " + i));
    }
    List<Future<Void>> all = Stream.generate(() -> scaler.remove(0)).limit(7).toList();
    sink.heal();
    for (Future<Void> one : all) {
      await(one);
    }
    assertThat(scaler.removed()).isEqualTo(1);
    assertThat(scaler.failed()).isZero();
    assertThat(sink.count()).isPositive();
  }

  @Test
  void shardsOfTheEngine_areAdopted() throws Exception {
    start(new ScalingPolicy().setAutoScale(false), verticle -> verticle);
    int added = manager.addShardForce();
    await(scaler.tick());
    assertThat(manager.mapper().orElseThrow().shardState(added)).contains(ShardState.ACTIVE);
    for (int i = 0; i < 300; i++) {
      manager.ingestRaw(RawEvent.of("event " + i));
    }
    manager.drainShard(0);
    await(scaler.tick());
    await(scaler.removals());
    assertThat(manager.mapper().orElseThrow().allShardIds()).containsExactly(1, added);
    await(deployments.flushAll());
    assertThat(sink.count()).isEqualTo(300);
    assertThat(vertx.deploymentIDs()).hasSize(2);
  }

  @Test
  void shardThatSomebodyElseStopped_isSeenOff() throws Exception {
    start(new ScalingPolicy().setAutoScale(false), verticle -> verticle);
    manager.drainShard(0);
    assertThat(manager.mapper().orElseThrow().finalizeDraining()).containsExactly(0);
    await(scaler.tick());
    await(scaler.removals());
    assertThat(manager.mapper().orElseThrow().allShardIds()).containsExactly(1);
    assertThat(vertx.deploymentIDs()).hasSize(1);
  }

  @Test
  void shardDrainedBeforeItsActivation_takesTheOthersOfItsRequestWithIt() throws Exception {
    AtomicInteger starts = new AtomicInteger();
    start(
        // Below its minimum: were one activated before the other failed, it could not be drained.
        new ScalingPolicy().setAutoScale(false).setMinShards(3).setMaxShards(4),
        verticle ->
            wrap(
                verticle,
                n -> {
                  if (n == 4) {
                    manager.drainShard(3);
                  }
                  return Future.succeededFuture();
                },
                starts));
    assertThatThrownBy(() -> await(scaler.scaleUp(2))).hasCauseInstanceOf(ScalingException.class);
    Awaitility.await()
        .untilAsserted(
            () -> assertThat(manager.mapper().orElseThrow().allShardIds()).containsExactly(0, 1));
    Awaitility.await().until(() -> vertx.deploymentIDs().size() == 2);
    assertThat(await(scaler.scaleUp(2))).containsExactly(4, 5);
  }

  @Test
  void activatedPastTheScaler_isServedByAFlush() throws Exception {
    start(new ScalingPolicy().setAutoScale(false), verticle -> verticle);
    manager.activateShard(manager.addShardForce());
    for (int i = 0; i < 300; i++) {
      manager.ingestRaw(RawEvent.of("event " + i));
    }
    await(scaler.adoptThoseWithEvents());
    await(deployments.flushAll());
    assertThat(sink.count()).isEqualTo(300);
  }

  /** A verticle that is being deployed again is none that may be forgotten. */
  @Test
  void removalDuringARedeployment_leavesNoVerticle() throws Exception {
    AtomicInteger starts = new AtomicInteger();
    Promise<Void> gate = Promise.promise();
    start(
        new ScalingPolicy().setAutoScale(false),
        verticle -> wrap(verticle, n -> n == 3 ? gate.future() : Future.succeededFuture(), starts));
    for (String id : vertx.deploymentIDs()) {
      await(vertx.undeploy(id));
      break;
    }
    Awaitility.await().until(() -> starts.get() == 3);
    Future<Void> all = deployments.undeployAll();
    gate.complete();
    await(all);
    assertThat(vertx.deploymentIDs()).isEmpty();
  }

  @Test
  void flush_isAnsweredWhateverGoesMeanwhile() throws Exception {
    start(new ScalingPolicy().setAutoScale(false).setMaxShards(8), verticle -> verticle);
    List<Future<Void>> flushes = new ArrayList<>();
    for (int round = 0; round < 100; round++) {
      int id = await(scaler.scaleUp(1)).get(0);
      Future<Void> gone = scaler.remove(id);
      while (!gone.isComplete()) {
        flushes.add(deployments.flushAll());
        LockSupport.parkNanos(50_000); // or they keep the removal from its turn
      }
      await(gone);
    }
    for (Future<Void> flush : flushes) {
      await(flush);
    }
  }

  /** How deep the stack is where they are answered, once all are. */
  private static Callable<Integer> deepest(Supplier<Future<?>> request, int times) {
    AtomicInteger answered = new AtomicInteger();
    AtomicInteger deepest = new AtomicInteger();
    for (int i = 0; i < times; i++) {
      request
          .get()
          .onComplete(
              end -> {
                deepest.accumulateAndGet(new Throwable().getStackTrace().length, Math::max);
                answered.incrementAndGet();
              });
    }
    return () -> {
      Awaitility.await().until(() -> answered.get() == times);
      return deepest.get();
    };
  }

  @Test
  void requestsThatAreRefusedWhenItCloses_needNoDeepStack() throws Exception {
    Promise<Void> gate = Promise.promise();
    scaleUpBehind(gate.future());
    Callable<Integer> deepest = deepest(() -> scaler.scaleDown(1), 10_000);
    Future<Void> closed = scaler.close();
    gate.complete();
    await(closed);
    assertThat(deepest.call()).isLessThan(200);
  }

  @Test
  void requestsThatEndAtOnce_needNoDeepStack() throws Exception {
    Promise<Void> gate = Promise.promise();
    scaleUpBehind(gate.future());
    manager.activateShard(manager.addShardForce());
    Callable<Integer> deepest = deepest(scaler::adoptThoseWithEvents, 10_000);
    gate.complete();
    assertThat(deepest.call()).isLessThan(200);
  }

  @Test
  void removalThatWaitsForLong_needsNoDeepStack() throws Exception {
    start(new ScalingPolicy().setAutoScale(false), verticle -> verticle);
    CountDownLatch held = new CountDownLatch(1);
    CompletableFuture<Void> letGo = new CompletableFuture<>();
    NoContext.call(
        () ->
            manager.withShard(
                0,
                shard -> {
                  held.countDown();
                  return letGo.join();
                }));
    held.await();
    Callable<Integer> deepest = deepest(() -> scaler.remove(0), 1);
    Awaitility.await().pollDelay(Duration.ofSeconds(1)).until(() -> true);
    letGo.complete(null);
    assertThat(deepest.call()).isLessThan(200);
    assertThat(scaler.removed()).isEqualTo(1);
  }

  @Test
  void shardThatTheEngineRemoves_leavesNoVerticle() throws Exception {
    start(new ScalingPolicy().setAutoScale(false), verticle -> verticle);
    manager.drainShard(0);
    manager.removeShard(0);
    Awaitility.await().until(() -> vertx.deploymentIDs().size() == 1);
    manager.removeShard(manager.addShardForce());
    assertThat(vertx.deploymentIDs()).hasSize(1);
  }

  @Test
  void shardRemovedBeforeItsActivation_takesTheOthersOfItsRequestWithIt() throws Exception {
    start(new ScalingPolicy().setAutoScale(false), verticle -> verticle);
    manager
        .mapper()
        .orElseThrow()
        .onShardCreated(
            id -> {
              if (id == 3) {
                manager.removeShard(id);
              }
            });
    assertThatThrownBy(() -> await(scaler.scaleUp(2)))
        .cause()
        .isInstanceOfSatisfying(
            ScalingException.class,
            e -> assertThat(e.reason()).isEqualTo(ScalingException.Reason.UNKNOWN_SHARD));
    assertThat(manager.mapper().orElseThrow().allShardIds()).containsExactly(0, 1);
    assertThat(vertx.deploymentIDs()).hasSize(2);
  }

  /** The sink holds its events meanwhile. */
  @Test
  void shardThatTheEngineActivated_losesNothingIfItsRequestFails() throws Exception {
    Promise<Void> gate = Promise.promise();
    sink.behave(batch -> batch.shard() == 2 ? gate.future() : Future.succeededFuture());
    AtomicInteger starts = new AtomicInteger();
    AtomicLong accepted = new AtomicLong();
    start(
        new ScalingPolicy().setAutoScale(false),
        verticle ->
            wrap(
                verticle,
                n -> {
                  if (n != 4) {
                    return Future.succeededFuture();
                  }
                  manager.activateShard(2);
                  accepted.addAndGet(offer(1_000));
                  return Future.failedFuture(new IllegalStateException("no room"));
                },
                starts));
    assertThatThrownBy(() -> await(scaler.scaleUp(2))).cause().hasMessageContaining("no room");
    gate.complete();
    Awaitility.await()
        .untilAsserted(
            () -> assertThat(manager.mapper().orElseThrow().allShardIds()).containsExactly(0, 1));
    await(deployments.flushAll());
    assertThat(manager.pending()).isEmpty();
    assertThat(sink.count()).isEqualTo(accepted.get());
  }

  /** It held events, of which the sink has not answered some yet. */
  @Test
  void shardThatTheEngineActivatedAndRemoved_losesNothing() throws Exception {
    Promise<Void> gate = Promise.promise();
    CountDownLatch written = new CountDownLatch(1);
    start(new ScalingPolicy().setAutoScale(false), verticle -> verticle);
    sink.behave(
        batch -> {
          if (batch.shard() != 2) {
            return Future.succeededFuture();
          }
          written.countDown();
          return gate.future();
        });
    AtomicLong accepted = new AtomicLong();
    AtomicInteger taken = new AtomicInteger();
    manager
        .mapper()
        .orElseThrow()
        .onShardCreated(
            id -> {
              deployments.deploy(manager.shard(id).orElseThrow());
              manager.activateShard(id);
              accepted.addAndGet(offer(1_000));
              Awaitility.await().until(() -> written.getCount() == 0);
              manager.drainShard(id);
              taken.addAndGet(manager.removeShard(id).size());
            });
    assertThatThrownBy(() -> await(scaler.scaleUp(1))).hasMessageContaining("removed");
    gate.complete();
    Awaitility.await()
        .until(() -> manager.pending().isEmpty() && vertx.deploymentIDs().size() == 2);
    assertThat(sink.count() + taken.get()).isEqualTo(accepted.get());
  }

  /** The end of a verticle waits for the write under way. */
  @Test
  void verticleThatIsBeingUndeployed_isAbandonedWithTheOthers() throws Exception {
    CountDownLatch written = new CountDownLatch(2);
    start(new ScalingPolicy().setAutoScale(false), verticle -> verticle);
    sink.behave(
        batch -> {
          written.countDown();
          return Future.future(never -> {});
        });
    offer(1_000);
    written.await();
    Future<Void> undeployed = deployments.undeploy(0);
    await(deployments.abandonAll());
    await(undeployed);
  }

  /** As when Vert.x closes while it deploys. */
  @Test
  void deploymentThatFailsAfterItsVerticleStopped_isNotTriedForEver() throws Exception {
    AtomicInteger starts = new AtomicInteger();
    Function<ShardVerticle, Deployable> stopping =
        verticle ->
            new Deployable() {
              @Override
              public Future<?> deploy(Context context) throws Exception {
                int number = starts.incrementAndGet();
                Future<?> deployed = verticle.deploy(context);
                return number != 3
                    ? deployed
                    : deployed
                        .compose(started -> undeploy(context))
                        .compose(stopped -> Future.failedFuture("Vert.x closes"));
              }

              @Override
              public Future<?> undeploy(Context context) {
                try {
                  return verticle.undeploy(context);
                } catch (Exception e) {
                  return Future.failedFuture(e);
                }
              }
            };
    start(new ScalingPolicy().setAutoScale(false), stopping);
    int deployed = vertx.deploymentIDs().size();
    assertThatThrownBy(() -> await(scaler.scaleUp(1))).hasMessageContaining("Vert.x closes");
    Awaitility.await()
        .during(Duration.ofMillis(500))
        .untilAsserted(
            () -> {
              assertThat(starts.get()).isLessThanOrEqualTo(4);
              assertThat(vertx.deploymentIDs()).hasSize(deployed);
            });
  }

  @Test
  void shardDeployedAfterAllWereAbandoned_isRefused() throws Exception {
    start(new ScalingPolicy().setAutoScale(false), verticle -> verticle);
    Shard late = manager.shard(manager.addShardForce()).orElseThrow();
    await(deployments.abandonAll());
    assertThatThrownBy(() -> await(deployments.deploy(late))).hasMessageContaining("closing");
    await(deployments.undeployAll());
  }

  @Test
  void shardThatIsNotActive_isNotInTheWayOfAFlush() throws Exception {
    AtomicInteger starts = new AtomicInteger();
    start(new ScalingPolicy().setAutoScale(false), failing(n -> n > 2, starts));
    manager.addShardForce();
    manager.drainShard(0);
    await(scaler.adoptThoseWithEvents());
  }

  @Test
  void automaticRequest_keepsTheCooldown() throws Exception {
    answerLate();
    start(
        new ScalingPolicy()
            .setMinShards(2)
            .setMaxShards(8)
            .setFlushLatencyThresholdMicros(1_000)
            .setMetricsWindow(Duration.ofMillis(10))
            .setCooldown(Duration.ofMinutes(10)),
        verticle -> verticle);
    while (manager.numShards() < 3) {
      offerWhenIdle();
      await(scaler.tick());
    }
    for (int i = 0; i < 50; i++) { // several at once, whose decisions are made side by side
      await(Future.all(scaler.tick(), scaler.tick(), scaler.tick()));
    }
    assertThat(scaler.added()).as("in ten minutes").isLessThanOrEqualTo(2);
    await(scaler.scaleUp(1));
  }

  @Test
  void automaticRequest_thatFailedIsNotRepeatedAtOnce() throws Exception {
    AtomicInteger starts = new AtomicInteger();
    answerLate();
    start(
        new ScalingPolicy()
            .setMaxShards(8)
            .setFlushLatencyThresholdMicros(1_000)
            .setMetricsWindow(Duration.ofMillis(10))
            .setCooldown(Duration.ofMinutes(10)),
        failing(n -> n > 2, starts));
    await(scaler.tick());
    while (scaler.failed() == 0) {
      offerWhenIdle();
      await(scaler.tick().otherwiseEmpty());
    }
    for (int i = 0; i < 50; i++) {
      offerWhenIdle();
      await(scaler.tick());
    }
    assertThat(scaler.failed()).as("in ten minutes").isEqualTo(1);
  }

  @Test
  void requests_areRefusedWithTheirReason() throws Exception {
    start(new ScalingPolicy().setMaxShards(3).setMinShards(2), verticle -> verticle);
    assertThatThrownBy(() -> await(scaler.scaleUp(2)))
        .cause()
        .isInstanceOfSatisfying(
            ScalingException.class,
            e -> assertThat(e.reason()).isEqualTo(ScalingException.Reason.AT_MAX_SHARDS));
    assertThatThrownBy(() -> await(scaler.scaleDown(1))).cause().hasMessageContaining("minShards");
    assertThatThrownBy(() -> await(scaler.remove(0))).cause().hasMessageContaining("minShards");
    assertThatThrownBy(() -> await(scaler.remove(77))).cause().hasMessageContaining("shard 77");
    assertThat(manager.mapper().orElseThrow().allShardIds()).containsExactly(0, 1);
    await(scaler.close());
    assertThatThrownBy(() -> await(scaler.scaleUp(1))).cause().hasMessageContaining("closing");
  }

  @Test
  void overload_bringsAShardAndIdlenessTakesItAway() throws Exception {
    answerLate();
    start(
        new ScalingPolicy()
            .setMinShards(2)
            .setMaxShards(3)
            .setMetricsWindow(Duration.ofMillis(50))
            .setCooldown(Duration.ofMillis(10))
            .setScaleDownDelay(Duration.ofMillis(100)),
        verticle -> verticle);
    await(vertx.deployVerticle(new ScalerVerticle(scaler, observers)));
    AtomicLong accepted = new AtomicLong();
    Awaitility.await()
        .until(
            () -> {
              accepted.addAndGet(offer(10_000));
              return scaler.added() > 0; // it may be gone again
            });
    Awaitility.await().until(() -> scaler.removed() == scaler.added());
    assertThat(manager.numShards()).isEqualTo(2);
    await(deployments.flushAll());
    assertThat(sink.count()).isEqualTo(accepted.get());
  }

  /** Each write takes 5 ms: slow, but no hang. */
  private void answerLate() {
    sink.behave(
        batch -> {
          Promise<Void> answer = Promise.promise();
          vertx.setTimer(5, id -> answer.complete());
          return answer.future();
        });
  }

  /** One event after the other: a load that no number of shards is too few for. */
  private void offerWhenIdle() {
    if (manager.pending().isEmpty()) {
      offer(1);
    }
  }

  /** Returns how many were accepted. */
  private long offer(int events) {
    return IntStream.range(0, events)
        .filter(i -> manager.ingestRaw(RawEvent.of("event " + i)).accepted())
        .count();
  }
}
