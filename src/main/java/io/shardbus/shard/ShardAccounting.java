package io.shardbus.shard;

/**
 * Where the events of one shard, or of all, went. Two sums hold whenever no call is under way: what
 * was offered is what was accepted plus what was refused, and {@code accepted = delivered + evicted
 * + deadLettered + pendingInRing + inFlight}.
 *
 * @param accepted events that entered the ring
 * @param backpressure events refused because the ring was full
 * @param sampled events refused by mode {@code sample(n)}
 * @param evicted events pushed out of the ring by newer ones
 * @param delivered events that the sink confirmed, or that a caller drained by hand
 * @param deadLettered events the sink refused for good
 * @param pendingInRing events in the ring
 * @param inFlight events taken from the ring whose fate is open
 */
public record ShardAccounting(
    long accepted,
    long backpressure,
    long sampled,
    long evicted,
    long delivered,
    long deadLettered,
    long pendingInRing,
    long inFlight) {

  /** All zero. */
  public static final ShardAccounting ZERO = new ShardAccounting(0, 0, 0, 0, 0, 0, 0, 0);

  /**
   * The sum of two.
   *
   * @param other what to add
   * @return the sum
   */
  public ShardAccounting plus(ShardAccounting other) {
    return new ShardAccounting(
        accepted + other.accepted,
        backpressure + other.backpressure,
        sampled + other.sampled,
        evicted + other.evicted,
        delivered + other.delivered,
        deadLettered + other.deadLettered,
        pendingInRing + other.pendingInRing,
        inFlight + other.inFlight);
  }

  /** {@return events whose fate is open: in the ring and in flight} */
  public long pending() {
    return pendingInRing + inFlight;
  }

  /** {@return events that reached a shard: accepted and refused} */
  public long offered() {
    return accepted + backpressure + sampled;
  }
}
