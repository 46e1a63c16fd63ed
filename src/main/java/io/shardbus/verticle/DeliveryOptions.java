package io.shardbus.verticle;

import io.shardbus.options.Durations;
import io.shardbus.options.OptionsJson;
import io.vertx.codegen.annotations.DataObject;
import io.vertx.core.json.JsonObject;
import java.time.Duration;

/** How hard a shard tries to get a batch into its sink. */
@DataObject
public final class DeliveryOptions {

  /** The default of {@code timeout}. */
  public static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(30);

  /** The default of {@code maxAttempts}: 0, without end. */
  public static final int DEFAULT_MAX_ATTEMPTS = 0;

  /** The default of {@code initialBackoff}. */
  public static final Duration DEFAULT_INITIAL_BACKOFF = Duration.ofMillis(100);

  /** The default of {@code maxBackoff}. */
  public static final Duration DEFAULT_MAX_BACKOFF = Duration.ofSeconds(10);

  /** The default of {@code breakerFailures}. */
  public static final int DEFAULT_BREAKER_FAILURES = 5;

  private Duration timeout = DEFAULT_TIMEOUT;
  private int maxAttempts = DEFAULT_MAX_ATTEMPTS;
  private Duration initialBackoff = DEFAULT_INITIAL_BACKOFF;
  private Duration maxBackoff = DEFAULT_MAX_BACKOFF;
  private int breakerFailures = DEFAULT_BREAKER_FAILURES;

  /** The defaults. */
  public DeliveryOptions() {}

  /**
   * A copy.
   *
   * @param other the options to copy
   */
  public DeliveryOptions(DeliveryOptions other) {
    timeout = other.timeout;
    maxAttempts = other.maxAttempts;
    initialBackoff = other.initialBackoff;
    maxBackoff = other.maxBackoff;
    breakerFailures = other.breakerFailures;
  }

  /**
   * From JSON.
   *
   * @param json any of the options by name
   * @throws IllegalArgumentException naming an unknown or bad option
   */
  public DeliveryOptions(JsonObject json) {
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
              + initialBackoff
              + " must be at most delivery.maxBackoff, which is "
              + maxBackoff);
    }
  }

  /**
   * @return how long the sink may take for one batch before the attempt counts as failed
   */
  public Duration getTimeout() {
    return timeout;
  }

  /**
   * @param time how long the sink may take for one batch before the attempt counts as failed, 1 ms
   *     to 1 day
   * @return this
   */
  public DeliveryOptions setTimeout(Duration time) {
    timeout = range("delivery.timeout", time);
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
  public DeliveryOptions setMaxAttempts(int attempts) {
    if (attempts < 0) {
      throw new IllegalArgumentException(
          "delivery.maxAttempts: " + attempts + " must be at least 0");
    }
    maxAttempts = attempts;
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
   * @param time the pause after the first failed attempt, 1 ms to 1 day; it doubles with each, and
   *     is shortened by up to a half at random
   * @return this
   */
  public DeliveryOptions setInitialBackoff(Duration time) {
    initialBackoff = range("delivery.initialBackoff", time);
    return this;
  }

  /**
   * @return the longest pause between attempts
   */
  public Duration getMaxBackoff() {
    return maxBackoff;
  }

  /**
   * @param time the longest pause between attempts, 1 ms to 1 day
   * @return this
   */
  public DeliveryOptions setMaxBackoff(Duration time) {
    maxBackoff = range("delivery.maxBackoff", time);
    return this;
  }

  /**
   * @return after how many failed attempts in a row a shard's circuit counts as open
   */
  public int getBreakerFailures() {
    return breakerFailures;
  }

  /**
   * @param failures after how many failed attempts in a row a shard's circuit counts as open, at
   *     least 1
   * @return this
   */
  public DeliveryOptions setBreakerFailures(int failures) {
    if (failures < 1) {
      throw new IllegalArgumentException(
          "delivery.breakerFailures: " + failures + " must be at least 1");
    }
    breakerFailures = failures;
    return this;
  }

  private static Duration range(String name, Duration time) {
    return Durations.inRange(name, time, Duration.ofMillis(1), Duration.ofDays(1));
  }

  /**
   * @return all options as JSON
   */
  public JsonObject toJson() {
    return OptionsJson.write(this);
  }
}
