package io.shardbus.shard;

import io.shardbus.shard.ScalingDecision.Direction;
import java.util.List;
import java.util.function.DoubleFunction;
import java.util.function.Predicate;

/**
 * What the scaling policy sees: a window, or a look, that has just ended.
 *
 * @param policy the policy in force
 * @param active the active shards that were there
 * @param total shards there are, in any state
 * @param coming shards being set up, or active since then
 * @param settledRate events per second whose fate was decided, of all shards, in the last window
 * @param seconds how long it was
 * @param nowNanos the time, by the monotonic clock
 * @param hot the rates of the slots that bring more than so many events per second
 * @param cooling whether a change of that direction is too recent
 */
record ScalingView(
    ScalingPolicy policy,
    List<ShardLoad> active,
    int total,
    int coming,
    double settledRate,
    double seconds,
    long nowNanos,
    DoubleFunction<List<Double>> hot,
    Predicate<Direction> cooling) {

  /** Events per second that came, taken or not. */
  double offered() {
    return active.stream().mapToDouble(ShardLoad::offeredRate).sum();
  }

  /** Shards that are active or will be. */
  int soon() {
    return active.size() + coming;
  }

  /** Whether all were active throughout. */
  boolean warm() {
    return active.stream().allMatch(ShardLoad::warm);
  }

  boolean coolingDown(Direction direction) {
    return cooling.test(direction);
  }
}
