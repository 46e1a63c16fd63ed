package io.shardbus.event;

/**
 * The result of handing a batch of events to the bus. The three counts add up to the size of the
 * batch.
 *
 * @param accepted events in a ring
 * @param dropped events refused: backpressure, sampled, too large or closed
 * @param unrouted events for which no shard was active
 */
public record BatchIngestResult(int accepted, int dropped, int unrouted) {}
