package io.shardbus.shard;

/**
 * Events in rings, counted without waiting.
 *
 * @param counted events in the rings that could be counted
 * @param uncountedShards shards that could not be counted, because another thread had their
 *     consumer side
 */
public record PendingCount(long counted, int uncountedShards) {}
