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

  private EventTime() {}

  /**
   * The time as text.
   *
   * @param timestamp nanoseconds since the epoch
   * @return 30 characters
   */
  public static String text(long timestamp) {
    return TEXT.format(
        Instant.ofEpochSecond(Math.floorDiv(timestamp, NANOS), Math.floorMod(timestamp, NANOS)));
  }

  /**
   * Reads a time.
   *
   * @param text as in RFC 3339, with any offset and up to nine digits of a second
   * @return nanoseconds since the epoch
   * @throws IllegalArgumentException if it is no such text, or beyond the years 1678 to 2261
   */
  public static long parse(String text) {
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
