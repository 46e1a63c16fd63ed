package io.shardbus.gateway;

import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Counts latencies in classes whose width is an eighth of the latency at most, from 1 microsecond
 * to two minutes; longer ones count as two minutes. Safe for any thread.
 */
final class Latencies {

  private static final int BITS = 3; // of a latency that are kept
  private static final int OCTAVES = 27;
  private static final int CLASSES = (OCTAVES - BITS + 1) << BITS;

  private final AtomicLongArray counts = new AtomicLongArray(CLASSES);

  void record(long nanos) {
    counts.incrementAndGet(classOf(Math.max(0, nanos) / 1_000));
  }

  /** Adds what was counted to a sum, and forgets it. */
  void moveTo(long[] sum) {
    for (int i = 0; i < CLASSES; i++) {
      if (counts.get(i) != 0) {
        sum[i] += counts.getAndSet(i, 0);
      }
    }
  }

  static long[] none() {
    return new long[CLASSES];
  }

  private static int classOf(long micros) {
    if (micros < 1 << BITS) {
      return (int) micros;
    }
    int octave = Long.SIZE - Long.numberOfLeadingZeros(micros);
    int within = (int) (micros >>> (octave - BITS - 1)) - (1 << BITS);
    return Math.min(CLASSES - 1, ((octave - BITS) << BITS) + within);
  }

  /** The least latency of a class, in microseconds. */
  private static long least(int i) {
    int octave = (i >> BITS) + BITS;
    return i < 1 << BITS
        ? i
        : (long) ((1 << BITS) + (i & ((1 << BITS) - 1))) << (octave - BITS - 1);
  }

  /** {@return in milliseconds, the middle of its class; NaN if nothing was counted} */
  static float quantile(double q, long[] counts) {
    long total = 0;
    for (long count : counts) {
      total += count;
    }
    long left = (long) Math.ceil(q * total);
    for (int i = 0; i < CLASSES && total > 0; i++) {
      left -= counts[i];
      if (left <= 0) {
        return (least(i) + least(i + 1)) / 2_000f;
      }
    }
    return Float.NaN;
  }
}
