package io.shardbus.options;

import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Durations as people write them: {@code 250us}, {@code 10ms}, {@code 30s}, {@code 5m}, {@code 2h},
 * {@code 7d}.
 */
public final class Durations {

  private static final Pattern SIMPLE = Pattern.compile("(\\d{1,15})\\s*(ns|us|ms|s|m|h|d)");

  private Durations() {}

  /**
   * Reads a duration.
   *
   * @param text a whole number with a unit (ns, us, ms, s, m, h, d), or the ISO 8601 form such as
   *     {@code PT1.5S}
   * @return the duration
   * @throws IllegalArgumentException if it is neither
   */
  public static Duration parse(String text) {
    Matcher matcher = SIMPLE.matcher(text.strip().toLowerCase(Locale.ROOT));
    try {
      if (matcher.matches()) {
        long number = Long.parseLong(matcher.group(1));
        return switch (matcher.group(2)) {
          case "ns" -> Duration.ofNanos(number);
          case "us" -> Duration.ofNanos(Math.multiplyExact(number, 1000L));
          case "ms" -> Duration.ofMillis(number);
          case "s" -> Duration.ofSeconds(number);
          case "m" -> Duration.ofMinutes(number);
          case "h" -> Duration.ofHours(number);
          default -> Duration.ofDays(number);
        };
      }
      return Duration.parse(text.strip());
    } catch (DateTimeParseException | ArithmeticException e) {
      throw new IllegalArgumentException(
          "\""
              + text
              + "\" is not a duration: write a number with a unit, such as 10ms, 30s or 5m");
    }
  }

  /**
   * Writes a duration in the largest unit that fits it.
   *
   * @param duration what to write, not negative
   * @return text that {@link #parse} reads
   */
  public static String format(Duration duration) {
    if (duration.getNano() % 1_000_000 != 0) {
      return duration.toNanos() % 1000 == 0
          ? duration.toNanos() / 1000 + "us"
          : duration.toNanos() + "ns";
    }
    if (duration.getNano() != 0) {
      return duration.toMillis() + "ms";
    }
    long seconds = duration.getSeconds();
    if (seconds % 86_400 == 0 && seconds > 0) {
      return seconds / 86_400 + "d";
    }
    if (seconds % 3600 == 0 && seconds > 0) {
      return seconds / 3600 + "h";
    }
    return seconds % 60 == 0 && seconds > 0 ? seconds / 60 + "m" : seconds + "s";
  }
}
