package io.shardbus.event;

/**
 * The result of handing a batch of events to the bus. The first three counts add up to the size of
 * the batch.
 *
 * @param accepted events that the bus has
 * @param dropped events refused: backpressure, sampled, too large, closed or intercepted
 * @param unrouted events for which no shard was active
 * @param duplicates those of the accepted events of which the bus had taken the id before
 */
public record BatchIngestResult(int accepted, int dropped, int unrouted, int duplicates) {}
