package io.shardbus.shard;

import com.fasterxml.jackson.annotation.JsonCreator;
import com.fasterxml.jackson.annotation.JsonValue;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a shard does with an event when its ring is full and its producer does not wait for room.
 * Producers that wait ({@code ingestAwait}, streams, publishers, WebSockets with {@code ack}) are
 * not refused for want of room in any mode. In mode drop-oldest there is always room. Immutable.
 */
public final class BackpressureMode {

  enum Kind {
    DROP_NEWEST,
    DROP_OLDEST,
    FAIL_PRODUCER,
    SAMPLE
  }

  /** The new event is refused with BACKPRESSURE and counted as dropped; so are lines of uploads. */
  public static final BackpressureMode DROP_NEWEST =
      new BackpressureMode(Kind.DROP_NEWEST, 1, "drop-newest");

  /** The oldest queued event is evicted and counted as dropped, the new one is accepted. */
  public static final BackpressureMode DROP_OLDEST =
      new BackpressureMode(Kind.DROP_OLDEST, 1, "drop-oldest");

  /** The new event is refused with BACKPRESSURE; uploads of NDJSON over HTTP wait for room. */
  public static final BackpressureMode FAIL_PRODUCER =
      new BackpressureMode(Kind.FAIL_PRODUCER, 1, "fail-producer");

  private static final Pattern SAMPLE = Pattern.compile("sample\\((\\d{1,10})\\)");

  private final Kind kind;
  private final int rate;
  private final String text;

  private BackpressureMode(Kind kind, int rate, String text) {
    this.kind = kind;
    this.rate = rate;
    this.text = text;
  }

  /**
   * Above three quarters full one event in {@code rate} is kept, the others are refused with
   * SAMPLED; so is every event while the ring is full.
   *
   * @param rate one in how many is kept, at least 1
   * @return the mode
   */
  public static BackpressureMode sample(int rate) {
    if (rate < 1) {
      throw new IllegalArgumentException("sample rate: " + rate + " must be at least 1");
    }
    return new BackpressureMode(Kind.SAMPLE, rate, "sample(" + rate + ")");
  }

  /**
   * Reads what {@link #toString} writes.
   *
   * @param text {@code drop-newest}, {@code drop-oldest}, {@code fail-producer} or {@code
   *     sample(n)}
   * @return the mode
   * @throws IllegalArgumentException if the text is none of these
   */
  @JsonCreator
  public static BackpressureMode parse(String text) {
    switch (text) {
      case "drop-newest":
        return DROP_NEWEST;
      case "drop-oldest":
        return DROP_OLDEST;
      case "fail-producer":
        return FAIL_PRODUCER;
      default:
        Matcher matcher = SAMPLE.matcher(text);
        if (matcher.matches() && Long.parseLong(matcher.group(1)) <= Integer.MAX_VALUE) {
          return sample(Integer.parseInt(matcher.group(1)));
        }
        throw new IllegalArgumentException(
            "backpressure: \""
                + text
                + "\" must be drop-newest, drop-oldest, fail-producer or sample(n) with n from 1");
    }
  }

  Kind kind() {
    return kind;
  }

  int rate() {
    return rate;
  }

  @JsonValue
  @Override
  public String toString() {
    return text;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof BackpressureMode that && kind == that.kind && rate == that.rate;
  }

  @Override
  public int hashCode() {
    return Objects.hash(kind, rate);
  }
}
