package io.shardbus.shard;

/**
 * Counts of events since the start, of one shard or of all, with the shards that are gone. Exact
 * when no call is under way.
 *
 * @param eventsIngested events accepted into a ring
 * @param eventsDropped events refused by backpressure, sampling, size, closing or interceptors, and
 *     events evicted
 * @param batchesDispatched batches that the consumer took or, with a sink, the sink
 * @param eventsUnrouted events for which no shard was active
 */
public record ShardStats(
    long eventsIngested, long eventsDropped, long batchesDispatched, long eventsUnrouted) {}
