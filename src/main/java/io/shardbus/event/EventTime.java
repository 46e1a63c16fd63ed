package io.shardbus.event;

import java.time.Instant;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeFormatterBuilder;
import java.time.format.DateTimeParseException;
import java.util.Locale;
import java.util.concurrent.TimeUnit;

/**
 * Times of events as text: RFC 3339 in UTC with nine digits of a second, such as {@code
 * 2026-11-29T16:05:12.345678901Z}. A number of nanoseconds has 19 digits, which JSON readers with
 * 64-bit floating-point numbers round. The texts sort as the times do.
 */
public final class EventTime {

  private static final long NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final DateTimeFormatter TEXT =
      new DateTimeFormatterBuilder().appendInstant(9).toFormatter(Locale.ROOT);

  /** Of a text, and of its beginning up to the digits of the second. */
  private static final int LENGTH = 30;

  private static final int SECOND_LENGTH = 20;

  // Times that follow each other are often of one second. Any thread may replace these.
  private static volatile Second written = new Second(0, "1970-01-01T00:00:00.");
  private static volatile Second read = written;

  private record Second(long number, String text) {}

  private EventTime() {}

  /**
   * The time as text.
   *
   * @param timestamp nanoseconds since the epoch
   * @return 30 characters
   */
  public static String text(long timestamp) {
    long number = Math.floorDiv(timestamp, NANOS);
    Second second = written;
    if (second.number() != number) {
      String text = text(Instant.ofEpochSecond(number));
      second = new Second(number, text.substring(0, SECOND_LENGTH));
      written = second;
    }
    StringBuilder text = new StringBuilder(LENGTH).append(second.text());
    int nanos = (int) Math.floorMod(timestamp, NANOS);
    for (int unit = (int) NANOS / 10; unit > 0; unit /= 10) {
      text.append((char) ('0' + nanos / unit % 10));
    }
    return text.append('Z').toString();
  }

  /**
   * The time as text, also one that no event can have.
   *
   * @param time any time
   * @return 30 characters, or more beyond the years 0 to 9999
   */
  public static String text(Instant time) {
    return TEXT.format(time);
  }

  /**
   * Reads a time.
   *
   * @param text as in RFC 3339, with any offset and up to nine digits of a second
   * @return nanoseconds since the epoch
   * @throws IllegalArgumentException if it is no such text, or beyond the years 1678 to 2261
   */
  public static long parse(String text) {
    Second second = read;
    if (text.length() == LENGTH && text.endsWith("Z") && text.startsWith(second.text())) {
      int nanos = digits(text);
      long begin = second.number() * NANOS;
      if (nanos >= 0 && begin + nanos >= begin) {
        return begin + nanos;
      }
    }
    long time = parseAny(text);
    if (text.length() == LENGTH && text.endsWith("Z")) {
      read = new Second(Math.floorDiv(time, NANOS), text.substring(0, SECOND_LENGTH));
    }
    return time;
  }

  /** The nine digits before the last character; -1 if they are none. */
  private static int digits(String text) {
    int number = 0;
    for (int i = SECOND_LENGTH; i < LENGTH - 1; i++) {
      int digit = text.charAt(i) - '0';
      if (digit < 0 || digit > 9) {
        return -1;
      }
      number = number * 10 + digit;
    }
    return number;
  }

  private static long parseAny(String text) {
    try {
      Instant instant =
          OffsetDateTime.parse(text, DateTimeFormatter.ISO_OFFSET_DATE_TIME)
              .withOffsetSameInstant(ZoneOffset.UTC)
              .toInstant();
      return Math.addExact(
          Math.multiplyExact(instant.getEpochSecond(), NANOS), (long) instant.getNano());
    } catch (DateTimeParseException | ArithmeticException e) {
      throw new IllegalArgumentException(
          "time " + EventText.quote(text) + " must be such as 2026-11-29T16:05:12.345Z", e);
    }
  }
}
