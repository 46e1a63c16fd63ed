package io.shardbus.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.shardbus.event.RawEvent;
import io.shardbus.shard.ScalingException;
import io.shardbus.shard.ScalingHistory;
import io.shardbus.shard.ScalingPolicy;
import io.shardbus.shard.ShardState;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("once")
class ScalerTest extends ScalerFixture {

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
    start();
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
    start();
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
}
