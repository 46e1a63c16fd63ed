package io.shardbus.shard;

/** What keeps the scaling policy from adding the shards that the load asks for. */
public enum ScalingLimit {
  /** Nothing: there are as many shards as the load asks for, or the policy can add them. */
  NONE,
  /** The load asks for more shards than {@code maxShards}. */
  MAX_SHARDS,
  /** The sink takes no more from many shards than from few: one disk, or one connection. */
  SINK,
  /** Most of the load has one key, or belongs to one slot, and a slot cannot be split. */
  HOT_KEY
}
