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

  /** What a shard that is hardly busy is trusted with, as a multiple of what it has shown. */
  static final double TRUST = 4;

  /**
   * What one shard drains, in events per second; 0 if nobody knows.
   *
   * @param trust by how much more a shard is taken for that is hardly busy
   */
  static double perShard(List<ShardLoad> active, double trust) {
    double[] known =
        active.stream()
            .mapToDouble(load -> drained(load, trust))
            .filter(drained -> drained > 0)
            .sorted()
            .toArray();
    return known.length == 0 ? 0 : known[known.length / 2];
  }

  /** What a shard drains, in events per second; 0 if it hangs, or nobody knows. */
  static double drained(ShardLoad load, double trust) {
    Estimate capacity = load.capacity();
    return capacity.atLeast() ? trust * capacity.perSecond() : capacity.perSecond();
  }

  /**
   * @param active the active shards in the last window
   * @param coming shards being set up
   * @param perShard events per second that one of them, or of those without a measure, drains
   * @param least events per second that each one drains at least, unless it hangs
   * @param rate events per second that come
   * @param hot what each slot brings that brings more than a shard drains
   */
  static ScalingNeed of(
      List<ShardLoad> active,
      int coming,
      double perShard,
      double least,
      double trust,
      double rate,
      double targetUtilization,
      List<Double> hot) {
    double backlog = active.stream().mapToDouble(ShardLoad::pending).sum();
    double capacity = 0;
    for (ShardLoad load : active) {
      boolean unknown = load.capacity().perSecond() == 0 && !load.capacity().hung();
      double drained = unknown ? perShard : drained(load, trust);
      capacity += load.capacity().hung() ? 0 : Math.max(drained, least);
    }
    double perShardAtTarget = targetUtilization * perShard;
    double divisible = rate;
    for (double one : hot) {
      divisible -= Math.max(0, one - perShardAtTarget);
    }
    double asked = Math.max(divisible / targetUtilization, divisible + backlog / CATCH_UP_SECONDS);
    double missing = (asked - capacity - coming * perShard) / perShard;
    // A hair less: what is needed exactly must not become one more by rounding.
    int more = (int) Math.ceil(missing - 1e-6);
    return new ScalingNeed(
        Math.max(1, active.size() + coming + more), rate, perShard, capacity, hot);
  }
}
