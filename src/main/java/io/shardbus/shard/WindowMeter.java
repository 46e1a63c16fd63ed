package io.shardbus.shard;

import java.util.concurrent.atomic.AtomicLong;

/** Sum and number of the values added since the start. Safe for any thread. */
final class WindowMeter {

  private final AtomicLong sum = new AtomicLong();
  private final AtomicLong count = new AtomicLong();

  void add(long value) {
    sum.addAndGet(value);
    count.incrementAndGet();
  }

  Reading read() {
    // Count before sum: an addition between the two makes a mean a little high.
    long values = count.get();
    return new Reading(sum.get(), values);
  }

  /**
   * @param sum of all values
   * @param count how many there were
   */
  record Reading(long sum, long count) {

    static final Reading NONE = new Reading(0, 0);

    Reading minus(Reading earlier) {
      return new Reading(sum - earlier.sum, count - earlier.count);
    }

    /** 0 if there was none. */
    long mean() {
      return count == 0 ? 0 : sum / count;
    }
  }
}
