package io.shardbus.shard;

import java.util.concurrent.atomic.AtomicLong;

/** The mean of the values added since the last reading. Any thread may add; one thread reads. */
final class WindowMeter {

  private final AtomicLong sum = new AtomicLong();
  private final AtomicLong count = new AtomicLong();
  private long lastSum;
  private long lastCount;

  void add(long value) {
    sum.addAndGet(value);
    count.incrementAndGet();
  }

  /**
   * The window's sum and mean, and begins the next window.
   *
   * @return the reading; mean is 0 if nothing was added
   */
  Reading roll() {
    // Count before sum: an addition between the two makes the mean a little high, never a division
    // by zero.
    long countNow = count.get();
    long sumNow = sum.get();
    long values = countNow - lastCount;
    long total = sumNow - lastSum;
    lastCount = countNow;
    lastSum = sumNow;
    return new Reading(total, values == 0 ? 0 : total / values);
  }

  record Reading(long sum, long mean) {}
}
