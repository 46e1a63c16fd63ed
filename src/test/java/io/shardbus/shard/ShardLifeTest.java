package io.shardbus.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.Outcome;
import io.shardbus.event.ShardEvent;
import io.shardbus.shard.ScalingException.Reason;
import io.vertx.core.buffer.Buffer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Shards that come, go, and are sealed. */
@Tag("hot")
class ShardLifeTest extends ManagerFixture {

  @Test
  void provisionedShard_getsNothingUntilItIsActive() {
    ShardManager manager = dynamic(1, policy());
    int id = manager.addShard();
    for (int i = 0; i < 500; i++) {
      assertThat(manager.ingestRaw(event(i)).shard()).isZero();
    }
    manager.activateShard(id);
    manager.activateShard(id);
    boolean chosen = false;
    for (int i = 0; i < 500; i++) {
      chosen |= manager.ingestRaw(event(i)).shard() == id;
    }
    assertThat(chosen).isTrue();
  }

  @Test
  void drainedShard_keepsItsEventsAndItsHistory() {
    ShardManager manager = dynamic(2, policy());
    for (int i = 0; i < 1_000; i++) {
      manager.ingestRaw(event(i));
    }
    int inOne = manager.shard(1).orElseThrow().size();
    manager.withShard(1, shard -> shard.popBatch(10));
    assertReason(Reason.ILLEGAL_STATE, () -> manager.removeShard(1));
    manager.drainShard(1);
    manager.drainShard(1);
    for (int i = 0; i < 500; i++) {
      assertThat(manager.ingestRaw(event(i)).shard()).isZero();
    }
    assertReason(Reason.ILLEGAL_STATE, () -> manager.activateShard(1));
    ShardStats before = manager.stats();
    List<ShardEvent> leftovers = manager.removeShard(1);
    assertThat(leftovers).hasSize(inOne - 10);
    assertThat(leftovers.get(0).sequence()).isEqualTo(10);
    for (int i = 1; i < leftovers.size(); i++) {
      assertThat(leftovers.get(i).sequence()).isEqualTo(leftovers.get(i - 1).sequence() + 1);
    }
    assertThat(manager.stats().eventsIngested()).isEqualTo(before.eventsIngested());
    assertThat(manager.accounting(1).orElseThrow().accepted()).isEqualTo(inOne);
    assertBalanced(manager.accounting());
    assertReason(Reason.UNKNOWN_SHARD, () -> manager.removeShard(1));
    pass(Duration.ofSeconds(11));
    assertThat(manager.addShard()).isEqualTo(2);
  }

  @Test
  void drainShard_neverGoesBelowTheMinimum() {
    ShardManager manager = dynamic(3, policy().setMinShards(2));
    ShardMapper mapper = manager.mapper().orElseThrow();
    int coming = manager.addShardForce();
    manager.drainShard(1);
    assertReason(Reason.AT_MIN_SHARDS, () -> manager.drainShard(0));
    assertReason(Reason.AT_MIN_SHARDS, () -> mapper.scaleDownShard(2));
    assertThat(mapper.activeShardIds()).containsExactly(0, 2);
    assertThat(manager.ingestRaw(event(1)).accepted()).isTrue();
    manager.drainShard(1); // is on its way out
    manager.drainShard(coming); // never was active
    assertThat(mapper.shardState(coming)).contains(ShardState.DRAINING);
  }

  @Test
  void drainShard_leavesTheLastActiveShard() {
    ShardManager manager = dynamic(1, policy());
    int coming = manager.addShardForce();
    assertReason(Reason.AT_MIN_SHARDS, () -> manager.drainShard(0));
    manager.drainShard(coming);
    assertThat(manager.ingestRaw(event(1)).shard()).isZero();
  }

  @Test
  void activate_isForAllOrNone() {
    ShardManager manager = dynamic(2, policy().setMaxShards(8));
    ShardMapper mapper = manager.mapper().orElseThrow();
    List<Integer> coming = mapper.scaleUp(3);
    manager.drainShard(coming.get(2));
    assertReason(Reason.ILLEGAL_STATE, () -> mapper.activate(coming));
    assertReason(Reason.UNKNOWN_SHARD, () -> mapper.activate(List.of(coming.get(0), 77)));
    assertThat(mapper.activeShardIds()).containsExactly(0, 1);
    mapper.activate(coming.subList(0, 2));
    assertThat(mapper.activeShardIds()).containsExactly(0, 1, coming.get(0), coming.get(1));
  }

  @Test
  void contradictoryPolicy_isRefusedAtTheStartAsLater() {
    ScalingPolicy bad = new ScalingPolicy().setMinShards(10).setMaxShards(5);
    ShardMapper mapper = dynamic(2, policy()).mapper().orElseThrow();
    assertReason(Reason.INVALID_POLICY, () -> mapper.changePolicy(bad));
    assertReason(Reason.INVALID_POLICY, () -> dynamic(2, bad));
    assertReason(Reason.INVALID_POLICY, () -> dynamic(12, bad));
    // What a start does lift.
    int most = dynamic(12, policy()).mapper().orElseThrow().policy().getMaxShards();
    assertThat(most).isEqualTo(12);
  }

  @Test
  void addShard_respectsCooldownAndBudget() {
    ShardManager manager = dynamic(1, policy());
    manager.addShard();
    assertReason(Reason.IN_COOLDOWN, manager::addShard);
    manager.addShardForce();
    manager.addShardForce();
    assertReason(Reason.AT_MAX_SHARDS, manager::addShardForce);
    pass(Duration.ofSeconds(10));
    assertReason(Reason.AT_MAX_SHARDS, manager::addShard);
    assertThat(manager.removeShard(1)).isEmpty();
    assertThat(manager.addShard()).isEqualTo(4);
  }

  @Test
  void scaleDown_respectsTheMinimum() {
    ShardManager manager = dynamic(3, policy().setMinShards(2));
    ShardMapper mapper = manager.mapper().orElseThrow();
    assertReason(Reason.AT_MIN_SHARDS, () -> mapper.scaleDown(2));
    assertThat(mapper.scaleDown(1)).hasSize(1);
    assertThat(mapper.activeShardCount()).isEqualTo(2);
    assertThat(mapper.finalizeDraining()).hasSize(1);
    assertThat(mapper.removeStoppedShards()).hasSize(1);
    assertThat(mapper.totalShardCount()).isEqualTo(2);
  }

  @Test
  void staticMode_refusesScaling() {
    ShardManager manager = new ShardManager(2, 1024, BackpressureMode.DROP_NEWEST);
    assertThat(manager.mapper()).isEmpty();
    assertThat(manager.collectMetrics()).isEmpty();
    assertThat(manager.evaluateScaling()).isEqualTo(ScalingDecision.NONE);
    assertReason(Reason.SCALING_DISABLED, manager::addShard);
    assertReason(Reason.SCALING_DISABLED, () -> manager.drainShard(0));
  }

  @Test
  void close_refusesAndKeepsWhatIsThere() {
    ShardManager manager = dynamic(2, policy());
    for (int i = 0; i < 100; i++) {
      manager.ingestRaw(event(i));
    }
    manager.close();
    manager.close();
    assertThat(manager.ingestRaw(event(1)).outcome()).isEqualTo(Outcome.CLOSED);
    assertThat(manager.ingestRawBatch(List.of(event(1))).dropped()).isEqualTo(1);
    assertThat(manager.totalPendingInRings()).isEqualTo(100);
    int got = 0;
    for (int id = 0; id < 2; id++) {
      got += manager.withShard(id, shard -> shard.popBatch(1000).size()).orElseThrow();
    }
    assertThat(got).isEqualTo(100);
    assertThat(manager.allShardsEmpty()).isTrue();
  }

  @Test
  void withMapper_liftsMaxShards() {
    ShardManager manager =
        ShardManager.withMapper(6, 1024, BackpressureMode.DROP_NEWEST, ScalingPolicy.defaults(2));
    assertThat(manager.mapper().orElseThrow().policy().getMaxShards()).isEqualTo(6);
  }

  /** As an event loop does while somebody has a shard's consumer side and another wants it. */
  @Test
  void reading_waitsForNobody() throws Exception {
    ShardManager manager = dynamic(2, policy());
    fill(manager, 100);
    CountDownLatch held = new CountDownLatch(1);
    CountDownLatch letGo = new CountDownLatch(1);
    Thread holder =
        new Thread(
            () ->
                manager.withShard(
                    0,
                    shard -> {
                      held.countDown();
                      awaitQuietly(letGo);
                      return shard;
                    }));
    holder.start();
    awaitQuietly(held);
    Thread drainer = new Thread(() -> manager.drainShard(0));
    drainer.start();
    ShardMapper mapper = manager.mapper().orElseThrow();
    Awaitility.await().until(() -> mapper.shardState(0).equals(Optional.of(ShardState.DRAINING)));
    CompletableFuture.runAsync(
            () -> {
              assertThat(manager.accounting().accepted()).isEqualTo(100);
              assertThat(manager.stats().eventsIngested()).isEqualTo(100);
              assertThat(manager.tryTotalPendingInRings().uncountedShards()).isEqualTo(1);
              mapper.slotsByShard();
              mapper.slotsMoved();
              mapper.changePolicy(mapper.policy());
              manager.ingestRaw(event(1));
            })
        .get(10, TimeUnit.SECONDS);
    letGo.countDown();
    holder.join();
    drainer.join();
  }

  private static void awaitQuietly(CountDownLatch latch) {
    try {
      assertThat(latch.await(10, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  /** So that a producer with an old routing table asks the new one, and is not refused. */
  @Test
  void sealedShard_sendsItsProducersBack() {
    for (BackpressureMode mode :
        List.of(
            BackpressureMode.FAIL_PRODUCER,
            BackpressureMode.DROP_OLDEST,
            BackpressureMode.sample(2))) {
      Shard shard = new Shard(0, 1024, mode, 1 << 20, new ShardLedger(), () -> 1);
      QueuedEvent event = QueuedEvent.of(Buffer.buffer("x"), null, 1, null);
      assertThat(shard.main().offer(event, true)).isEqualTo(Push.ACCEPTED);
      shard.requestSeal();
      assertThat(shard.main().offer(event, true)).as("%s", mode).isEqualTo(Push.SEALED);
      assertThat(shard.main().offerMany(new QueuedEvent[] {event}, 1)).isZero();
      assertThat(shard.consumer().takeLeftovers().events()).hasSize(1);
      assertThat(shard.main().offer(event, true)).as("%s", mode).isEqualTo(Push.SEALED);
      assertThat(shard.accounting().offered()).isEqualTo(1);
    }
  }

  /** The accounts of a shard that is being closed to its producers. */
  @Test
  void accepted_neverGoesBackWhileAShardIsSealed() throws Exception {
    for (int round = 0; round < 200; round++) {
      Shard shard =
          new Shard(0, 4096, BackpressureMode.FAIL_PRODUCER, 1 << 20, new ShardLedger(), () -> 1);
      AtomicBoolean over = new AtomicBoolean();
      Thread producer =
          new Thread(
              () -> {
                QueuedEvent event = QueuedEvent.of(Buffer.buffer("x"), null, 1, null);
                while (shard.main().offer(event, false) != Push.SEALED && !over.get()) {
                  Thread.onSpinWait();
                }
              });
      CompletableFuture<Void> reader =
          CompletableFuture.runAsync(
              () -> {
                long before = 0;
                while (!over.get()) {
                  long now = shard.accounting().accepted();
                  assertThat(now).isGreaterThanOrEqualTo(before);
                  assertThat(shard.size()).isBetween(0, 4096);
                  before = now;
                }
              });
      producer.start();
      shard.popBatch(1000);
      shard.requestSeal();
      over.set(true);
      producer.join();
      reader.get(10, TimeUnit.SECONDS);
      long accepted = shard.accounting().accepted();
      assertThat(shard.size() + shard.consumer().drained()).isEqualTo(accepted);
    }
  }
}
