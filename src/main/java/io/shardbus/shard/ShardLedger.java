package io.shardbus.shard;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * One shard's counters. It outlives the shard, because a producer may still be about to count a
 * refusal when the shard goes: a ledger is kept for every id ever given, of which there are at most
 * 65,535.
 *
 * <p>Accepted events are not counted here: the ring's own producer index is that count, so that
 * accepting an event costs no counter. The totals of the ring are frozen by {@link #close} when the
 * shard is unmapped, after which neither can change.
 */
final class ShardLedger {

  final LongAdder backpressure = new LongAdder();
  final LongAdder sampled = new LongAdder();
  final LongAdder evicted = new LongAdder();
  final AtomicLong delivered = new AtomicLong();
  final AtomicLong deadLettered = new AtomicLong();
  final AtomicLong batches = new AtomicLong();

  private long finalAccepted;
  private long finalDrained;
  private volatile @Nullable Live live;

  /**
   * The counts of a shard that is there.
   *
   * @param accepted events that its rings took
   * @param pending events in its rings
   * @param drained events that left its rings
   */
  record Live(LongSupplier accepted, LongSupplier pending, LongSupplier drained) {}

  void open(Live counts) {
    live = counts;
  }

  /** Called once, when the shard is sealed and empty; the volatile write publishes the totals. */
  void close(long accepted, long drained) {
    finalAccepted = accepted;
    finalDrained = drained;
    live = null;
  }

  ShardAccounting accounting() {
    // Read from the end of an event's way to its beginning, so that no difference is ever negative.
    long settledOk = delivered.get();
    long settledDead = deadLettered.get();
    Live counts = live;
    long drained = counts == null ? finalDrained : counts.drained().getAsLong();
    long pushedOut = evicted.sum();
    long pending = counts == null ? 0 : counts.pending().getAsLong();
    long accepted = counts == null ? finalAccepted : counts.accepted().getAsLong();
    return new ShardAccounting(
        accepted,
        backpressure.sum(),
        sampled.sum(),
        pushedOut,
        settledOk,
        settledDead,
        pending,
        drained - settledOk - settledDead);
  }

  ShardStats stats() {
    ShardAccounting all = accounting();
    return new ShardStats(
        all.accepted(), all.backpressure() + all.sampled() + all.evicted(), batches.get(), 0);
  }
}
