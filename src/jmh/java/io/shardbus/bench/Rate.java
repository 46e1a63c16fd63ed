package io.shardbus.bench;

import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/** How fast a counter rises. */
final class Rate {

  private Rate() {}

  static double perSecond(LongSupplier counter, long nanos) throws InterruptedException {
    long before = counter.getAsLong();
    long start = System.nanoTime();
    TimeUnit.NANOSECONDS.sleep(nanos);
    long after = counter.getAsLong();
    return (after - before) * 1e9 / (System.nanoTime() - start);
  }
}
