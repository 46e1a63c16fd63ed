package io.shardbus.sink.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.errors.InvalidTimestampException;
import org.apache.kafka.common.errors.NetworkException;
import org.junit.jupiter.api.Test;

class RecordTimesTest {

  private static final long NOW = 1_900_000_000_000L;

  private final RecordTimes times = new RecordTimes("events");

  private static String outOfRange(long from, long to) {
    return "Timestamp 5 of message with offset 0 is out of range. The timestamp should be within ["
        + from
        + ", "
        + to
        + "]";
  }

  @Test
  void timestamps_areTheEventsOwnUntilOneIsRefused() {
    times.learn(new NetworkException("away"));
    times.learn(new InvalidRecordException("Compacted topic cannot accept message without key"));
    assertThat(times.nearest(5)).isEqualTo(5);
  }

  @Test
  void refusedTimestamps_becomeTheNearestThatAreTaken() {
    times.learn(new InvalidTimestampException(outOfRange(NOW - 600_000, NOW + 600_000)));
    assertThat(times.nearest(5)).isBetween(NOW - 600_000, NOW - 500_000);
    assertThat(times.nearest(NOW)).isEqualTo(NOW);
    assertThat(times.nearest(NOW + 1_000_000_000)).isBetween(NOW + 500_000, NOW + 600_000);
  }

  /** What the broker says if it takes any that is old, and when several records are refused. */
  @Test
  void rangeWithoutABeginning_isUnderstood() {
    times.learn(new InvalidRecordException(outOfRange(NOW - Long.MAX_VALUE, NOW + 10_000)));
    assertThat(times.nearest(5)).isEqualTo(5);
    assertThat(times.nearest(Long.MAX_VALUE / 1_000_000)).isBetween(NOW - 60_000, NOW + 10_000);
  }

  @Test
  void refusalInOtherWords_leavesOutTheFuture() {
    times.learn(new InvalidTimestampException("no"));
    assertThat(times.nearest(5)).isEqualTo(5);
    assertThat(times.nearest(Long.MAX_VALUE / 1_000_000))
        .isLessThanOrEqualTo(System.currentTimeMillis());
  }
}
