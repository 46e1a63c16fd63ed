package io.shardbus.shard;

/** What a push into a shard came to. */
enum Push {
  ACCEPTED,
  BACKPRESSURE,
  SAMPLED,
  /** The shard has left the routing table: ask the table again. */
  SEALED
}
