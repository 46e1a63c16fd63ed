package io.shardbus.sink.redis;

/*
 * The names of the sink's keys.
 */
record RedisKeys(String prefix) {

  /** The set of shards that have a stream. */
  String shards() {
    return prefix + "shards";
  }

  /** The number of the store. It changes if all data was deleted. */
  String store() {
    return prefix + "store";
  }

  String stream(String shard) {
    return prefix + "shard:" + shard;
  }

  /** The last sequence that a producer wrote to a shard. */
  String producer(String shard, String producer) {
    return stream(shard) + ":producer:" + producer;
  }
}
