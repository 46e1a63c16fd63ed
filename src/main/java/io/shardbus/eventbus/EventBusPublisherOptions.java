package io.shardbus.eventbus;

import io.shardbus.event.Ack;
import io.shardbus.options.OptionRanges;
import io.shardbus.options.OptionSpec;
import io.shardbus.options.OptionsCopy;
import io.shardbus.options.OptionsJson;
import io.vertx.codegen.annotations.DataObject;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** How an {@link EventBusPublisher} works. */
@DataObject
public final class EventBusPublisherOptions {

  /** The default of {@code address}. */
  public static final String DEFAULT_ADDRESS = "shardbus.ingest";

  /** The default of {@code maxInFlightEvents}. */
  public static final int DEFAULT_MAX_IN_FLIGHT_EVENTS = 8192;

  /** The default of {@code maxInFlightBytes}: 8 MiB. */
  public static final long DEFAULT_MAX_IN_FLIGHT_BYTES = 8L << 20;

  /** The default of {@code batchEvents}. */
  public static final int DEFAULT_BATCH_EVENTS = 1000;

  /** The default of {@code batchBytes}: 256 KiB. */
  public static final int DEFAULT_BATCH_BYTES = 256 << 10;

  /** The default of {@code timeout}. */
  public static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(30);

  /** The default of {@code silence}. */
  public static final Duration DEFAULT_SILENCE = Duration.ofSeconds(5);

  private String address = DEFAULT_ADDRESS;
  private Ack ack = Ack.ACCEPTED;
  private int maxInFlightEvents = DEFAULT_MAX_IN_FLIGHT_EVENTS;
  private long maxInFlightBytes = DEFAULT_MAX_IN_FLIGHT_BYTES;
  private int batchEvents = DEFAULT_BATCH_EVENTS;
  private int batchBytes = DEFAULT_BATCH_BYTES;
  private Duration timeout = DEFAULT_TIMEOUT;
  private Duration silence = DEFAULT_SILENCE;
  private @Nullable String secret;

  /** The defaults. */
  public EventBusPublisherOptions() {}

  /**
   * @param other the options to copy
   */
  public EventBusPublisherOptions(EventBusPublisherOptions other) {
    OptionsCopy.copy(other, this);
  }

  /**
   * @param json any of the options by name
   * @throws IllegalArgumentException naming an unknown or bad option
   */
  public EventBusPublisherOptions(JsonObject json) {
    OptionsJson.read(this, json);
  }

  /** {@return the event-bus address of the bus} */
  public String getAddress() {
    return address;
  }

  /**
   * @param address the event-bus address of the bus
   * @return this
   */
  @OptionSpec(value = "event-bus address of the bus", min = "1")
  public EventBusPublisherOptions setAddress(String address) {
    this.address = OptionRanges.check(this, "address", address);
    return this;
  }

  /** {@return when an event counts as written} */
  public Ack getAck() {
    return ack;
  }

  /**
   * @param ack when an event counts as written: ACCEPTED or DELIVERED
   * @return this
   */
  @OptionSpec(value = "when a write completes", allowed = "`accepted`, `delivered`")
  public EventBusPublisherOptions setAck(Ack ack) {
    if (ack == Ack.NONE) {
      throw new IllegalArgumentException("ack: none must be accepted or delivered");
    }
    this.ack = ack;
    return this;
  }

  /** {@return most events under way} */
  public int getMaxInFlightEvents() {
    return maxInFlightEvents;
  }

  /**
   * @param events most events that are sent and not answered. With as many written and not settled,
   *     the publisher is full
   * @return this
   */
  @OptionSpec(
      value = "events sent and not answered; the stream is full if this many are not settled",
      min = "1",
      max = "1000000")
  public EventBusPublisherOptions setMaxInFlightEvents(int events) {
    maxInFlightEvents = OptionRanges.check(this, "maxInFlightEvents", events);
    return this;
  }

  /** {@return most bytes under way} */
  public long getMaxInFlightBytes() {
    return maxInFlightBytes;
  }

  /**
   * @param bytes most bytes of events that are sent and not answered; a larger event goes alone.
   *     With as many written and not settled, the publisher is full
   * @return this
   */
  @OptionSpec(value = "the same, in bytes", min = "1", max = "1073741824")
  public EventBusPublisherOptions setMaxInFlightBytes(long bytes) {
    maxInFlightBytes = OptionRanges.check(this, "maxInFlightBytes", bytes);
    return this;
  }

  /** {@return most events in a message} */
  public int getBatchEvents() {
    return batchEvents;
  }

  /**
   * @param events most events in a message
   * @return this
   */
  @OptionSpec(value = "most events in a message", min = "1", max = "65536")
  public EventBusPublisherOptions setBatchEvents(int events) {
    batchEvents = OptionRanges.check(this, "batchEvents", events);
    return this;
  }

  /** {@return bytes of events in a message} */
  public int getBatchBytes() {
    return batchBytes;
  }

  /**
   * @param bytes most bytes of events in a message; a larger event goes alone
   * @return this
   */
  @OptionSpec(
      value = "most bytes in a message; a larger event goes alone",
      min = "1",
      max = "1073741824")
  public EventBusPublisherOptions setBatchBytes(int bytes) {
    batchBytes = OptionRanges.check(this, "batchBytes", bytes);
    return this;
  }

  /** {@return how long an event may take} */
  public Duration getTimeout() {
    return timeout;
  }

  /**
   * @param time how long an event may wait, from its write, for a bus, for room and for an answer;
   *     after that the publisher asks once more for an answer that is missing
   * @return this
   */
  @OptionSpec(
      value = "how long an event may wait for a bus, for room and for an answer",
      min = "10ms",
      max = "1d")
  public EventBusPublisherOptions setTimeout(Duration time) {
    timeout = OptionRanges.check(this, "timeout", time);
    return this;
  }

  /** {@return after how much silence a router counts as hung} */
  public Duration getSilence() {
    return silence;
  }

  /**
   * @param time after how much silence a router counts as hung. The publisher then moves to another
   *     one with the events that it has not sent; those it has sent fail with UNKNOWN, or are sent
   *     again if their store recognises their ids
   * @return this
   */
  @OptionSpec(
      value = "silence of a node after which the publisher goes to another one",
      min = "100ms",
      max = "1d")
  public EventBusPublisherOptions setSilence(Duration time) {
    silence = OptionRanges.check(this, "silence", time);
    return this;
  }

  /** {@return the secret that the bus asks for; null for none} */
  public @Nullable String getSecret() {
    return secret;
  }

  /**
   * @param text the secret that the bus asks for; null for none
   * @return this
   */
  @OptionSpec(
      value = "secret that the bus asks for, its option `secret`; never logged",
      min = "1",
      allowed = "a text",
      secret = true)
  public EventBusPublisherOptions setSecret(@Nullable String text) {
    secret = text == null ? null : OptionRanges.check(this, "secret", text);
    return this;
  }

  /** {@return all options as JSON} */
  public JsonObject toJson() {
    return OptionsJson.write(this);
  }
}
