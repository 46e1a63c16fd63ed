package io.shardbus.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.vertx.core.buffer.Buffer;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.IntToDoubleFunction;
import java.util.function.Supplier;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * How slots of keys follow the load: on the shipped engine, in virtual time, with windows of one
 * second. What {@code popBatch} hands over counts as settled.
 */
@Tag("once")
class KeyedBalanceTest {

  private static final int TICKS_PER_SECOND = 100;
  private static final int KEYS = 20_000;

  private final Random random = new Random(42);
  private final Random gaps = new Random(42);
  private final double[] credit = new double[64];
  private final String[] keys = new String[KEYS];
  private IntToDoubleFunction drainRate = shard -> 5_000;
  private double keyed = 1;
  private Supplier<RawEvent> hot = () -> null;
  private ShardManager manager = manager(4, 8192);
  private long now;
  private double due;

  /** Events had, by the shard that their hash belonged to at the start. */
  private final long[] hadByHome = new long[64];

  private int[] homes = new int[0];

  KeyedBalanceTest() {
    Arrays.setAll(keys, i -> "key " + i);
  }

  private ShardManager manager(int shards, int capacity) {
    return new ShardManager(
        shards,
        capacity,
        BackpressureMode.FAIL_PRODUCER,
        new ScalingPolicy()
            .setMaxShards(32)
            .setAutoScale(false)
            .setCooldown(Duration.ZERO)
            .setMetricsWindow(Duration.ofSeconds(1)),
        ShardLimits.DEFAULT,
        () -> now);
  }

  private void run(double seconds, double rate) {
    for (int tick = 0; tick < seconds * TICKS_PER_SECOND; tick++) {
      long end = now + 1_000_000_000L / TICKS_PER_SECOND;
      due += rate / TICKS_PER_SECOND;
      for (; due >= 1; due--) {
        now += gaps.nextInt((int) ((end - now) / due)); // the sample of the load goes by the time
        offer();
      }
      now = end;
      manager.shards().forEach(this::drain);
      if (now % 1_000_000_000L == 0) {
        manager.collectMetrics();
      }
    }
  }

  private void offer() {
    RawEvent ofHot = hot.get();
    if (ofHot != null) {
      manager.ingestRaw(ofHot);
      return;
    }
    int number = random.nextInt(KEYS);
    RawEvent event = RawEvent.of(Buffer.buffer(4).appendInt(number), keys[number]);
    manager.ingestRaw(
        random.nextDouble() < keyed ? event : RawEvent.ofHash(event.buffer(), event.hash()));
  }

  private void drain(Shard shard) {
    double rate = drainRate.applyAsDouble(shard.id());
    credit[shard.id()] = Math.min(rate, credit[shard.id()] + rate / TICKS_PER_SECOND);
    int most = (int) credit[shard.id()];
    List<ShardEvent> batch = most > 0 ? shard.popBatch(most) : List.of();
    credit[shard.id()] -= batch.size();
    if (!batch.isEmpty()) {
      shard.recordFlush((long) (batch.size() * 1e9 / rate));
    }
    if (homes.length > 0) {
      batch.forEach(event -> hadByHome[homes[event.payload().getInt(0)]]++);
    }
  }

  private void noteHomes() {
    homes = new int[KEYS];
    Arrays.setAll(
        homes, i -> manager.selectShardByHash(RawEvent.of(Buffer.buffer(), keys[i]).hash()));
  }

  private long moved() {
    return manager.mapper().orElseThrow().slotsMoved();
  }

  private long refusedWithin(double seconds, double rate) {
    long before = manager.accounting().backpressure();
    run(seconds, rate);
    return manager.accounting().backpressure() - before;
  }

  private void print(String what, long... figures) {
    System.out.println(what + ": " + Arrays.toString(figures));
  }

  /** What the others' hashes get through in 60 s while shard 0 hangs, against the same without. */
  @ParameterizedTest
  @ValueSource(doubles = {0, 0.5, 1})
  void hungShard_leavesTheOthersTheirThroughput(double part) {
    long[] had = new long[2];
    for (int i = 0; i < 2; i++) {
      KeyedBalanceTest one = new KeyedBalanceTest();
      one.keyed = part;
      one.noteHomes();
      one.run(3.5, 12_000);
      if (i == 1) {
        one.drainRate = shard -> shard == 0 ? 0 : 5_000;
      }
      one.run(60, 12_000);
      had[i] = Arrays.stream(one.hadByHome, 1, 4).sum();
      one.print("hung " + part, had[i], one.manager.accounting().backpressure(), one.moved());
    }
    assertThat(had[1]).isGreaterThanOrEqualTo(had[0] * 95 / 100);
  }

  /** Keys' slots that go with the others, before there are keys, are not counted. */
  @Test
  void slotsMoved_countsASlotOnce() {
    keyed = 0;
    run(3.5, 12_000);
    drainRate = shard -> shard == 0 ? 0 : 5_000;
    run(10, 12_000);
    assertThat(moved()).isBetween(1L, 1024L / 4);
  }

  @Test
  void chainOfFences_isChargedToItsEnd() {
    manager = manager(2, 1024);
    ShardMapper mapper = manager.mapper().orElseThrow();
    List<RawEvent> ofFirst =
        Arrays.stream(keys)
            .map(key -> RawEvent.of(Buffer.buffer(4), key))
            .filter(event -> manager.selectShard(event) == 0)
            .limit(10)
            .toList();
    ofFirst.forEach(manager::ingestRaw);
    mapper.activate(mapper.scaleUp(1, true));
    mapper.scaleDownShard(0);
    mapper.scaleDownShard(1);
    ofFirst.forEach(manager::ingestRaw);
    assertThat(manager.shards().get(2).fencedEvents()).isEqualTo(10);
    List<Long> pending =
        new MetricsCollector(0, 0.05)
            .roll(manager.shards(), 1_000_000_000).stream().map(ShardLoad::pending).toList();
    assertThat(pending).containsExactly(20L, 0L, 0L);
  }

  /** Its keys stay, so its load is more than it can take for good: that is no reason to move. */
  @ParameterizedTest
  @ValueSource(doubles = {0.5, 1})
  void hungShard_doesNotMakeTheOthersMoveForEver(double part) {
    keyed = part;
    run(3.5, 6_000);
    drainRate = shard -> shard == 0 ? 0 : shard == 1 ? 4_000 : 5_000;
    run(10, 6_000);
    long before = moved();
    run(60, 6_000);
    print("to and fro " + part, before, moved());
    assertThat(moved()).isEqualTo(before);
  }

  @Test
  void healedShard_hasItsShareAgain() {
    keyed = 0.5;
    run(3.5, 12_000);
    drainRate = shard -> shard == 0 ? 0 : 5_000;
    run(20, 12_000);
    drainRate = shard -> 5_000;
    run(20, 12_000);
    long before = manager.shards().get(0).accounting().offered();
    assertThat(refusedWithin(10, 12_000)).isZero();
    long got = manager.shards().get(0).accounting().offered() - before;
    print("healed", got, moved());
    assertThat(got).isBetween(20_000L, 40_000L);
  }

  /** Two scale-ups, the second while the keys of the first are still on their way. */
  @Test
  void overloadedLargeRing_isRelievedByNewShards() {
    manager = manager(1, 65_536);
    drainRate = shard -> 20_000;
    run(5, 60_000);
    add(1);
    run(0.5, 60_000);
    add(2);
    for (int i = 0; i < 6; i++) {
      print("large ring", refusedWithin(4, 60_000), moved());
    }
    assertThat(refusedWithin(4, 60_000)).isZero();
  }

  /** It drains, so its keys come to an end: they need not stay with it for ever. */
  @ParameterizedTest
  @ValueSource(doubles = {0.5, 1})
  void slowShard_losesItsKeysInTheEnd(double part) {
    keyed = part;
    drainRate = shard -> shard == 3 ? 500 : 5_000;
    for (int i = 0; i < 10; i++) {
      print("slow " + part, refusedWithin(6, 12_000), moved());
    }
    assertThat(refusedWithin(10, 12_000)).isZero();
    long before = moved();
    run(30, 12_000);
    print("slow, later " + part, moved() - before);
  }

  @Test
  void newcomerAmongManyOverloaded_getsItsShare() {
    manager = manager(8, 8192);
    run(5, 42_000);
    add(1);
    for (int i = 0; i < 6; i++) {
      print("newcomer", refusedWithin(4, 42_000), moved());
    }
    assertThat(refusedWithin(10, 42_000)).isZero();
  }

  /** Little fits into a lane: then little moves at a time, not nothing. */
  @Test
  void smallRings_areBalancedToo() {
    manager = manager(4, 1024);
    drainRate = shard -> shard == 0 ? 2_500 : 5_000;
    for (int i = 0; i < 6; i++) {
      print("small rings", refusedWithin(5, 12_000), moved());
    }
    assertThat(refusedWithin(10, 12_000)).isZero();
  }

  /** Each is hotter than an equal share, and both together are more than their shard can drain. */
  @Test
  void oneOfTwoHotKeysOfAShard_leaves() {
    List<RawEvent> ofFirst =
        Arrays.stream(keys)
            .map(key -> RawEvent.of(Buffer.buffer(4).appendInt(0), key))
            .filter(event -> manager.selectShard(event) == 0)
            .limit(2)
            .toList();
    hot = () -> random.nextDouble() < 0.8 ? ofFirst.get(random.nextInt(2)) : null;
    run(10, 7_000);
    assertThat(refusedWithin(20, 7_000)).isZero();
    assertThat(ofFirst.stream().map(manager::selectShard)).doesNotHaveDuplicates();
    print("two hot keys", moved());
  }

  private void add(int count) {
    ShardMapper mapper = manager.mapper().orElseThrow();
    List<Integer> ids = mapper.scaleUp(count, true);
    mapper.activate(ids);
  }
}
