package io.shardbus.bench;

import java.text.DecimalFormat;
import java.text.DecimalFormatSymbols;
import java.util.Locale;

/** A bound that a measured value is held against, as a cell of a table. */
final class Target {

  private static final DecimalFormatSymbols SYMBOLS = DecimalFormatSymbols.getInstance(Locale.ROOT);

  private Target() {}

  static String atLeast(double bound, String what, double measured) {
    return verdict("at least", bound, what, measured, measured >= bound);
  }

  static String above(double bound, String what, double measured) {
    return verdict("above", bound, what, measured, measured > bound);
  }

  static String atMost(double bound, String what, double measured) {
    return verdict("at most", bound, what, measured, measured <= bound);
  }

  static String below(double bound, String what, double measured) {
    return verdict("below", bound, what, measured, measured < bound);
  }

  private static String verdict(
      String relation, double bound, String what, double measured, boolean holds) {
    String outcome = Double.isNaN(measured) ? "not measured" : holds ? "met" : "missed";
    return relation
        + ' '
        + new DecimalFormat("0.##", SYMBOLS).format(bound)
        + ' '
        + what
        + ": "
        + outcome;
  }
}
