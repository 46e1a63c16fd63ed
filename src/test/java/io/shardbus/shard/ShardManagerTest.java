package io.shardbus.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.event.BatchIngestResult;
import io.shardbus.event.IngestResult;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import java.math.BigInteger;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("hot")
class ShardManagerTest extends ManagerFixture {

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
}
