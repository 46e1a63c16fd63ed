package io.shardbus.shard;

import java.util.concurrent.atomic.AtomicIntegerArray;

/** How many events of the sample each slot of the routing table got. Safe for any thread. */
final class SlotSamples {

  private final int ranges;
  private final AtomicIntegerArray counts;

  /**
   * @param ranges hash ranges, each a slot of events without a key and a slot of events with one
   */
  SlotSamples(int ranges) {
    this.ranges = ranges;
    counts = new AtomicIntegerArray(2 * ranges);
  }

  /** An event of the sample was routed by this range. */
  void add(int range, boolean hasKey) {
    counts.incrementAndGet(hasKey ? ranges + range : range);
  }

  int get(int slot) {
    return counts.get(slot);
  }

  /** The count so far; it begins anew. */
  int take(int slot) {
    return counts.getAndSet(slot, 0);
  }
}
