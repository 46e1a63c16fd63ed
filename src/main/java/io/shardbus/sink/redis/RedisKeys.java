package io.shardbus.sink.redis;

/*
 * The names of the sink's keys.
 */
record RedisKeys(String prefix) {

  /** The set of shards that have a stream. */
  String shards() {
    return prefix + "shards";
  }

  /** The number that tells what is there from what was there before all was deleted. */
  String store() {
    return prefix + "store";
  }

  String stream(String shard) {
    return prefix + "shard:" + shard;
  }

  /** What was last written of a producer to a shard. */
  String producer(String shard, String producer) {
    return stream(shard) + ":producer:" + producer;
  }
}
