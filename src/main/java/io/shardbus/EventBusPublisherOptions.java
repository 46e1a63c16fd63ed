package io.shardbus;

import io.shardbus.options.OptionsJson;
import io.vertx.codegen.annotations.DataObject;
import io.vertx.core.json.JsonObject;
import java.time.Duration;

/** How an {@link EventBusPublisher} works. */
@DataObject
public final class EventBusPublisherOptions {

  /** When an event counts as written. */
  public enum Ack {
    /** It is in a ring of the bus. */
    accepted,
    /** The sink has confirmed it. */
    delivered
  }

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

  private static final int MAX_BATCH_EVENTS = 65_536;
  private static final int MAX_EVENTS = 1_000_000;

  private String address = ShardBusOptions.DEFAULT_ADDRESS;
  private Ack ack = Ack.accepted;
  private int maxInFlightEvents = DEFAULT_MAX_IN_FLIGHT_EVENTS;
  private long maxInFlightBytes = DEFAULT_MAX_IN_FLIGHT_BYTES;
  private int batchEvents = DEFAULT_BATCH_EVENTS;
  private int batchBytes = DEFAULT_BATCH_BYTES;
  private Duration timeout = DEFAULT_TIMEOUT;

  /** The defaults. */
  public EventBusPublisherOptions() {}

  /**
   * A copy.
   *
   * @param other the options to copy
   */
  public EventBusPublisherOptions(EventBusPublisherOptions other) {
    address = other.address;
    ack = other.ack;
    maxInFlightEvents = other.maxInFlightEvents;
    maxInFlightBytes = other.maxInFlightBytes;
    batchEvents = other.batchEvents;
    batchBytes = other.batchBytes;
    timeout = other.timeout;
  }

  /**
   * From JSON.
   *
   * @param json any of the options by name
   * @throws IllegalArgumentException naming an unknown or bad option
   */
  public EventBusPublisherOptions(JsonObject json) {
    OptionsJson.read(this, json);
  }

  /**
   * @return the event-bus address of the bus
   */
  public String getAddress() {
    return address;
  }

  /**
   * @param address the event-bus address of the bus, not empty
   * @return this
   */
  public EventBusPublisherOptions setAddress(String address) {
    if (address.isBlank()) {
      throw new IllegalArgumentException("address: must not be empty");
    }
    this.address = address;
    return this;
  }

  /**
   * @return when an event counts as written
   */
  public Ack getAck() {
    return ack;
  }

  /**
   * @param ack when an event counts as written
   * @return this
   */
  public EventBusPublisherOptions setAck(Ack ack) {
    this.ack = ack;
    return this;
  }

  /**
   * @return most events under way
   */
  public int getMaxInFlightEvents() {
    return maxInFlightEvents;
  }

  /**
   * @param events most events that are sent and not answered, 1 to 1,000,000. With as many written
   *     and not settled, the publisher is full
   * @return this
   */
  public EventBusPublisherOptions setMaxInFlightEvents(int events) {
    maxInFlightEvents = (int) within("maxInFlightEvents", events, MAX_EVENTS);
    return this;
  }

  /**
   * @return most bytes under way
   */
  public long getMaxInFlightBytes() {
    return maxInFlightBytes;
  }

  /**
   * @param bytes most bytes of events that are sent and not answered, 1 to 1 GiB; a larger event
   *     goes alone. With as many written and not settled, the publisher is full
   * @return this
   */
  public EventBusPublisherOptions setMaxInFlightBytes(long bytes) {
    maxInFlightBytes = within("maxInFlightBytes", bytes, 1L << 30);
    return this;
  }

  /**
   * @return most events in a message
   */
  public int getBatchEvents() {
    return batchEvents;
  }

  /**
   * @param events most events in a message, 1 to 65,536
   * @return this
   */
  public EventBusPublisherOptions setBatchEvents(int events) {
    batchEvents = (int) within("batchEvents", events, MAX_BATCH_EVENTS);
    return this;
  }

  /**
   * @return bytes of events in a message
   */
  public int getBatchBytes() {
    return batchBytes;
  }

  /**
   * @param bytes most bytes of events in a message, 1 to 1 GiB; a larger event goes alone
   * @return this
   */
  public EventBusPublisherOptions setBatchBytes(int bytes) {
    batchBytes = (int) within("batchBytes", bytes, 1L << 30);
    return this;
  }

  private static long within(String name, long value, long max) {
    if (value < 1 || value > max) {
      throw new IllegalArgumentException(name + ": " + value + " must be 1 to " + max);
    }
    return value;
  }

  /**
   * @return how long an event may take
   */
  public Duration getTimeout() {
    return timeout;
  }

  /**
   * @param time how long an event may wait, from its write, for a bus, for room and for an answer,
   *     10 ms to 1 day; after that the publisher asks once more for an answer that is missing
   * @return this
   */
  public EventBusPublisherOptions setTimeout(Duration time) {
    if (time.compareTo(Duration.ofMillis(10)) < 0 || time.compareTo(Duration.ofDays(1)) > 0) {
      throw new IllegalArgumentException("timeout: " + time + " must be 10 ms to 1 day");
    }
    timeout = time;
    return this;
  }

  /**
   * @return all options as JSON
   */
  public JsonObject toJson() {
    return OptionsJson.write(this);
  }
}
