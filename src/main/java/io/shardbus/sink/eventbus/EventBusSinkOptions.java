package io.shardbus.sink.eventbus;

import io.shardbus.options.Durations;
import io.shardbus.options.OptionsJson;
import io.vertx.codegen.annotations.DataObject;
import io.vertx.core.json.JsonObject;
import java.time.Duration;

/** Where the event-bus sink finds its consumers, and how long it waits for them. */
@DataObject
public final class EventBusSinkOptions {

  /** The default of {@code address}. */
  public static final String DEFAULT_ADDRESS = "shardbus.events";

  /** The default of {@code memberTimeout}: 3 s. */
  public static final Duration DEFAULT_MEMBER_TIMEOUT = Duration.ofSeconds(3);

  /** The default of {@code requestTimeout}: 10 s. */
  public static final Duration DEFAULT_REQUEST_TIMEOUT = Duration.ofSeconds(10);

  private static final Duration DAY = Duration.ofDays(1);

  private String address = DEFAULT_ADDRESS;
  private Duration memberTimeout = DEFAULT_MEMBER_TIMEOUT;
  private Duration requestTimeout = DEFAULT_REQUEST_TIMEOUT;

  /** The defaults. */
  public EventBusSinkOptions() {}

  /**
   * A copy.
   *
   * @param other the options to copy
   */
  public EventBusSinkOptions(EventBusSinkOptions other) {
    address = other.address;
    memberTimeout = other.memberTimeout;
    requestTimeout = other.requestTimeout;
  }

  /**
   * From JSON.
   *
   * @param json any of the options by name
   * @throws IllegalArgumentException naming an unknown or bad option
   */
  public EventBusSinkOptions(JsonObject json) {
    OptionsJson.read(this, json);
  }

  /**
   * @return the event-bus address at which consumers announce themselves
   */
  public String getAddress() {
    return address;
  }

  /**
   * @param where the event-bus address at which consumers announce themselves, not empty
   * @return this
   */
  public EventBusSinkOptions setAddress(String where) {
    if (where.isBlank()) {
      throw new IllegalArgumentException("address: must not be empty");
    }
    address = where;
    return this;
  }

  /**
   * @return the silence after which a consumer counts as dead and its batches go to another
   */
  public Duration getMemberTimeout() {
    return memberTimeout;
  }

  /**
   * @param silence the silence after which a consumer counts as dead and its batches go to another,
   *     2 s (two heartbeats) to 1 day
   * @return this
   */
  public EventBusSinkOptions setMemberTimeout(Duration silence) {
    memberTimeout =
        Durations.inRange(
            "memberTimeout", silence, EventBusConsumer.HEARTBEAT.multipliedBy(2), DAY);
    return this;
  }

  /**
   * @return how long a consumer may take for one batch
   */
  public Duration getRequestTimeout() {
    return requestTimeout;
  }

  /**
   * @param time how long a consumer may take for one batch, 1 ms to 1 day; after that the batch
   *     goes to another, and the first one may see it too
   * @return this
   */
  public EventBusSinkOptions setRequestTimeout(Duration time) {
    requestTimeout = Durations.inRange("requestTimeout", time, Duration.ofMillis(1), DAY);
    return this;
  }

  /**
   * @return all options as JSON
   */
  public JsonObject toJson() {
    return OptionsJson.write(this);
  }
}
