package io.shardbus.shard;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Which lane takes which range of hashes: an immutable snapshot. Slot {@code i} of {@code n} covers
 * the hashes whose unsigned product with {@code n} has {@code i} as its high 64 bits (Lemire, "Fast
 * random integer generation in an interval", ACM TOMACS 2019); with {@code n} a power of two those
 * are the hashes whose top bits are {@code i}. Static routing has one slot a shard, dynamic routing
 * a power of two of them.
 *
 * <p>Events with a key have slots of their own, since these may move later than those of the
 * others, and to lanes with fences. While both agree they are the same array.
 */
final class RoutingTable {

  static final Lane[] NOBODY = {};

  static final RoutingTable CLOSED = new RoutingTable(NOBODY, NOBODY, -1, null);

  private final Lane[] unkeyed;
  private final Lane[] keyed;
  private final long epoch;
  private final @Nullable SlotSamples samples;
  private final AtomicInteger batches = new AtomicInteger();

  /**
   * @param unkeyed the lanes for events without a key; kept, and must not change afterwards
   * @param keyed the lanes for events with a key; as many, or the same array
   * @param samples counts a sample of the events; null for no count
   */
  RoutingTable(Lane[] unkeyed, Lane[] keyed, long epoch, @Nullable SlotSamples samples) {
    this.unkeyed = unkeyed;
    this.keyed = Arrays.equals(keyed, unkeyed) ? unkeyed : keyed;
    this.epoch = epoch;
    this.samples = samples;
  }

  /** The table after this one. */
  RoutingTable next(Lane[] unkeyed, Lane[] keyed, @Nullable SlotSamples samples) {
    return new RoutingTable(unkeyed, keyed, epoch + 1, samples);
  }

  @Nullable Lane select(long hash, boolean hasKey) {
    Lane[] all = hasKey ? keyed : unkeyed;
    return all.length == 0 ? null : all[slot(hash, all.length)];
  }

  /** Notes an event of the sample. */
  void sample(long hash, boolean hasKey) {
    if (samples != null && unkeyed.length > 0) {
      samples.add(slot(hash, unkeyed.length), hasKey);
    }
  }

  /** The unsigned high 64 bits of {@code hash * count}. */
  static int slot(long hash, int count) {
    return (int) (Math.multiplyHigh(hash, count) + ((hash >> 63) & count));
  }

  /**
   * Announces a batch that is pushed by this table. The caller must then check whether this still
   * is the current table.
   */
  void enterBatch() {
    batches.incrementAndGet();
  }

  void exitBatch() {
    batches.decrementAndGet();
  }

  /** Waits for the batches that are pushed by this table, once it is no longer the current one. */
  @SuppressWarnings("ThreadPriorityCheck") // the other side never waits
  void awaitBatches() {
    while (batches.get() != 0) {
      Thread.yield();
    }
  }

  /** Raised with every change. */
  long epoch() {
    return epoch;
  }

  /**
   * How many slots there are: first those of events without a key, then as many of events with one.
   */
  int slotCount() {
    return 2 * unkeyed.length;
  }

  Lane lane(int slot) {
    return slot < unkeyed.length ? unkeyed[slot] : keyed[slot - unkeyed.length];
  }

  Shard owner(int slot) {
    return Shard.of(lane(slot));
  }

  Shard[] owners() {
    Shard[] owners = new Shard[slotCount()];
    Arrays.setAll(owners, this::owner);
    return owners;
  }
}
