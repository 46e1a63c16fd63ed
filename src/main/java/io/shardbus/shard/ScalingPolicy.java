package io.shardbus.shard;

import io.shardbus.options.OptionRanges;
import io.shardbus.options.OptionSpec;
import io.shardbus.options.OptionsCopy;
import io.shardbus.options.OptionsJson;
import io.vertx.codegen.annotations.DataObject;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.Objects;

/**
 * When shards are added and removed. Not safe for threads while it is being set up; the bus keeps a
 * copy.
 *
 * <p>There are as many shards as the load needs at {@code targetUtilization}: the rate of events,
 * divided by what a shard drains while it is busy. Several are added in one step, before a ring is
 * full; the sooner it would be full, the sooner they come. A shard whose ring is above {@code
 * fillRatioThreshold} and does not fall, or that is above {@code pushLatencyThresholdNanos} or
 * {@code flushLatencyThresholdMicros}, asks for one more. Shards are removed in one step, down to
 * the most that the load needed at any time in {@code scaleDownDelay}. {@code cooldown} holds back
 * what would undo the last change, and what the thresholds ask for.
 */
@DataObject
public final class ScalingPolicy {

  /** The largest number of shards. */
  public static final int MAX_SHARDS = 65_535;

  private double fillRatioThreshold = 0.7;
  private long pushLatencyThresholdNanos = 50_000;
  private long flushLatencyThresholdMicros = 250_000;
  private int minShards = 1;
  private int maxShards = 8;
  private Duration cooldown = Duration.ofSeconds(10);
  private Duration scaleDownDelay = Duration.ofSeconds(60);
  private Duration metricsWindow = Duration.ofSeconds(1);
  private double underutilizedThreshold = 0.1;
  private double targetUtilization = 0.85;
  private boolean autoScale = true;

  /** The defaults, with at most 8 shards. */
  public ScalingPolicy() {}

  /**
   * @param other the policy to copy
   */
  public ScalingPolicy(ScalingPolicy other) {
    OptionsCopy.copy(other, this);
  }

  /**
   * @param json any of the properties by name, durations as text with a unit, such as {@code "10s"}
   * @throws IllegalArgumentException naming an unknown or bad property
   */
  public ScalingPolicy(JsonObject json) {
    OptionsJson.read(this, json);
  }

  /** {@return all properties, as {@link #ScalingPolicy(JsonObject)} takes them} */
  public JsonObject toJson() {
    return OptionsJson.write(this);
  }

  /**
   * A middle way: 1 to {@code cpus} shards, grown at 70 % fill.
   *
   * @param cpus processors to plan for, 1 to {@value #MAX_SHARDS}
   * @return the policy
   */
  public static ScalingPolicy defaults(int cpus) {
    return new ScalingPolicy().setMaxShards(cpus);
  }

  /**
   * {@return a policy that grows early and fast, and shrinks late: for load that comes in bursts}
   */
  public static ScalingPolicy highThroughput() {
    return new ScalingPolicy()
        .setFillRatioThreshold(0.5)
        .setPushLatencyThresholdNanos(10_000)
        .setFlushLatencyThresholdMicros(100_000)
        .setMaxShards(Math.max(2, 2 * Runtime.getRuntime().availableProcessors()))
        .setCooldown(Duration.ofSeconds(2))
        .setScaleDownDelay(Duration.ofMinutes(5))
        .setMetricsWindow(Duration.ofMillis(500));
  }

  /** {@return a policy that grows late and rarely: for steady load on a shared machine} */
  public static ScalingPolicy conservative() {
    return new ScalingPolicy()
        .setFillRatioThreshold(0.9)
        .setPushLatencyThresholdNanos(500_000)
        .setFlushLatencyThresholdMicros(1_000_000)
        .setMaxShards(Runtime.getRuntime().availableProcessors())
        .setCooldown(Duration.ofMinutes(1))
        .setScaleDownDelay(Duration.ofMinutes(10))
        .setMetricsWindow(Duration.ofSeconds(5));
  }

  /**
   * Lifts {@code maxShards} to {@code minShards} where it is lower. Only this does: a bus refuses
   * such a policy, at its start and later. What a bus lifts at its start is {@code maxShards}, to
   * the shards that it begins with.
   *
   * @return this
   */
  public ScalingPolicy normalize() {
    maxShards = Math.max(maxShards, minShards);
    return this;
  }

  /**
   * Checks the options against each other.
   *
   * @return this
   * @throws ScalingException INVALID_POLICY, naming the options that contradict each other
   */
  public ScalingPolicy validate() {
    if (maxShards < minShards) {
      throw invalid(
          "maxShards: " + maxShards + " must be at least minShards, which is " + minShards);
    }
    if (underutilizedThreshold >= fillRatioThreshold) {
      throw invalid(
          "underutilizedThreshold: "
              + underutilizedThreshold
              + " must be below fillRatioThreshold, which is "
              + fillRatioThreshold);
    }
    return this;
  }

  private static ScalingException invalid(String message) {
    return new ScalingException(ScalingException.Reason.INVALID_POLICY, message);
  }

  /** {@return the fill of a ring above which it is overloaded, above 0 to 1} */
  public double getFillRatioThreshold() {
    return fillRatioThreshold;
  }

  /**
   * @param ratio the fill of a ring above which it is overloaded, above 0 to 1
   * @return this
   */
  @OptionSpec(value = "fill of a ring above which a shard is overloaded", above = "0", max = "1")
  public ScalingPolicy setFillRatioThreshold(double ratio) {
    fillRatioThreshold = OptionRanges.check(this, "fillRatioThreshold", ratio);
    return this;
  }

  /** {@return mean nanoseconds of a push above which the shard is overloaded} */
  public long getPushLatencyThresholdNanos() {
    return pushLatencyThresholdNanos;
  }

  /**
   * @param nanos mean nanoseconds of a push above which the shard is overloaded, at least 1
   * @return this
   */
  @OptionSpec(value = "mean time of a push above which a shard is overloaded, in ns", min = "1")
  public ScalingPolicy setPushLatencyThresholdNanos(long nanos) {
    pushLatencyThresholdNanos = OptionRanges.check(this, "pushLatencyThresholdNanos", nanos);
    return this;
  }

  /** {@return mean microseconds of a write to the sink above which the shard is overloaded} */
  public long getFlushLatencyThresholdMicros() {
    return flushLatencyThresholdMicros;
  }

  /**
   * @param micros mean microseconds of a write to the sink above which the shard is overloaded, at
   *     least 1
   * @return this
   */
  @OptionSpec(value = "mean time of a write above which a shard is overloaded, in us", min = "1")
  public ScalingPolicy setFlushLatencyThresholdMicros(long micros) {
    flushLatencyThresholdMicros = OptionRanges.check(this, "flushLatencyThresholdMicros", micros);
    return this;
  }

  /** {@return the least number of active shards} */
  public int getMinShards() {
    return minShards;
  }

  /**
   * @param shards the least number of active shards, 1 to {@value #MAX_SHARDS}
   * @return this
   */
  @OptionSpec(value = "least number of active shards", min = "1", max = "65535")
  public ScalingPolicy setMinShards(int shards) {
    minShards = OptionRanges.check(this, "minShards", shards);
    return this;
  }

  /** {@return the largest number of shards, with those that are being set up or drained} */
  public int getMaxShards() {
    return maxShards;
  }

  /**
   * @param shards the largest number of shards, with those that are being set up or drained, 1 to
   *     {@value #MAX_SHARDS}
   * @return this
   */
  @OptionSpec(value = "largest number of shards in any state", min = "1", max = "65535")
  public ScalingPolicy setMaxShards(int shards) {
    maxShards = OptionRanges.check(this, "maxShards", shards);
    return this;
  }

  /** {@return the time that has to pass before a change may undo the last one} */
  public Duration getCooldown() {
    return cooldown;
  }

  /**
   * @param time the time that has to pass before a change may undo the last one, or before the
   *     thresholds ask for one more; what the load needs to be taken does not wait
   * @return this
   */
  @OptionSpec(
      value = "pause after a change before one that would undo it",
      min = "0s",
      max = "365d")
  public ScalingPolicy setCooldown(Duration time) {
    cooldown = OptionRanges.check(this, "cooldown", time);
    return this;
  }

  /** {@return for how long fewer shards must have been enough before the others are removed} */
  public Duration getScaleDownDelay() {
    return scaleDownDelay;
  }

  /**
   * @param time for how long fewer shards must have been enough before the others are removed
   * @return this
   */
  @OptionSpec(value = "how long fewer shards must have been enough", min = "0s", max = "365d")
  public ScalingPolicy setScaleDownDelay(Duration time) {
    scaleDownDelay = OptionRanges.check(this, "scaleDownDelay", time);
    return this;
  }

  /**
   * @return the time over which load is measured; while events come it is looked at every 50 ms
   */
  public Duration getMetricsWindow() {
    return metricsWindow;
  }

  /**
   * @param time the time over which load is measured; while events come it is looked at every 50 ms
   * @return this
   */
  @OptionSpec(value = "time over which load is measured", min = "10ms", max = "365d")
  public ScalingPolicy setMetricsWindow(Duration time) {
    metricsWindow = OptionRanges.check(this, "metricsWindow", time);
    return this;
  }

  /** {@return the fill of a ring below which it is underutilized, 0 to 1} */
  public double getUnderutilizedThreshold() {
    return underutilizedThreshold;
  }

  /**
   * @param ratio the fill of a ring below which it is underutilized, above 0 to 1 and below the
   *     fill threshold
   * @return this
   */
  @OptionSpec(
      value = "fill of a ring below which a shard is underutilized",
      above = "0",
      max = "1",
      allowed = "below the fill threshold")
  public ScalingPolicy setUnderutilizedThreshold(double ratio) {
    underutilizedThreshold = OptionRanges.check(this, "underutilizedThreshold", ratio);
    return this;
  }

  /** {@return the share of the time for which shards should be busy, above 0 to 1} */
  public double getTargetUtilization() {
    return targetUtilization;
  }

  /**
   * @param ratio the share of the time for which shards should be busy, above 0 to 1: there are as
   *     many shards as the load needs at that utilization; the rest is the reserve for what comes
   *     on top and for what waits
   * @return this
   */
  @OptionSpec(value = "share of the time for which shards should be busy", above = "0", max = "1")
  public ScalingPolicy setTargetUtilization(double ratio) {
    targetUtilization = OptionRanges.check(this, "targetUtilization", ratio);
    return this;
  }

  /** {@return whether shards are added and removed without being asked} */
  public boolean isAutoScale() {
    return autoScale;
  }

  /**
   * @param on whether shards are added and removed without being asked; if not, only on request
   * @return this
   */
  @OptionSpec("add and remove shards by load; else only on request")
  public ScalingPolicy setAutoScale(boolean on) {
    autoScale = on;
    return this;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof ScalingPolicy that
        && Double.compare(fillRatioThreshold, that.fillRatioThreshold) == 0
        && pushLatencyThresholdNanos == that.pushLatencyThresholdNanos
        && flushLatencyThresholdMicros == that.flushLatencyThresholdMicros
        && minShards == that.minShards
        && maxShards == that.maxShards
        && cooldown.equals(that.cooldown)
        && scaleDownDelay.equals(that.scaleDownDelay)
        && metricsWindow.equals(that.metricsWindow)
        && Double.compare(underutilizedThreshold, that.underutilizedThreshold) == 0
        && Double.compare(targetUtilization, that.targetUtilization) == 0
        && autoScale == that.autoScale;
  }

  @Override
  public int hashCode() {
    return Objects.hash(fillRatioThreshold, minShards, maxShards, cooldown, scaleDownDelay);
  }
}
