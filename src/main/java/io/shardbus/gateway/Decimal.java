package io.shardbus.gateway;

/**
 * A number of JSON, exact at any size: 0.<em>digits</em> times ten to the <em>exponent</em>. Two
 * are equal if their values are, however they are written. It costs as much as its text is long,
 * also if that is {@code 1e999999999}.
 *
 * @param sign -1, 0 or 1
 * @param digits without zeros at the ends
 * @param exponent what is written beyond {@link #MAX_EXPONENT} counts as that
 */
record Decimal(int sign, String digits, long exponent) implements Comparable<Decimal> {

  static final long MAX_EXPONENT = 999_999_999_999_999L;

  private static final int MAX_EXPONENT_DIGITS = 15;
  private static final Decimal ZERO = new Decimal(0, "", 0);

  /** Reads a number as JSON has it. */
  static Decimal of(String text) {
    int e = Math.max(text.indexOf('e'), text.indexOf('E'));
    int from = text.charAt(0) == '-' ? 1 : 0;
    int end = e < 0 ? text.length() : e;
    int point = text.indexOf('.');
    int whole = point < 0 ? end : point;
    String all = text.substring(from, whole) + (point < 0 ? "" : text.substring(point + 1, end));
    int first = 0;
    int last = all.length();
    while (first < last && all.charAt(first) == '0') {
      first++;
    }
    while (last > first && all.charAt(last - 1) == '0') {
      last--;
    }
    if (first == last) {
      return ZERO;
    }
    long exponent = e < 0 ? 0 : exponent(text, e + 1);
    return new Decimal(
        from == 0 ? 1 : -1, all.substring(first, last), whole - from - first + exponent);
  }

  private static long exponent(String text, int from) {
    boolean negative = text.charAt(from) == '-';
    int first = negative || text.charAt(from) == '+' ? from + 1 : from;
    while (first < text.length() - 1 && text.charAt(first) == '0') {
      first++;
    }
    long size =
        text.length() - first > MAX_EXPONENT_DIGITS
            ? MAX_EXPONENT
            : Long.parseLong(text.substring(first));
    return negative ? -size : size;
  }

  @Override
  public int compareTo(Decimal other) {
    if (sign != other.sign || sign == 0) {
      return Integer.compare(sign, other.sign);
    }
    int size =
        exponent == other.exponent
            ? Integer.signum(digits.compareTo(other.digits))
            : Long.compare(exponent, other.exponent);
    return sign * size;
  }
}
