package io.shardbus.shard;

import io.shardbus.shard.DrainCapacity.Estimate;
import java.util.List;

/*
 * How many shards a load needs.
 *
 *   shards = shards there are + (rate to be drained / targetUtilization - what they drain) / what one drains
 *
 * rounded up: Flink's autoscaler computes parallelism so from the true processing rate (FLIP-271), and Kubernetes' HPA
 * replicas from the usage of a resource. What one drains is the median of the shards, so that one slow shard does not
 * stand for those to come.
 *
 * What waits must be worked off too (Flink's catch-up duration): the room above targetUtilization is there for that, so
 * the larger of (rate / targetUtilization) and (rate + backlog / CATCH_UP) counts.
 *
 * A slot cannot be split. One that brings more than a shard drains counts as one full shard, however much it brings.
 */
/**
 * How many shards a load needs.
 *
 * @param shards how many; the shards there are if nobody knows what one drains
 * @param rate events per second that come
 * @param perShard events per second that one shard drains; 0 if nobody knows
 * @param capacity events per second that the active shards drain
 * @param hot what each slot brings that brings more than a shard should have
 */
record ScalingNeed(int shards, double rate, double perShard, double capacity, List<Double> hot) {

  /** In what time a backlog should be gone. */
  private static final double CATCH_UP_SECONDS = 5;

  /**
   * @param view the shards, and what they did
   * @param rate events per second that come
   * @param utilization for which part of the time the shards should be busy
   * @param trusting whether a shard is trusted with more than it has shown
   * @param least events per second that each shard is held to drain at least, unless it hangs
   */
  static ScalingNeed of(
      ScalingView view, double rate, double utilization, boolean trusting, double least) {
    double shown = perShard(view.active(), trusting);
    if (shown == 0) { // also where all hang: one more would hang, too
      return new ScalingNeed(view.soon(), rate, 0, 0, List.of());
    }
    double perShard = Math.max(shown, least);
    double backlog = 0;
    double capacity = 0;
    for (ShardLoad load : view.active()) {
      Estimate known = load.capacity();
      boolean unknown = known.unknown();
      double drained = unknown ? perShard : drained(load, trusting);
      capacity += known.hung() ? 0 : Math.max(drained, least);
      backlog += load.pending();
    }
    double perShardAtTarget = utilization * perShard;
    // No slot brings more than all of them, and to look at each one costs.
    List<Double> hot =
        view.offered() > perShardAtTarget ? view.hot().apply(perShardAtTarget) : List.of();
    double divisible = rate;
    for (double one : hot) {
      divisible -= one - perShardAtTarget;
    }
    double asked = Math.max(divisible / utilization, divisible + backlog / CATCH_UP_SECONDS);
    double missing = (asked - capacity - view.coming() * perShard) / perShard;
    // A hair less: what is needed exactly must not become one more by rounding.
    int more = (int) Math.ceil(missing - 1e-6);
    return new ScalingNeed(Math.max(1, view.soon() + more), rate, perShard, capacity, hot);
  }

  /** The median, in events per second; 0 if nobody knows. */
  private static double perShard(List<ShardLoad> active, boolean trusting) {
    double[] known =
        active.stream()
            .mapToDouble(load -> drained(load, trusting))
            .filter(drained -> drained > 0)
            .sorted()
            .toArray();
    return known.length == 0 ? 0 : known[known.length / 2];
  }

  /** What a shard drains, in events per second; 0 if it hangs, or nobody knows. */
  static double drained(ShardLoad load, boolean trusting) {
    return trusting ? load.capacity().trusted() : load.capacity().perSecond();
  }
}
