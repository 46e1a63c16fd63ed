package io.shardbus.shard;

/**
 * What one shard did in one window: the input of balancing and of scaling.
 *
 * @param shard which
 * @param warm whether it was active for the whole window
 * @param offeredRate events per second routed to it, accepted or refused
 * @param capacity what it can drain
 * @param pending events accepted and not settled at the end of the window: in its ring and in
 *     flight
 * @param fillRatio how full its ring is, 0 to 1
 * @param filling whether it is at least as full as when the window began
 * @param pushNanos mean of a sample; 0 if there was none
 * @param flushMicros mean; 0 if there was none
 */
record ShardLoad(
    Shard shard,
    boolean warm,
    double offeredRate,
    DrainCapacity.Estimate capacity,
    long pending,
    double fillRatio,
    boolean filling,
    long pushNanos,
    long flushMicros) {}
