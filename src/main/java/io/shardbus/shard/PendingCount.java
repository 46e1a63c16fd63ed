package io.shardbus.shard;

/**
 * Events in rings, counted without waiting.
 *
 * @param counted events in the rings that could be counted
 * @param uncountedShards shards whose consumer side was taken at the moment
 */
public record PendingCount(long counted, int uncountedShards) {}
