package io.shardbus.sink.kafka;

import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.errors.InvalidTimestampException;
import org.jspecify.annotations.Nullable;

/**
 * The timestamps that the broker takes ({@code message.timestamp.before.max.ms} and {@code
 * message.timestamp.after.max.ms}). A clock that went wrong is no fault of the event: if the broker
 * refuses a timestamp, records get the nearest one that it takes. The broker says which, by its own
 * clock. After an hour true timestamps are tried again. Safe for any thread.
 */
final class RecordTimes {

  private static final Logger LOG = LoggerFactory.getLogger(RecordTimes.class);

  /** The broker has no field for it. */
  private static final Pattern RANGE =
      Pattern.compile("timestamp should be within \\[(-?\\d+), (-?\\d+)]");

  private static final long GOOD_FOR_MILLIS = TimeUnit.HOURS.toMillis(1);
  private static final long MOST_MARGIN_MILLIS = 60_000;

  private final String topic;
  private volatile @Nullable Range told;

  /** Milliseconds since the epoch at a value of {@link System#nanoTime}. */
  private record Range(long from, long to, long toldAt) {

    long age() {
      return TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - toldAt);
    }

    /**
     * Not exactly at the limits, because these move with the clock of the broker while the record
     * is under way.
     */
    long nearest(long millis) {
      long margin = Math.min(MOST_MARGIN_MILLIS, to / 4 - from / 4);
      return Math.max(from + age() + margin, Math.min(millis, to + age() - margin));
    }
  }

  RecordTimes(String topic) {
    this.topic = topic;
  }

  /** Whether a record was refused for its timestamp, among others or alone. */
  static boolean isRefusal(Throwable failure) {
    return failure instanceof InvalidTimestampException
        || (failure instanceof InvalidRecordException
            && RANGE.matcher(String.valueOf(failure.getMessage())).find());
  }

  /** Learns from a failure, if it is a refusal. */
  void learn(Throwable failure) {
    if (!isRefusal(failure)) {
      return;
    }
    if (told == null) {
      LOG.warn(
          "topic "
              + topic
              + ": "
              + failure.getMessage()
              + " Records get the nearest timestamp that the broker takes; their header"
              + " \"Shardbus-Event\" keeps the event's.");
    }
    Matcher range = RANGE.matcher(String.valueOf(failure.getMessage()));
    long now = System.nanoTime();
    told =
        range.find()
            ? new Range(Long.parseLong(range.group(1)), Long.parseLong(range.group(2)), now)
            : new Range(Long.MIN_VALUE / 2, System.currentTimeMillis(), now);
  }

  /**
   * The timestamp for a record.
   *
   * @param millis the event's
   */
  long nearest(long millis) {
    Range range = told;
    if (range == null) {
      return millis;
    }
    if (range.age() > GOOD_FOR_MILLIS) {
      told = null;
      return millis;
    }
    return range.nearest(millis);
  }
}
