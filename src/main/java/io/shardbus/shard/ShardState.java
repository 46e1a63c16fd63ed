package io.shardbus.shard;

/** Where a shard is in its life. It only ever moves forward. */
public enum ShardState {
  /** Made, not selectable: its consumer is being set up. */
  PROVISIONING,
  /** In the routing table. */
  ACTIVE,
  /** Out of the routing table; what it holds is being delivered. */
  DRAINING,
  /** Empty for good: no event can enter it any more. */
  STOPPED
}
