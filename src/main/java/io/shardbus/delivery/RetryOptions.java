package io.shardbus.delivery;

import io.shardbus.options.Durations;
import io.shardbus.options.OptionRanges;
import io.shardbus.options.OptionSpec;
import io.shardbus.options.OptionsCopy;
import io.shardbus.options.OptionsJson;
import io.vertx.codegen.annotations.DataObject;
import io.vertx.core.json.JsonObject;
import java.time.Duration;

/** How long and how often a shard tries to write a batch to its sink. */
@DataObject
public final class RetryOptions {

  /** The default of {@code timeout}. */
  public static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(30);

  /** The default of {@code maxAttempts}: 0, without end. */
  public static final int DEFAULT_MAX_ATTEMPTS = 0;

  /** The default of {@code initialBackoff}. */
  public static final Duration DEFAULT_INITIAL_BACKOFF = Duration.ofMillis(100);

  /** The default of {@code maxBackoff}. */
  public static final Duration DEFAULT_MAX_BACKOFF = Duration.ofSeconds(5);

  /** The default of {@code breakerFailures}. */
  public static final int DEFAULT_BREAKER_FAILURES = 5;

  private Duration timeout = DEFAULT_TIMEOUT;
  private int maxAttempts = DEFAULT_MAX_ATTEMPTS;
  private Duration initialBackoff = DEFAULT_INITIAL_BACKOFF;
  private Duration maxBackoff = DEFAULT_MAX_BACKOFF;
  private int breakerFailures = DEFAULT_BREAKER_FAILURES;

  /** The defaults. */
  public RetryOptions() {}

  /**
   * @param other the options to copy
   */
  public RetryOptions(RetryOptions other) {
    OptionsCopy.copy(other, this);
  }

  /**
   * @param json any of the options by name
   * @throws IllegalArgumentException naming an unknown or bad option
   */
  public RetryOptions(JsonObject json) {
    OptionsJson.read(this, json);
  }

  /**
   * Checks the options against each other.
   *
   * @throws IllegalArgumentException naming the options that contradict each other
   */
  public void validate() {
    if (initialBackoff.compareTo(maxBackoff) > 0) {
      throw new IllegalArgumentException(
          "delivery.initialBackoff: "
              + Durations.format(initialBackoff)
              + " must be at most delivery.maxBackoff, which is "
              + Durations.format(maxBackoff));
    }
  }

  /** {@return how long the sink may take for one batch before the attempt counts as failed} */
  public Duration getTimeout() {
    return timeout;
  }

  /**
   * @param time how long the sink may take for one batch before the attempt counts as failed
   * @return this
   */
  @OptionSpec(value = "how long the sink may take for a batch", min = "1ms", max = "1d")
  public RetryOptions setTimeout(Duration time) {
    timeout = OptionRanges.check(this, "delivery.timeout", time);
    return this;
  }

  /**
   * @return after how many attempts that failed for a passing reason events are dead-lettered; 0
   *     for never
   */
  public int getMaxAttempts() {
    return maxAttempts;
  }

  /**
   * @param attempts after how many attempts that failed for a passing reason events are
   *     dead-lettered; 0 for never: the shard waits for its sink, and its ring fills meanwhile
   * @return this
   */
  @OptionSpec(
      value =
          "failed attempts after which the bus looks for the event that fails, and dead-letters"
              + " it; 0: never",
      min = "0")
  public RetryOptions setMaxAttempts(int attempts) {
    maxAttempts = OptionRanges.check(this, "delivery.maxAttempts", attempts);
    return this;
  }

  /**
   * @return the pause after the first failed attempt; it doubles with each, and is shortened by up
   *     to a half at random
   */
  public Duration getInitialBackoff() {
    return initialBackoff;
  }

  /**
   * @param time the pause after the first failed attempt; it doubles with each, and is shortened by
   *     up to a half at random
   * @return this
   */
  @OptionSpec(
      value =
          "pause after the first failure; it doubles with each failure, less up to half at random",
      min = "1ms",
      max = "1d")
  public RetryOptions setInitialBackoff(Duration time) {
    initialBackoff = OptionRanges.check(this, "delivery.initialBackoff", time);
    return this;
  }

  /** {@return the longest pause between attempts} */
  public Duration getMaxBackoff() {
    return maxBackoff;
  }

  /**
   * @param time the longest pause between attempts
   * @return this
   */
  @OptionSpec(value = "longest pause between attempts", min = "1ms", max = "1d")
  public RetryOptions setMaxBackoff(Duration time) {
    maxBackoff = OptionRanges.check(this, "delivery.maxBackoff", time);
    return this;
  }

  /** {@return after how many failed attempts in a row a shard's circuit counts as open} */
  public int getBreakerFailures() {
    return breakerFailures;
  }

  /**
   * @param failures after how many failed attempts in a row a shard's circuit counts as open
   * @return this
   */
  @OptionSpec(
      value = "failed attempts in a row after which the circuit of a shard counts as open",
      min = "1")
  public RetryOptions setBreakerFailures(int failures) {
    breakerFailures = OptionRanges.check(this, "delivery.breakerFailures", failures);
    return this;
  }

  /** {@return all options as JSON} */
  public JsonObject toJson() {
    return OptionsJson.write(this);
  }
}
