package io.shardbus.shard;

import java.util.List;

/**
 * Applies the scaling policy to the loads of each window. Not safe for threads: the manager guards
 * it.
 */
final class ScalingEvaluator {

  /** After a shard has gone, the others should still be idle for this share of the time. */
  private static final double BUSY_AFTER_SCALE_DOWN = 0.7;

  private ScalingPolicy policy = new ScalingPolicy();
  private boolean dwelling;
  private long idleSince;

  /**
   * @param current the policy to apply
   * @param loads the shards' loads in the last window
   * @param total shards there are now, in any state
   * @param coming shards being set up now
   * @param coolingDown whether the last change is too recent to make another
   */
  ScalingDecision evaluate(
      ScalingPolicy current,
      List<ShardLoad> loads,
      int total,
      int coming,
      long nowNanos,
      boolean coolingDown) {
    policy = current;
    List<ShardLoad> active =
        loads.stream().filter(load -> load.shard().state() == ShardState.ACTIVE).toList();
    List<ShardLoad> warm = active.stream().filter(ShardLoad::warm).toList();
    boolean idle =
        warm.size() == active.size()
            && !warm.isEmpty()
            && warm.stream().allMatch(this::idle)
            && warm.stream().mapToDouble(ShardLoad::busyRatio).sum()
                <= BUSY_AFTER_SCALE_DOWN * (active.size() - 1);
    if (!idle) {
      dwelling = false;
    } else if (!dwelling) {
      dwelling = true;
      idleSince = nowNanos;
    }
    if (!policy.isAutoScale() || coolingDown) {
      return ScalingDecision.NONE;
    }
    int room = policy.getMaxShards() - total;
    if (active.size() + coming < policy.getMinShards()) {
      int missing = policy.getMinShards() - active.size() - coming;
      return room < 1
          ? ScalingDecision.NONE
          : ScalingDecision.scaleUp(
              Math.min(room, missing),
              active.size() + " active shards, minShards is " + policy.getMinShards());
    }
    List<ShardLoad> overloaded = warm.stream().filter(this::overloaded).toList();
    if (!overloaded.isEmpty()) {
      return room < 1 || coming > 0
          ? ScalingDecision.NONE
          : ScalingDecision.scaleUp(Math.min(room, overloaded.size()), why(overloaded.get(0)));
    }
    if (idle
        && nowNanos - idleSince >= policy.getScaleDownDelay().toNanos()
        && active.size() > policy.getMinShards()) {
      dwelling = false;
      return ScalingDecision.scaleDown(
          1, "all shards underutilized for " + policy.getScaleDownDelay().toMillis() + " ms");
    }
    return ScalingDecision.NONE;
  }

  private boolean overloaded(ShardLoad load) {
    return load.fillRatio() > policy.getFillRatioThreshold() || slow(load);
  }

  private boolean slow(ShardLoad load) {
    return load.pushNanos() > policy.getPushLatencyThresholdNanos()
        || load.flushMicros() > policy.getFlushLatencyThresholdMicros();
  }

  private boolean idle(ShardLoad load) {
    return load.fillRatio() < policy.getUnderutilizedThreshold() && !slow(load);
  }

  private String why(ShardLoad load) {
    String shard = "shard " + load.shard().id() + ": ";
    if (load.fillRatio() > policy.getFillRatioThreshold()) {
      return shard + "fill " + load.fillRatio() + " above " + policy.getFillRatioThreshold();
    }
    if (load.pushNanos() > policy.getPushLatencyThresholdNanos()) {
      return shard
          + "push "
          + load.pushNanos()
          + " ns above "
          + policy.getPushLatencyThresholdNanos();
    }
    return shard
        + "flush "
        + load.flushMicros()
        + " us above "
        + policy.getFlushLatencyThresholdMicros();
  }
}
