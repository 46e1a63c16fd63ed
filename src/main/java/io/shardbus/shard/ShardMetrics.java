package io.shardbus.shard;

/**
 * One shard over the last metrics window.
 *
 * @param shard the shard's id
 * @param fillRatio how full the ring is at the end of the window, 0 to 1
 * @param eventRate events per second routed to the shard, accepted or refused
 * @param avgPushLatencyNanos mean nanoseconds to push an event into the ring, of a sample; 0 if
 *     none was taken
 * @param avgFlushLatencyMicros mean microseconds from handing a batch to the sink to its answer; 0
 *     if there was none
 * @param draining whether the shard is leaving
 * @param weight the shard's share of the routing table's slots, relative to an equal share: 1 is
 *     equal, 0 is none
 */
public record ShardMetrics(
    int shard,
    double fillRatio,
    long eventRate,
    long avgPushLatencyNanos,
    long avgFlushLatencyMicros,
    boolean draining,
    double weight) {}
