package io.shardbus.delivery;

/**
 * The size at which a batch is worth writing: as many events as come, at the measured rate, within
 * the longest delay. The rate is an exponentially weighted moving average over batches.
 */
final class BatchTarget {

  private static final double WEIGHT_OF_LATEST = 0.3;

  private final BatchOptions options;
  private final double maxDelayNanos;
  private double eventsPerNano;
  private long lastBatchNanos;
  private boolean measured;

  BatchTarget(BatchOptions options) {
    this.options = options;
    this.maxDelayNanos = options.getMaxDelay().toNanos();
  }

  void batchFormed(int events, long nowNanos) {
    if (measured) {
      double latest = (double) events / Math.max(1, nowNanos - lastBatchNanos);
      eventsPerNano += WEIGHT_OF_LATEST * (latest - eventsPerNano);
    }
    measured = true;
    lastBatchNanos = nowNanos;
  }

  int events() {
    if (!options.isAdaptive()) {
      return options.getMinSize();
    }
    double expected = eventsPerNano * maxDelayNanos;
    return (int) Math.max(options.getMinSize(), Math.min(options.getMaxSize(), expected));
  }

  /** Whether waiting for the longest delay would gain anything. */
  boolean moreExpected() {
    return !options.isAdaptive() || eventsPerNano * maxDelayNanos >= 1;
  }
}
