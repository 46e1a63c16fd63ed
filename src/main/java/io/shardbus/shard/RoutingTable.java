package io.shardbus.shard;

import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Which shard takes which range of hashes: an immutable snapshot. Slot {@code i} of {@code n}
 * covers the hashes whose unsigned product with {@code n} has {@code i} as its high 64 bits
 * (Lemire, "Fast random integer generation in an interval", ACM TOMACS 2019); with {@code n} a
 * power of two those are the hashes whose top bits are {@code i}. Static routing has one slot a
 * shard, dynamic routing a power of two of them.
 */
final class RoutingTable {

  static final RoutingTable CLOSED = new RoutingTable(new Shard[0], -1, null);

  private final Shard[] slots;
  private final long epoch;
  private final @Nullable SlotLoads loads;
  private final AtomicInteger batches = new AtomicInteger();

  /**
   * @param slots kept, and not to be changed afterwards
   * @param loads told of a sample of the events; null if nobody wants to know
   */
  RoutingTable(Shard[] slots, long epoch, @Nullable SlotLoads loads) {
    this.slots = slots;
    this.epoch = epoch;
    this.loads = loads;
  }

  @Nullable Shard select(long hash) {
    Shard[] all = slots;
    return all.length == 0 ? null : all[slot(hash, all.length)];
  }

  /** Notes an event of the sample. */
  void sample(long hash) {
    if (loads != null && slots.length > 0) {
      loads.sample(slot(hash, slots.length));
    }
  }

  /** The unsigned high 64 bits of {@code hash * count}. */
  static int slot(long hash, int count) {
    return (int) (Math.multiplyHigh(hash, count) + ((hash >> 63) & count));
  }

  /**
   * A batch is about to be pushed by this table; whoever calls must then look whether it still is
   * the table.
   */
  void enterBatch() {
    batches.incrementAndGet();
  }

  void exitBatch() {
    batches.decrementAndGet();
  }

  /** Waits, once this is no longer the table, for the batches that are being pushed by it. */
  @SuppressWarnings("ThreadPriorityCheck") // the other side never waits
  void awaitBatches() {
    while (batches.get() != 0) {
      Thread.yield();
    }
  }

  /** Raised with every change; fences of moving keys will refer to it. */
  long epoch() {
    return epoch;
  }

  int slotCount() {
    return slots.length;
  }

  Shard owner(int slot) {
    return slots[slot];
  }

  Shard[] copyOfSlots() {
    return slots.clone();
  }
}
