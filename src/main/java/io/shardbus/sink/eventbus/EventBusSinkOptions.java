package io.shardbus.sink.eventbus;

import io.shardbus.options.OptionRanges;
import io.shardbus.options.OptionSpec;
import io.shardbus.options.OptionsCopy;
import io.shardbus.options.OptionsJson;
import io.vertx.codegen.annotations.DataObject;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** Where the event-bus sink finds its consumers, and how long it waits for them. */
@DataObject
public final class EventBusSinkOptions {

  /** The default of {@code address}. */
  public static final String DEFAULT_ADDRESS = "shardbus.events";

  /** The default of {@code memberTimeout}: 3 s. */
  public static final Duration DEFAULT_MEMBER_TIMEOUT = Duration.ofSeconds(3);

  /** The default of {@code requestTimeout}: 10 s. */
  public static final Duration DEFAULT_REQUEST_TIMEOUT = Duration.ofSeconds(10);

  private String address = DEFAULT_ADDRESS;
  private @Nullable String secret;
  private Duration memberTimeout = DEFAULT_MEMBER_TIMEOUT;
  private Duration requestTimeout = DEFAULT_REQUEST_TIMEOUT;

  /** The defaults. */
  public EventBusSinkOptions() {}

  /**
   * @param other the options to copy
   */
  public EventBusSinkOptions(EventBusSinkOptions other) {
    OptionsCopy.copy(other, this);
  }

  /**
   * @param json any of the options by name
   * @throws IllegalArgumentException naming an unknown or bad option
   */
  public EventBusSinkOptions(JsonObject json) {
    OptionsJson.read(this, json);
  }

  /** {@return the event-bus address at which consumers announce themselves} */
  public String getAddress() {
    return address;
  }

  /**
   * @param where the event-bus address at which consumers announce themselves
   * @return this
   */
  @OptionSpec(value = "address at which consumers announce themselves", min = "1")
  public EventBusSinkOptions setAddress(String where) {
    address = OptionRanges.check(this, "address", where);
    return this;
  }

  /** {@return the secret that consumers must know; null for none} */
  public @Nullable String getSecret() {
    return secret;
  }

  /**
   * @param text the secret that consumers must know; null for none
   * @return this
   */
  @OptionSpec(
      value = "secret that consumers must know; never logged",
      min = "1",
      allowed = "a text",
      secret = true)
  public EventBusSinkOptions setSecret(@Nullable String text) {
    secret = text == null ? null : OptionRanges.check(this, "secret", text);
    return this;
  }

  /** {@return the silence after which a consumer counts as dead and its batches go to another} */
  public Duration getMemberTimeout() {
    return memberTimeout;
  }

  /**
   * @param silence the silence after which a consumer counts as dead and its batches go to another;
   *     two heartbeats at least
   * @return this
   */
  @OptionSpec(
      value = "silence after which a consumer counts as dead, and its batches go to another one",
      min = "2s",
      max = "1d")
  public EventBusSinkOptions setMemberTimeout(Duration silence) {
    memberTimeout = OptionRanges.check(this, "memberTimeout", silence);
    return this;
  }

  /** {@return how long a consumer may take for one batch} */
  public Duration getRequestTimeout() {
    return requestTimeout;
  }

  /**
   * @param time how long a consumer may take for one batch; after that the batch goes to another,
   *     and the first one may see it too
   * @return this
   */
  @OptionSpec(value = "how long a consumer may take for a batch", min = "1ms", max = "1d")
  public EventBusSinkOptions setRequestTimeout(Duration time) {
    requestTimeout = OptionRanges.check(this, "requestTimeout", time);
    return this;
  }

  /** {@return all options as JSON} */
  public JsonObject toJson() {
    return OptionsJson.write(this);
  }
}
