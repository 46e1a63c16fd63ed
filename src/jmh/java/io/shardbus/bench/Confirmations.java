package io.shardbus.bench;

import java.util.concurrent.atomic.AtomicLong;
import org.HdrHistogram.Histogram;
import org.HdrHistogram.Recorder;

/** How many events were confirmed, and how long lots waited for it. */
final class Confirmations {

  private final AtomicLong events = new AtomicLong();
  private final Recorder latencies = new Recorder(3);

  /**
   * @param sentAt when the lot was sent, by {@link System#nanoTime()}
   */
  void add(int count, long sentAt) {
    latencies.recordValue(System.nanoTime() - sentAt);
    add(count);
  }

  void add(long count) {
    events.addAndGet(count);
  }

  long events() {
    return events.get();
  }

  /** In nanoseconds, since the last call. */
  Histogram latencies() {
    return latencies.getIntervalHistogram();
  }
}
