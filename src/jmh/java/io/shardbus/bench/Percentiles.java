package io.shardbus.bench;

import java.util.Locale;
import org.HdrHistogram.Histogram;

/** A histogram as cells of a table, in microseconds. */
final class Percentiles {

  private Percentiles() {}

  static String of(Histogram nanos, double percentile) {
    return micros(nanos.getValueAtPercentile(percentile));
  }

  static String max(Histogram nanos) {
    return micros(nanos.getMaxValue());
  }

  private static String micros(long nanos) {
    return String.format(Locale.ROOT, "%.2f", nanos / 1e3);
  }
}
