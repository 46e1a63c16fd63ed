package io.shardbus.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.vertx.core.buffer.Buffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.IntToDoubleFunction;
import org.junit.jupiter.api.Test;

/** The scaling policy on the shipped engine, in virtual time. Prints what it measured. */
class ScalingSimulationTest {

  private static final long SEED = 42;
  private static final double DRAIN_RATE = 5_000;
  private static final int TICKS_PER_SECOND = 100;
  private static final Buffer PAYLOAD = Buffer.buffer("{}");

  private final Random random = new Random(SEED);
  private final Map<Integer, Double> credit = new HashMap<>();
  private final List<Long> scaledAtNanos = new ArrayList<>();
  private long now;
  private ShardManager manager;
  private ShardMapper mapper;
  private int mostActive;

  /** Runs a load, and does what the policy says at the end of each window. */
  private void run(
      int shards, ScalingPolicy policy, Duration time, IntToDoubleFunction eventsPerSecond) {
    manager =
        new ShardManager(
            shards, 8192, BackpressureMode.FAIL_PRODUCER, policy, ShardLimits.DEFAULT, () -> now);
    mapper = manager.mapper().orElseThrow();
    long windowNanos = mapper.policy().getMetricsWindow().toNanos();
    long nextWindow = windowNanos;
    double due = 0;
    for (int tick = 0; tick < time.toSeconds() * TICKS_PER_SECOND; tick++) {
      now += 1_000_000_000L / TICKS_PER_SECOND;
      due += eventsPerSecond.applyAsDouble(tick) / TICKS_PER_SECOND;
      for (; due >= 1; due--) {
        manager.ingestRaw(RawEvent.ofHash(PAYLOAD, random.nextLong()));
      }
      manager.shards().forEach(this::drain);
      if (now >= nextWindow) {
        nextWindow += windowNanos;
        scale(manager.evaluateScaling());
      }
      mapper.finalizeDraining();
      mapper.removeStoppedShards();
      mostActive = Math.max(mostActive, mapper.activeShardCount());
    }
  }

  private void drain(Shard shard) {
    double available = credit.getOrDefault(shard.id(), 0.0) + DRAIN_RATE / TICKS_PER_SECOND;
    int can = (int) available;
    credit.put(shard.id(), available - can);
    List<ShardEvent> batch = shard.popBatch(Math.max(1, can));
    if (!batch.isEmpty()) {
      shard.recordFlush((long) (batch.size() * 1e9 / DRAIN_RATE));
    }
  }

  private void scale(ScalingDecision decision) {
    switch (decision.direction()) {
      case NONE -> {}
      case UP -> mapper.scaleUp(decision.count(), true).forEach(manager::activateShard);
      case DOWN -> mapper.scaleDown(decision.count(), true);
    }
    if (decision.direction() != ScalingDecision.Direction.NONE) {
      scaledAtNanos.add(now);
    }
  }

  @Test
  void squareWave_doesNotFlap() {
    int periodSeconds = 40;
    Duration time = Duration.ofMinutes(30);
    run(
        2,
        new ScalingPolicy().setMinShards(2).setMaxShards(16),
        time,
        tick -> tick / TICKS_PER_SECOND % periodSeconds < periodSeconds / 2 ? 22_000 : 2_000);
    double perMinute = (double) scaledAtNanos.size() / time.toMinutes();
    ShardAccounting account = manager.accounting();
    System.out.printf(
        "square wave: %.2f scalings/min, %d shards at most, %.2f %% refused%n",
        perMinute, mostActive, 100.0 * account.backpressure() / account.offered());
    assertThat(perMinute).isLessThanOrEqualTo(0.5);
    assertThat(mostActive).isGreaterThanOrEqualTo(5);
    // The first periods, in which shards are added one cooldown after the other, cost some events.
    assertThat(account.backpressure()).isLessThan(account.offered() / 20);
    assertThat(manager.accounting().pendingInRing())
        .isEqualTo(account.accepted() - account.delivered());
  }

  @Test
  void overload_bringsAShardWithinTwoWindows() {
    // From the 5th second on, twice what the shards can drain.
    int overloadedFrom = 5 * TICKS_PER_SECOND;
    run(
        2,
        new ScalingPolicy().setMinShards(2).setMaxShards(4).setFillRatioThreshold(0.3),
        Duration.ofSeconds(9),
        tick -> tick < overloadedFrom ? 5_000 : 20_000);
    assertThat(scaledAtNanos).isNotEmpty();
    // Overloaded is a shard above the threshold: 0.3 of 8,192 events, gained at 5,000 a second.
    double overloadSeconds = 5 + 0.3 * 8192 / 5_000;
    double windows = scaledAtNanos.get(0) / 1e9 - overloadSeconds;
    System.out.printf("overload to one more active shard: %.2f windows%n", windows);
    assertThat(windows).isBetween(0.0, 2.0);
  }

  @Test
  void idleness_mustLastForTheWholeDelay() {
    Duration delay = Duration.ofSeconds(30);
    run(
        4,
        new ScalingPolicy().setMinShards(1).setMaxShards(8).setScaleDownDelay(delay),
        Duration.ofSeconds(100),
        // a busy second in between begins the delay anew
        tick -> tick / TICKS_PER_SECOND == 20 ? 19_000 : 100);
    assertThat(scaledAtNanos).isNotEmpty();
    assertThat(scaledAtNanos.get(0)).isGreaterThan(50_000_000_000L);
    assertThat(mapper.activeShardCount()).isLessThan(4);
    assertThat(manager.accounting().backpressure()).isZero();
  }
}
