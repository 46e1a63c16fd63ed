package io.shardbus.bench;

import java.util.Collections;
import java.util.List;
import java.util.Locale;

/** Measurements of the same thing as cells of a table; empty if there are none. */
final class Spread {

  private final List<Double> values;
  private final String format;

  /**
   * @param format for one number
   */
  Spread(String format, List<Double> values) {
    this.format = format;
    this.values = values;
  }

  String median() {
    return values.isEmpty() ? "" : number(Median.of(values));
  }

  String range() {
    return values.isEmpty()
        ? ""
        : number(Collections.min(values)) + " to " + number(Collections.max(values));
  }

  private String number(double value) {
    return String.format(Locale.ROOT, format, value);
  }
}
