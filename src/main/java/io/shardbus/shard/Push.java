package io.shardbus.shard;

/** The result of a push into a shard. */
enum Push {
  ACCEPTED,
  BACKPRESSURE,
  SAMPLED,
  /** The shard has left the routing table: ask the table again. */
  SEALED
}
