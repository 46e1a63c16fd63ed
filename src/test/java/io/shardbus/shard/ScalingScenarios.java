package io.shardbus.shard;

import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.IntToDoubleFunction;
import java.util.function.IntUnaryOperator;

/**
 * Loads over time, in ticks of 1 ms, for shards that drain 20,000 events/s. All begin with one
 * shard, and with a load that it can drain.
 *
 * <p>The long ones are scaled down: all rates and the ring by the same factor, so that a ring fills
 * as fast as it would.
 */
final class ScalingScenarios {

  static final int TICKS_PER_SECOND = 1000;
  static final double DRAIN_RATE = 20_000;
  static final int BOTTLENECK_UNTIL_SECOND = 130;

  /** Holds 400 ms of the surplus of 40,000/s that one shard cannot drain: 16,000 events. */
  private static final int STEP_RING = ringFor(0.4 * (60_000 - DRAIN_RATE));

  /** Holds 400 ms of the surplus of 80,000/s that one shard cannot drain: 32,000 events. */
  private static final int BURST_RING = ringFor(0.4 * (100_000 - DRAIN_RATE));

  private static final int USUAL_RING = 16_384;

  private ScalingScenarios() {}

  /** One load. Rates are before they are scaled down. */
  static final class Scenario {

    final String name;
    final int seconds;
    private final IntToDoubleFunction load;
    private int ring = USUAL_RING;
    private int scale = 1;
    private double drainRate = DRAIN_RATE;
    private double sharedRate;
    private int slowFrom = Integer.MAX_VALUE;
    private int hotFrom = Integer.MAX_VALUE;
    private double hotShare;
    private boolean keyed;
    private int step = -1;
    private boolean held;
    private IntUnaryOperator needed;

    Scenario(String name, int seconds, IntToDoubleFunction load) {
      this.name = name;
      this.seconds = seconds;
      this.load = load;
      needed = tick -> PerfectScaler.needed(load.applyAsDouble(tick), drainRate);
    }

    Scenario ring(int events) {
      ring = events;
      return this;
    }

    /** Divides all rates, and the ring. */
    Scenario scale(int divisor) {
      scale = divisor;
      return this;
    }

    Scenario drainRate(double perSecond) {
      drainRate = perSecond;
      return this;
    }

    /** When the load, or what the shards can drain, changes at once, so that relief is needed. */
    Scenario step(int second) {
      step = second * TICKS_PER_SECOND;
      return this;
    }

    /** All shards together drain no more than this. */
    Scenario sharedRate(double perSecond) {
      sharedRate = perSecond;
      return this;
    }

    /** From then on, the first shard drains a tenth. */
    Scenario firstShardSlows(int second) {
      slowFrom = second * TICKS_PER_SECOND;
      return this;
    }

    /** From then on, one hash has this part of the load. */
    Scenario hotHash(int second, double share) {
      hotFrom = second * TICKS_PER_SECOND;
      hotShare = share;
      return this;
    }

    Scenario keyed() {
      keyed = true;
      return this;
    }

    /** The perfect scaler keeps its shards for {@code scaleDownDelay}, as the others do. */
    Scenario perfectHolds() {
      held = true;
      return this;
    }

    Scenario perfect(IntUnaryOperator shards) {
      needed = shards;
      return this;
    }

    int ticks() {
      return seconds * TICKS_PER_SECOND;
    }

    int capacity() {
      return Math.max(1024, ring / scale);
    }

    double load(int tick) {
      return load.applyAsDouble(tick) / scale;
    }

    /** What a shard drains a second if it does not share. */
    double drainRate(int shard, int tick) {
      return (shard == 0 && tick >= slowFrom ? drainRate / 10 : drainRate) / scale;
    }

    /** What all drain together; 0 if they share nothing. */
    double sharedRate() {
      return sharedRate / scale;
    }

    /** What some shards drain together. */
    double drainRateOf(List<Integer> shards, int tick) {
      return sharedRate > 0
          ? sharedRate()
          : shards.stream().mapToDouble(shard -> drainRate(shard, tick)).sum();
    }

    double hotShare(int tick) {
      return tick >= hotFrom ? hotShare : 0;
    }

    @Override
    public String toString() {
      return name + (keyed ? ", keyed" : "");
    }

    boolean isKeyed() {
      return keyed;
    }

    /** Whether the load of the step is there. */
    boolean isAfterStep(int tick) {
      return step >= 0 && tick >= step && load(tick) >= load(step);
    }

    int stepTick() {
      return step;
    }

    double perfectShardSeconds(Duration scaleDownDelay) {
      int hold = held ? (int) scaleDownDelay.toMillis() : 0;
      return (double) PerfectScaler.shardTicks(needed, ticks(), hold) / TICKS_PER_SECOND;
    }
  }

  // ---------------------------------------------------------------- the scenarios

  static Scenario step() {
    return new Scenario("step x6", 60, tick -> second(tick) < 30 ? 10_000 : 60_000)
        .step(30)
        .ring(STEP_RING);
  }

  static Scenario ramp() {
    return new Scenario("ramp", 90, tick -> between(10_000, 120_000, (second(tick) - 10) / 70))
        .scale(4);
  }

  /** One, so that it is seen how long what it needed stays. */
  static Scenario burst() {
    return new Scenario("10x burst of 2 s", 90, tick -> isIn(tick, 10, 12) ? 100_000 : 10_000)
        .step(10)
        .ring(BURST_RING)
        .perfectHolds();
  }

  static Scenario sawtoothOf5() {
    return sawtooth(5, 60);
  }

  static Scenario sawtoothOf60() {
    return sawtooth(60, 240);
  }

  private static Scenario sawtooth(int period, int seconds) {
    return new Scenario(
            "sawtooth of " + period + " s",
            seconds,
            tick -> between(10_000, 100_000, second(tick) % period / period))
        .scale(4)
        .perfectHolds();
  }

  /** A day in 30 minutes, from its lowest hour to the next. */
  static Scenario daily() {
    int day = 1800;
    return new Scenario(
            "daily curve",
            day,
            tick -> 60_000 - 44_000 * Math.cos(2 * Math.PI * second(tick) / day))
        .scale(16);
  }

  /** Three shards are enough for the mean, also at 75 % of what they drain; not for the peaks. */
  static Scenario noisyFlat() {
    int seconds = 180;
    double[] noise =
        new SplittableRandom(ScalingSimulation.SEED).doubles(seconds * 10L, 0.7, 1.3).toArray();
    return new Scenario(
            "noisy flat",
            seconds,
            tick -> between(10_000, 44_000, second(tick) / 10) * noise[tick / 100])
        .scale(4);
  }

  /** The slow shard is one of those that the perfect scaler has. */
  static Scenario slowSink() {
    double slow = DRAIN_RATE / 10;
    IntToDoubleFunction load = tick -> between(10_000, 50_000, second(tick) / 10);
    return new Scenario("slow sink appears", 90, load)
        .step(30)
        .firstShardSlows(30)
        .scale(4)
        .perfect(
            tick ->
                second(tick) < 30
                    ? PerfectScaler.needed(load.applyAsDouble(tick), DRAIN_RATE)
                    : 1 + PerfectScaler.needed(load.applyAsDouble(tick) - slow, DRAIN_RATE));
  }

  /** 30,000/s come for two minutes, and no number of shards drains more than 20,000/s. */
  static Scenario sinkIsTheBottleneck() {
    return new Scenario(
            "sink is the bottleneck",
            150,
            tick -> isIn(tick, 10, BOTTLENECK_UNTIL_SECOND) ? 30_000 : 10_000)
        .step(10)
        .sharedRate(DRAIN_RATE)
        .scale(4)
        .perfect(tick -> 1);
  }

  /** Of 40,000/s one hash brings 32,000/s, and no shard can drain it. The rest is 8,000/s. */
  static Scenario hotSlot() {
    return new Scenario("hot slot", 70, tick -> second(tick) < 10 ? 8_000 : 40_000)
        .hotHash(10, 0.8)
        .perfect(tick -> second(tick) < 10 ? 1 : 2);
  }

  /** All, those with keys last. */
  static List<Scenario> all() {
    List<Scenario> all =
        new ArrayList<>(
            List.of(
                step(),
                ramp(),
                burst(),
                sawtoothOf5(),
                sawtoothOf60(),
                daily(),
                noisyFlat(),
                slowSink(),
                sinkIsTheBottleneck(),
                hotSlot()));
    all.addAll(
        List.of(
            step().keyed(),
            ramp().keyed(),
            burst().keyed(),
            noisyFlat().keyed(),
            hotSlot().keyed()));
    return all;
  }

  // ---------------------------------------------------------------- how they are made

  private static double second(int tick) {
    return (double) tick / TICKS_PER_SECOND;
  }

  private static boolean isIn(int tick, int fromSecond, int toSecond) {
    return second(tick) >= fromSecond && second(tick) < toSecond;
  }

  private static double between(double from, double to, double part) {
    return from + (to - from) * Math.max(0, Math.min(1, part));
  }

  private static int ringFor(double events) {
    int least = (int) Math.ceil(events);
    return Math.max(1024, Integer.highestOneBit(least - 1) << 1);
  }
}
