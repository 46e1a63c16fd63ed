package io.shardbus.shard;

import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.function.LongSupplier;

/**
 * Nanoseconds since the epoch that never go back: the wall clock at the start, and the monotonic
 * clock from then on. It does not follow later corrections of the wall clock.
 */
final class MonotonicClock implements LongSupplier {

  private final long offset;

  MonotonicClock() {
    long wall = ChronoUnit.NANOS.between(Instant.EPOCH, Instant.now());
    offset = wall - System.nanoTime();
  }

  @Override
  public long getAsLong() {
    return System.nanoTime() + offset;
  }
}
