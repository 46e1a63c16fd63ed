package io.shardbus.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.RawEvent;
import io.vertx.core.buffer.Buffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A shard that hangs loses its share, and gets it back when it drains again: on the shipped engine,
 * in virtual time, with 4 shards and windows of one second. Prints the share over the windows.
 */
@Tag("hot")
@Tag("once")
class HungShardTest {

  private static final int SHARDS = 4;
  private static final int CAPACITY = 65_536;
  private static final int TICKS_PER_SECOND = 100;
  private static final Buffer PAYLOAD = Buffer.buffer("{}");

  /** How the shards are drained. */
  private enum Drive {
    /** By hand, at once: no write is ever seen. */
    POP_BATCH(0),
    /** Into a sink that answers at once. */
    INSTANT(1_000),
    /** Into a sink that takes 5 ms a batch. */
    FIVE_MILLIS(5_000_000);

    final long writeNanos;

    Drive(long writeNanos) {
      this.writeNanos = writeNanos;
    }
  }

  private final Random random = new Random(42);
  private DrainBuffer batchOfHung = new DrainBuffer(0, 16);
  private final List<Double> shares = new ArrayList<>();
  private long now;
  private double due;
  private boolean hangs;
  private boolean keyed;
  private int mostInBatch;
  private double slowRate = Double.MAX_VALUE;
  private double credit;

  private ShardManager manager = manager(SHARDS);

  private ShardManager manager(int shards) {
    return new ShardManager(
        shards,
        CAPACITY,
        BackpressureMode.FAIL_PRODUCER,
        ScalingPolicy.defaults(shards).setMetricsWindow(Duration.ofSeconds(1)),
        ShardLimits.DEFAULT,
        () -> now);
  }

  private void run(double seconds, double rate, Drive drive) {
    for (int tick = 0; tick < seconds * TICKS_PER_SECOND; tick++) {
      now += 1_000_000_000L / TICKS_PER_SECOND;
      due += rate / TICKS_PER_SECOND;
      for (; due >= 1; due--) {
        long hash = random.nextLong();
        manager.ingestRaw(
            keyed ? RawEvent.of(PAYLOAD, Long.toHexString(hash)) : RawEvent.ofHash(PAYLOAD, hash));
      }
      manager.shards().forEach(shard -> drain(shard, drive));
      if (now % 1_000_000_000L == 0) {
        manager.collectMetrics();
        shares.add(shareOfHung());
      }
    }
  }

  private void drain(Shard shard, Drive drive) {
    int most = CAPACITY;
    if (shard.id() == 0 && hangs) {
      int taken = mostInBatch - batchOfHung.size();
      assertThat(taken == 0 ? 0 : shard.tryDrain(batchOfHung, taken, Long.MAX_VALUE))
          .isNotNegative();
      return;
    }
    if (shard.id() == 0) {
      credit = Math.min(CAPACITY, credit + slowRate / TICKS_PER_SECOND);
      most = (int) credit;
    }
    int got = most == 0 ? 0 : shard.popBatch(most).size();
    if (shard.id() == 0) {
      credit -= got;
    }
    if (got > 0 && drive.writeNanos > 0) {
      shard.recordFlush(drive.writeNanos);
    }
  }

  private void heal() {
    hangs = false;
    settleBatch();
  }

  private void settleBatch() {
    manager.shard(0).orElseThrow().settle(batchOfHung.size(), 0);
    batchOfHung = new DrainBuffer(0, 16);
  }

  /** Of 100,000 new hashes. */
  private double shareOfHung() {
    long hits = random.longs(100_000).filter(hash -> manager.selectShardByHash(hash) == 0).count();
    return hits / 100_000.0;
  }

  private double lastShare() {
    return shares.get(shares.size() - 1);
  }

  private void print(String what) {
    StringBuilder text = new StringBuilder(what + ": share of shard 0 by window, in %:");
    shares.forEach(share -> text.append(String.format(Locale.ROOT, " %.1f", 100 * share)));
    System.out.println(text);
  }

  @ParameterizedTest
  @CsvSource({
    "POP_BATCH,   400,   0", "POP_BATCH,   4000,   0", "POP_BATCH,   40000,   0",
    "INSTANT,     400,   0", "INSTANT,     4000,   0", "INSTANT,     40000,   0",
    "FIVE_MILLIS, 400,   0", "FIVE_MILLIS, 4000,   0", "FIVE_MILLIS, 40000,   0",
    "INSTANT,     4000,  10000", "INSTANT, 400, 10000", "FIVE_MILLIS, 4000, 10000"
  })
  void hungShard_losesItsShareAndGetsItBack(Drive drive, double rate, int inBatch) {
    run(3.5, rate, drive);
    assertThat(lastShare()).isBetween(0.2, 0.3);
    hangs = true;
    mostInBatch = inBatch;
    run(1.5, rate, drive); // half a window, and the one in which it is seen
    run(2, rate, drive);
    assertThat(lastShare()).isLessThan(0.02);
    long moved = manager.mapper().orElseThrow().slotsMoved();
    run(20, rate, drive);
    assertThat(shares.subList(6, shares.size())).allMatch(share -> share < 0.02);
    assertThat(manager.mapper().orElseThrow().slotsMoved())
        .as("no slots to and fro")
        .isEqualTo(moved);
    heal();
    run(10, rate, drive);
    print(drive + ", " + rate + " events/s, " + inBatch + " in the batch");
    assertThat(lastShare()).isBetween(0.15, 0.3);
    assertThat(manager.accounting().backpressure()).isZero();
  }

  @Test
  void hungSinceTheStart_losesItsShareAndGetsItBack() {
    hangs = true;
    run(4, 4_000, Drive.INSTANT);
    assertThat(lastShare()).isLessThan(0.02);
    heal();
    run(10, 4_000, Drive.INSTANT);
    print("hung since the start");
    assertThat(lastShare()).isBetween(0.2, 0.3);
  }

  /** As where a sink hangs for as long as a write may take, and the batch is then given up. */
  @Test
  void batchThatGetsThroughNowAndThen_isNoCure() {
    run(3.5, 4_000, Drive.INSTANT);
    hangs = true;
    mostInBatch = 10_000;
    run(3.5, 4_000, Drive.INSTANT);
    int from = shares.size();
    for (int i = 0; i < 10; i++) {
      run(5, 4_000, Drive.INSTANT);
      settleBatch();
    }
    assertThat(shares.subList(from, shares.size())).allMatch(share -> share < 0.02);
  }

  /** What it had is little for each of the others: all of them are near what they should get. */
  @Test
  void oneOfManyShards_losesItsShareAndGetsItBack() {
    manager = manager(64);
    run(3.5, 64_000, Drive.INSTANT);
    hangs = true;
    run(3.5, 64_000, Drive.INSTANT);
    assertThat(lastShare()).isLessThan(0.02 / 16);
    heal();
    run(10, 64_000, Drive.INSTANT);
    print("one of 64");
    assertThat(lastShare()).isGreaterThan(0.6 / 64);
  }

  /** It drains, so it does not hang, but a full ring is no place for new events. */
  @ParameterizedTest
  @CsvSource({"POP_BATCH", "INSTANT"})
  void fullShardThatDrainsSlowly_losesItsShareAndGetsItBack(Drive drive) {
    slowRate = 500;
    run(40, 40_000, drive);
    double slow = lastShare();
    slowRate = Double.MAX_VALUE;
    run(20, 40_000, drive);
    print("slow, " + drive);
    assertThat(slow).isLessThan(0.02);
    assertThat(lastShare()).isGreaterThan(0.15);
  }

  /** Once its ring is empty it has little to do: that is no sign that it could do more. */
  @ParameterizedTest
  @CsvSource({
    "400, 50, false",
    "4000, 500, false",
    "4000, 100, false",
    "40000, 5000, false",
    "400, 80, true",
    "4000, 500, true",
    "40000, 5000, true"
  })
  void slowShardWithoutWrites_isRememberedAndTriedAgain(
      double rate, double canDrain, boolean withKeys) {
    keyed = withKeys;
    slowRate = canDrain;
    run(20.5, rate, Drive.POP_BATCH);
    long moved = manager.mapper().orElseThrow().slotsMoved();
    long before = offeredToSlow();
    run(30, rate, Drive.POP_BATCH);
    long had = offeredToSlow() - before;
    long movedLater = manager.mapper().orElseThrow().slotsMoved();
    slowRate = Double.MAX_VALUE;
    run(80, rate, Drive.POP_BATCH);
    long beforeTheEnd = offeredToSlow();
    run(10, rate, Drive.POP_BATCH);
    print("slow, by hand, " + rate + " events/s" + (keyed ? ", keyed" : ""));
    assertThat(had).isLessThan((long) (0.02 * 30 * rate));
    assertThat(movedLater).as("no slots to and fro").isEqualTo(moved);
    assertThat(offeredToSlow() - beforeTheEnd).isGreaterThan((long) (0.15 * 10 * rate));
    assertThat(manager.accounting().backpressure()).isZero();
  }

  private long offeredToSlow() {
    return manager.shard(0).orElseThrow().accounting().offered();
  }

  /** Its writes have become long, but each is answered. */
  @ParameterizedTest
  @CsvSource({"2.7", "3.3", "5"})
  void shardWhoseWritesBecomeLong_isNotHungForEver(double writeSeconds) {
    run(3.5, 4_000, Drive.FIVE_MILLIS);
    runWithLongWrites(writeSeconds);
  }

  /** So it was never measured before. */
  @ParameterizedTest
  @CsvSource({"2.7", "3.3", "5", "8"})
  void shardWhoseWritesAreLongFromTheStart_isNotHungForEver(double writeSeconds) {
    runWithLongWrites(writeSeconds);
  }

  private void runWithLongWrites(double writeSeconds) {
    hangs = true;
    mostInBatch = 10_000;
    for (int i = 0; i < 12; i++) {
      run(writeSeconds, 4_000, Drive.FIVE_MILLIS);
      settleBatch();
      manager.shard(0).orElseThrow().recordFlush((long) (writeSeconds * 1e9));
    }
    print("writes of " + writeSeconds + " s");
    assertThat(shares).as("seen hung at first").anyMatch(share -> share < 0.02);
    assertThat(shares.subList(shares.size() - 8, shares.size())).allMatch(share -> share > 0.05);
  }

  /** Writes that take longer than a window are no hang. */
  @Test
  void longWrites_moveNothing() {
    long before = manager.mapper().orElseThrow().slotsMoved();
    List<DrainBuffer> batches = new ArrayList<>();
    manager.shards().forEach(shard -> batches.add(new DrainBuffer(shard.id(), 16)));
    for (int tick = 0; tick < 60 * TICKS_PER_SECOND; tick++) {
      now += 1_000_000_000L / TICKS_PER_SECOND;
      for (int i = 0; i < 10; i++) {
        manager.ingestRaw(RawEvent.ofHash(PAYLOAD, random.nextLong()));
      }
      for (Shard shard : manager.shards()) {
        // One write after the other, each of 2.7 s, the shards out of step.
        if ((tick + 70 * shard.id()) % 270 == 269) {
          DrainBuffer batch = batches.get(shard.id());
          shard.settle(batch.size(), 0);
          shard.recordFlush(batch.size() == 0 ? 1 : 2_700_000_000L);
          batches.set(shard.id(), new DrainBuffer(shard.id(), 16));
          assertThat(shard.tryDrain(batches.get(shard.id()), 10_000, Long.MAX_VALUE)).isPositive();
        }
      }
      if (now % 1_000_000_000L == 0) {
        manager.collectMetrics();
      }
    }
    assertThat(manager.mapper().orElseThrow().slotsMoved()).isEqualTo(before);
  }
}
