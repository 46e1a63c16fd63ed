package io.shardbus.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.event.BatchIngestResult;
import io.shardbus.event.IngestResult;
import io.shardbus.event.JsonCheck;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.shardbus.shard.ScalingException.Reason;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import java.math.BigInteger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ShardManagerTest {

  private final AtomicLong clock = new AtomicLong(1_000);

  private ShardManager dynamic(int shards, ScalingPolicy policy) {
    return new ShardManager(
        shards, 1024, BackpressureMode.FAIL_PRODUCER, policy, ShardLimits.DEFAULT, clock::get);
  }

  private static ScalingPolicy policy() {
    return ScalingPolicy.defaults(4).setCooldown(Duration.ofSeconds(10));
  }

  private void pass(Duration time) {
    clock.addAndGet(time.toNanos());
  }

  private static RawEvent event(int i) {
    return RawEvent.of("event " + i);
  }

  private static void assertBalanced(ShardAccounting a) {
    assertThat(a.accepted())
        .isEqualTo(
            a.delivered() + a.evicted() + a.deadLettered() + a.pendingInRing() + a.inFlight());
  }

  private static void assertReason(Reason reason, Runnable call) {
    assertThatThrownBy(call::run)
        .isInstanceOfSatisfying(
            ScalingException.class, e -> assertThat(e.reason()).isEqualTo(reason));
  }

  // ------------------------------------------------------------------ routing

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7, 16, 1000, 65_535})
  void staticRouting_isTheHighWordOfTheUnsignedProduct(int shards) {
    ShardManager manager = new ShardManager(shards, 1024, BackpressureMode.DROP_NEWEST);
    Random random = new Random(1);
    long[] edges = {0, 1, -1, Long.MAX_VALUE, Long.MIN_VALUE};
    for (int i = 0; i < 2_000; i++) {
      long hash = i < edges.length ? edges[i] : random.nextLong();
      int expected =
          new BigInteger(Long.toUnsignedString(hash))
              .multiply(BigInteger.valueOf(shards))
              .shiftRight(64)
              .intValue();
      assertThat(manager.selectShardByHash(hash)).isEqualTo(expected);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 5, 6, 7, 31, 100})
  void dynamicRouting_givesEqualShares(int shards) {
    ShardManager manager = dynamic(1, ScalingPolicy.defaults(shards).setCooldown(Duration.ZERO));
    for (int i = 1; i < shards; i++) {
      manager.activateShard(manager.addShard());
    }
    var slots = manager.mapper().orElseThrow().slotsByShard();
    double mean = slots.values().stream().mapToInt(i -> i).average().orElseThrow();
    assertThat(slots).hasSize(shards);
    assertThat(slots.values()).allSatisfy(n -> assertThat(n / mean).isBetween(0.95, 1.05));
  }

  @Test
  void pushByAnEarlierRouting_doesNothing() {
    ShardManager manager = dynamic(1, ScalingPolicy.defaults(8).setCooldown(Duration.ZERO));
    long epoch = manager.routingEpoch();
    assertThat(manager.tryIngestRaw(event(1), null, epoch)).matches(IngestResult::accepted);
    manager.activateShard(manager.addShard());
    assertThat(manager.tryIngestRaw(event(2), null, epoch)).isNull();
    assertThat(manager.accounting().offered()).isEqualTo(1);
    assertThat(manager.tryIngestRaw(event(2), null, manager.routingEpoch()))
        .matches(IngestResult::accepted);
    assertThat(manager.accounting().accepted()).isEqualTo(2);
    manager.close();
    assertThat(manager.tryIngestRaw(event(3), null, manager.routingEpoch()))
        .isEqualTo(IngestResult.refused(Outcome.CLOSED));
  }

  @Test
  void scaling_movesNoMoreSlotsThanItMust() {
    ShardManager manager = dynamic(4, ScalingPolicy.defaults(8).setCooldown(Duration.ZERO));
    ShardMapper mapper = manager.mapper().orElseThrow();
    long before = mapper.slotsMoved();
    int id = manager.addShard();
    manager.activateShard(id);
    int got = mapper.slotsByShard().get(id);
    assertThat(mapper.slotsMoved() - before).isEqualTo(got);
    manager.drainShard(id);
    assertThat(mapper.slotsMoved() - before).isEqualTo(2L * got);
  }

  @Test
  void loadsOfAnEarlierSetOfShards_moveNothing() {
    ShardManager manager = dynamic(3, ScalingPolicy.defaults(8).setCooldown(Duration.ZERO));
    ShardMapper mapper = manager.mapper().orElseThrow();
    List<ShardLoad> loads = new ArrayList<>();
    DrainCapacity.Estimate busy = new DrainCapacity.Estimate(100, 1);
    for (Shard shard : manager.shards()) {
      int pending = shard.id() == 0 ? 1000 : 0;
      loads.add(new ShardLoad(shard, true, 100, busy, pending, 0.5, true, 0, 0));
    }
    // Measured, and then one goes and another comes before the slots follow.
    manager.drainShard(2);
    int newcomer = manager.addShardForce();
    manager.activateShard(newcomer);
    var before = mapper.slotsByShard();
    assertThat(before.keySet()).containsExactly(0, 1, newcomer);
    mapper.rebalance(loads);
    assertThat(mapper.slotsByShard()).isEqualTo(before);
    manager.drainShard(newcomer);
    mapper.rebalance(loads);
    assertThat(mapper.slotsByShard().keySet()).containsExactly(0, 1);
    assertThat(mapper.slotsByShard().get(0)).isLessThan(mapper.slotsByShard().get(1));
    for (long hash = 0; hash < 1024; hash++) {
      assertThat(manager.selectShardByHash(hash << 54)).isBetween(0, 1);
    }
  }

  @Test
  @SuppressWarnings("deprecation")
  void selectShard_ofJsonIsWhereItIsIngested() {
    ShardManager manager = new ShardManager(8, 1024, BackpressureMode.DROP_NEWEST);
    JsonObject json = new JsonObject().put("user", "u1");
    assertThat(manager.ingest(json).shard()).isEqualTo(manager.selectShard(json));
  }

  @Test
  void badArguments_areNamed() {
    assertThatThrownBy(() -> new ShardManager(0, 1024, BackpressureMode.DROP_NEWEST))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("numShards: 0")
        .hasMessageContaining("1 to 65535");
    assertThatThrownBy(() -> new ShardManager(65_536, 1024, BackpressureMode.DROP_NEWEST))
        .isInstanceOf(IllegalArgumentException.class);
    for (int capacity : new int[] {-1, 0, 512, 1023, 1025, 1 << 27}) {
      assertThatThrownBy(() -> new ShardManager(1, capacity, BackpressureMode.DROP_NEWEST))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("ringCapacity: " + capacity);
    }
  }

  // ------------------------------------------------------------------ modes

  private static ShardManager full(BackpressureMode mode) {
    ShardManager manager = new ShardManager(1, 1024, mode);
    for (int i = 0; i < 1024; i++) {
      assertThat(manager.ingestRaw(event(i)).accepted()).isTrue();
    }
    return manager;
  }

  @Test
  void dropNewestAndFailProducer_refuseWhenFull() {
    for (BackpressureMode mode :
        List.of(BackpressureMode.DROP_NEWEST, BackpressureMode.FAIL_PRODUCER)) {
      ShardManager manager = full(mode);
      assertThat(manager.ingestRaw(event(9999)).outcome()).isEqualTo(Outcome.BACKPRESSURE);
      assertThat(manager.stats()).isEqualTo(new ShardStats(1024, 1, 0, 0));
      List<ShardEvent> got = manager.withShard(0, shard -> shard.popBatch(5000)).orElseThrow();
      assertThat(got).hasSize(1024);
      assertThat(got.get(0).payload().toString()).isEqualTo("event 0");
      assertBalanced(manager.accounting());
    }
  }

  @Test
  void dropOldest_evictsAndAccepts() {
    ShardManager manager = full(BackpressureMode.DROP_OLDEST);
    AtomicInteger evicted = new AtomicInteger();
    DeliveryAck ack =
        new DeliveryAck() {
          @Override
          public void delivered(int events) {}

          @Override
          public void failed(Outcome failure, int events) {
            assertThat(failure).isEqualTo(Outcome.EVICTED);
            evicted.incrementAndGet();
          }
        };
    for (int i = 1024; i < 3072; i++) {
      assertThat(manager.ingestRaw(event(i), ack).outcome()).isEqualTo(Outcome.ACCEPTED);
    }
    assertThat(evicted).hasValue(1024);
    List<ShardEvent> got = manager.withShard(0, shard -> shard.popBatch(5000)).orElseThrow();
    assertThat(got.get(0).payload().toString()).isEqualTo("event 2048");
    assertThat(got.get(0).sequence()).isZero();
    assertThat(got).hasSize(1024);
    assertThat(manager.accounting().evicted()).isEqualTo(2048);
    assertThat(manager.stats().eventsDropped()).isEqualTo(2048);
    assertBalanced(manager.accounting());
  }

  /** Whoever closes the ring waits for producers that evict, but not for what an ack does. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void ackOfAnEvictedEvent_mayWaitForAChangeOfTheShards(boolean batch) throws Exception {
    ShardManager manager =
        ShardManager.withMapper(
            2, 1024, BackpressureMode.DROP_OLDEST, new ScalingPolicy().setAutoScale(false));
    AtomicInteger told = new AtomicInteger();
    AtomicBoolean stuck = new AtomicBoolean();
    DeliveryAck ack =
        new DeliveryAck() {
          @Override
          public void delivered(int events) {}

          @Override
          public void failed(Outcome failure, int events) {
            if (told.getAndIncrement() == 0) {
              CompletableFuture<Void> change =
                  CompletableFuture.runAsync(
                      () -> manager.drainShard(0), each -> new Thread(each).start());
              try {
                change.get(10, TimeUnit.SECONDS);
              } catch (Exception e) {
                stuck.set(true);
              }
            }
          }
        };
    List<RawEvent> events = new ArrayList<>();
    for (int i = 0; i < 3000; i++) {
      events.add(RawEvent.ofHash(Buffer.buffer("event " + i), 0)); // all of shard 0
    }
    if (batch) {
      assertThat(manager.ingestRawBatch(events, ack).accepted()).isEqualTo(3000);
    } else {
      events.forEach(each -> manager.ingestRaw(each, ack));
    }
    assertThat(told).hasPositiveValue();
    assertThat(stuck).isFalse();
    assertThat(manager.mapper().orElseThrow().shardState(0)).contains(ShardState.DRAINING);
    assertBalanced(manager.accounting());
  }

  @Test
  void sample_keepsOneInNAboveThreeQuarters() {
    ShardManager manager = new ShardManager(1, 1024, BackpressureMode.sample(10));
    for (int i = 0; i < 769; i++) {
      assertThat(manager.ingestRaw(event(i)).outcome()).isEqualTo(Outcome.ACCEPTED);
    }
    int kept = 0;
    for (int i = 0; i < 1000; i++) {
      Outcome outcome = manager.ingestRaw(event(i)).outcome();
      assertThat(outcome).isIn(Outcome.ACCEPTED, Outcome.SAMPLED);
      kept += outcome == Outcome.ACCEPTED ? 1 : 0;
    }
    assertThat(kept).isEqualTo(100);
    for (int i = 0; i < 10_000; i++) {
      manager.ingestRaw(event(i));
    }
    assertThat(manager.shard(0).orElseThrow().size()).isEqualTo(1024);
    assertThat(manager.ingestRaw(event(1)).outcome()).isEqualTo(Outcome.SAMPLED);
    assertBalanced(manager.accounting());
  }

  @Test
  void bytes_areBoundedForLargeEvents() {
    ShardLimits limits = new ShardLimits(10_000, 20_000, JsonCheck.DEFAULT);
    RawEvent large = RawEvent.of(Buffer.buffer(new byte[9_000]));
    ShardManager manager = new ShardManager(1, 1024, BackpressureMode.DROP_NEWEST, limits);
    assertThat(manager.ingestRaw(large).accepted()).isTrue();
    assertThat(manager.ingestRaw(large).accepted()).isTrue();
    assertThat(manager.ingestRaw(large).outcome()).isEqualTo(Outcome.BACKPRESSURE);
    assertThat(manager.ingestRaw(event(1)).accepted()).isTrue();
    assertThat(manager.ingestRaw(RawEvent.of(new byte[10_001])).outcome())
        .isEqualTo(Outcome.TOO_LARGE);
    manager.withShard(0, shard -> shard.popBatch(1));
    assertThat(manager.ingestRaw(large).accepted()).isTrue();

    ShardManager evicting = new ShardManager(1, 1024, BackpressureMode.DROP_OLDEST, limits);
    for (int i = 0; i < 5; i++) {
      assertThat(evicting.ingestRaw(large).accepted()).isTrue();
    }
    assertThat(evicting.shard(0).orElseThrow().main().ring().largeBytes()).isEqualTo(18_000);
    assertThat(evicting.accounting().evicted()).isEqualTo(3);
    evicting.withShard(0, shard -> shard.popBatch(10));
    assertThat(evicting.shard(0).orElseThrow().main().ring().largeBytes()).isZero();
  }

  // ------------------------------------------------------------------ draining

  @Test
  void drain_givesContiguousSequencesAndRisingTimestamps() {
    ShardManager manager =
        new ShardManager(
            1, 1024, BackpressureMode.DROP_NEWEST, null, ShardLimits.DEFAULT, () -> 5_000L);
    for (int i = 0; i < 100; i++) {
      manager.ingestRaw(event(i));
    }
    List<ShardEvent> got = manager.withShard(0, shard -> shard.popBatch(100)).orElseThrow();
    for (int i = 0; i < 100; i++) {
      assertThat(got.get(i).sequence()).isEqualTo(i);
      assertThat(got.get(i).timestamp()).isEqualTo(5_000L + i);
      assertThat(got.get(i).payload().toString()).isEqualTo("event " + i);
    }
  }

  @Test
  void batch_isGroupedAndKeepsTheOrderOfEachShard() {
    ShardManager manager = new ShardManager(3, 1024, BackpressureMode.DROP_NEWEST);
    List<RawEvent> events = new ArrayList<>();
    for (int i = 0; i < 2_000; i++) {
      events.add(event(i));
    }
    events.add(RawEvent.of(new byte[17 << 20]));
    assertThat(manager.ingestRawBatch(events)).isEqualTo(new BatchIngestResult(2_000, 1, 0, 0));
    List<ShardEvent> all = new ArrayList<>();
    for (int id = 0; id < 3; id++) {
      List<ShardEvent> got = manager.withShard(id, shard -> shard.popBatch(5000)).orElseThrow();
      List<Integer> numbers =
          got.stream().map(e -> Integer.parseInt(e.payload().toString().substring(6))).toList();
      assertThat(numbers).isSorted();
      all.addAll(got);
    }
    assertThat(all).hasSize(2_000);
  }

  /** Else whoever sends the batch again has its first events twice. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 256, 300, 999})
  void batchWithoutAnEvent_isRefusedBeforeAnyIsTaken(int index) {
    ShardManager manager = new ShardManager(2, 1024, BackpressureMode.FAIL_PRODUCER);
    List<RawEvent> events = new ArrayList<>();
    for (int i = 0; i < 1_000; i++) {
      events.add(i == index ? null : event(i));
    }
    assertThatThrownBy(() -> manager.ingestRawBatch(events))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("events[" + index + "]");
    List<RawEvent> broken =
        new java.util.AbstractList<>() {
          @Override
          public RawEvent get(int i) {
            if (i == index) {
              throw new UnsupportedOperationException();
            }
            return event(i);
          }

          @Override
          public int size() {
            return 1_000;
          }
        };
    assertThatThrownBy(() -> manager.ingestRawBatch(broken))
        .isInstanceOf(UnsupportedOperationException.class);
    assertThatThrownBy(() -> manager.ingestRaw(null)).isInstanceOf(NullPointerException.class);
    assertThat(manager.accounting()).isEqualTo(ShardAccounting.ZERO);
    assertThat(manager.allShardsEmpty()).isTrue();
    assertThat(manager.ingestRawBatch(List.of(event(1))).accepted()).isEqualTo(1);
  }

  @Test
  void batch_largerThanTheRingIsCountedEvent() {
    ShardManager manager = new ShardManager(1, 1024, BackpressureMode.FAIL_PRODUCER);
    List<RawEvent> events = new ArrayList<>();
    for (int i = 0; i < 1_500; i++) {
      events.add(event(i));
    }
    assertThat(manager.ingestRawBatch(events)).isEqualTo(new BatchIngestResult(1024, 476, 0, 0));
    assertThat(manager.stats().eventsDropped()).isEqualTo(476);
  }

  @Test
  void withShard_unknownIsEmpty() {
    ShardManager manager = new ShardManager(1, 1024, BackpressureMode.DROP_NEWEST);
    assertThat(manager.withShard(1, Shard::size)).isEmpty();
    assertThat(manager.withShard(0, shard -> null)).isEmpty();
  }

  @Test
  void tryTotalPending_doesNotWait() throws Exception {
    ShardManager manager = new ShardManager(2, 1024, BackpressureMode.DROP_NEWEST);
    for (int i = 0; i < 100; i++) {
      manager.ingestRaw(event(i));
    }
    assertThat(manager.totalPendingInRings()).isEqualTo(100);
    PendingCount[] seen = new PendingCount[1];
    manager.withShard(
        0,
        shard -> {
          Thread other = new Thread(() -> seen[0] = manager.tryTotalPendingInRings());
          other.start();
          try {
            other.join();
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
          return null;
        });
    assertThat(seen[0].uncountedShards()).isEqualTo(1);
    assertThat(seen[0].counted()).isEqualTo(manager.shard(1).orElseThrow().size());
    assertThat(manager.tryTotalPendingInRings()).isEqualTo(new PendingCount(100, 0));
  }

  // ------------------------------------------------------------------ the life of shards

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

  /** Else a batch of small events with large headers would be many times as large as allowed. */
  @Test
  void bytesOfABatch_countKeyIdAndHeaders() {
    ShardManager one = new ShardManager(1, 1024, BackpressureMode.FAIL_PRODUCER);
    RawEvent event =
        RawEvent.builder(Buffer.buffer("x"))
            .key("k")
            .id("id")
            .header("h", "v".repeat(1_000))
            .build();
    for (int i = 0; i < 100; i++) {
      one.ingestRaw(event);
    }
    DrainBuffer buffer = new DrainBuffer(0, 100);
    one.withShard(0, shard -> shard.tryDrain(buffer, 100, 10_000));
    assertThat(event.totalSize()).isEqualTo(1 + 1 + 2 + 1 + 1_000);
    assertThat(buffer.size()).isEqualTo(10);
    assertThat(buffer.bytes()).isEqualTo(10L * event.totalSize());
  }

  @Test
  void withoutAnActiveShard_eventsAreUnrouted() {
    ShardSet none = new ShardSet(1024, BackpressureMode.FAIL_PRODUCER, 1 << 20, () -> 1);
    Ingestion ingestion = new Ingestion(none, ShardLimits.DEFAULT, clock::get);
    assertThat(ingestion.ingest(event(1), null, true).outcome()).isEqualTo(Outcome.UNROUTED);
    assertThat(ingestion.ingestBatch(List.of(event(1), event(2)), null))
        .isEqualTo(new BatchIngestResult(0, 0, 2, 0));
    assertThat(ingestion.unrouted()).isEqualTo(3);
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

  // ------------------------------------------------------------------ scaling decisions

  private void fill(ShardManager manager, int events) {
    for (int i = 0; i < events; i++) {
      manager.ingestRaw(event(i));
    }
  }

  private ScalingDecision nextWindow(ShardManager manager) {
    pass(Duration.ofSeconds(1));
    return manager.evaluateScaling();
  }

  @Test
  void overload_asksForShardsWithinTwoWindows() {
    ShardManager manager = dynamic(1, policy());
    assertThat(nextWindow(manager)).isEqualTo(ScalingDecision.NONE);
    fill(manager, 900);
    ScalingDecision decision = nextWindow(manager);
    assertThat(decision.direction()).isEqualTo(ScalingDecision.Direction.UP);
    assertThat(decision.count()).isEqualTo(1);
    manager.activateShard(manager.addShard());
    Shard second = manager.shard(1).orElseThrow(); // the first one hangs: nobody drains it
    nextWindow(manager);
    second.recordFlush(TimeUnit.SECONDS.toNanos(1));
    assertThat(nextWindow(manager)).as("cooldown").isEqualTo(ScalingDecision.NONE);
    pass(Duration.ofSeconds(10));
    second.recordFlush(TimeUnit.SECONDS.toNanos(1));
    assertThat(nextWindow(manager).direction()).isEqualTo(ScalingDecision.Direction.UP);
  }

  @Test
  void tick_thatIsEarlyEndsItsWindowAllTheSame() {
    ShardManager manager = dynamic(1, policy());
    int perWindow = 100;
    for (int i = 0; i < 10; i++) {
      fill(manager, perWindow);
      manager.withShard(0, shard -> shard.popBatch(1000));
      pass(Duration.ofMillis(i % 2 == 0 ? 1_040 : 960)); // as the threads that run it come and go
      assertThat(manager.collectMetrics().orElseThrow().get(0).eventRate())
          .as("window %d", i)
          .isBetween(90L, 110L);
    }
  }

  @Test
  void oneWindow_isActedOnOnce() {
    ShardManager manager = dynamic(1, policy().setCooldown(Duration.ZERO));
    nextWindow(manager);
    fill(manager, 900);
    assertThat(nextWindow(manager).direction()).isEqualTo(ScalingDecision.Direction.UP);
    pass(Duration.ofMillis(10));
    assertThat(manager.evaluateScaling()).isEqualTo(ScalingDecision.NONE);
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

  @Test
  void autoScaleOff_asksForNothing() {
    ShardManager manager = dynamic(1, policy().setAutoScale(false));
    nextWindow(manager);
    fill(manager, 1024);
    assertThat(nextWindow(manager)).isEqualTo(ScalingDecision.NONE);
  }

  @Test
  void idleness_mustLastWithoutABreak() {
    ShardManager manager =
        dynamic(2, policy().setCooldown(Duration.ZERO).setScaleDownDelay(Duration.ofSeconds(5)));
    for (int i = 0; i < 5; i++) {
      assertThat(nextWindow(manager)).isEqualTo(ScalingDecision.NONE);
    }
    fill(manager, 600); // above the underutilized threshold, below overload
    assertThat(nextWindow(manager)).isEqualTo(ScalingDecision.NONE);
    for (int id = 0; id < 2; id++) {
      manager.withShard(id, shard -> shard.popBatch(1000));
    }
    for (int i = 0; i < 5; i++) {
      assertThat(nextWindow(manager)).as("second %d", i).isEqualTo(ScalingDecision.NONE);
    }
    assertThat(nextWindow(manager).direction()).isEqualTo(ScalingDecision.Direction.DOWN);
  }

  /** Some systems have a clock of 100 ns, of 15.6 ms, or of a power of two. */
  @ParameterizedTest
  @ValueSource(longs = {1, 41, 64, 100, 1024, 1_000_000, 15_625_000})
  void coarseClock_samplesAllKeysAlike(long granularity) {
    AtomicLong time = new AtomicLong(granularity * (1_700_000_000_000_000_000L / granularity));
    ShardManager manager =
        new ShardManager(
            1, 1024, BackpressureMode.FAIL_PRODUCER, null, ShardLimits.DEFAULT, time::get);
    Shard shard = manager.shard(0).orElseThrow();
    Random random = new Random(5);
    for (int key = 0; key < 64; key++) {
      RawEvent event = RawEvent.ofHash(Buffer.buffer("{}"), random.nextLong());
      long before = shard.pushLatency().read().count();
      for (int i = 0; i < 25_600; i++) {
        time.addAndGet(granularity);
        manager.ingestRaw(event);
        shard.pop();
      }
      assertThat(shard.pushLatency().read().count() - before)
          .as("events of key %d in the sample", key)
          .isBetween(80L, 120L);
    }
  }

  @Test
  void metrics_tellOfTheWindow() {
    ShardManager manager = dynamic(1, policy());
    fill(manager, 512);
    pass(Duration.ofSeconds(2));
    ShardMetrics metrics = manager.collectMetrics().orElseThrow().get(0);
    assertThat(metrics.eventRate()).isEqualTo(256);
    assertThat(metrics.fillRatio()).isEqualTo(0.5);
    assertThat(metrics.weight()).isEqualTo(1.0);
    assertThat(metrics.draining()).isFalse();
    pass(Duration.ofMillis(100));
    assertThat(manager.collectMetrics().orElseThrow().get(0)).isEqualTo(metrics);
  }
}
