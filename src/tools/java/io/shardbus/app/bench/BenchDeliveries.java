package io.shardbus.app.bench;

import io.shardbus.sink.DeliveryObserver;
import java.util.function.LongSupplier;
import org.HdrHistogram.ConcurrentHistogram;
import org.HdrHistogram.Histogram;

/** Records how long the oldest and the newest event of each write took. */
final class BenchDeliveries implements DeliveryObserver {

  private final LongSupplier clock;
  private final Histogram nanos = new ConcurrentHistogram(3);

  /**
   * @param clock that gives the events their timestamps
   */
  BenchDeliveries(LongSupplier clock) {
    this.clock = clock;
  }

  @Override
  public void confirmed(int shard, long oldest, long newest) {
    long now = clock.getAsLong();
    // Timestamps of a burst are pushed ahead of the clock to keep them rising.
    nanos.recordValue(Math.max(0, now - oldest));
    nanos.recordValue(Math.max(0, now - newest));
  }

  /** Valid once the bus is closed. */
  Histogram nanos() {
    return nanos;
  }
}
