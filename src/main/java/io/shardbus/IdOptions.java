package io.shardbus;

import io.shardbus.options.OptionRanges;
import io.shardbus.options.OptionSpec;
import io.shardbus.options.OptionsCopy;
import io.shardbus.options.OptionsJson;
import io.vertx.codegen.annotations.DataObject;
import io.vertx.core.json.JsonObject;
import java.time.Duration;

/**
 * How long the bus remembers the ids of events. An event with an id is taken once in this window. A
 * repeat is answered as the first was. An id is free again if its event was refused, evicted or
 * dead-lettered.
 */
@DataObject
public final class IdOptions {

  /** The default of {@code window}. */
  public static final Duration DEFAULT_WINDOW = Duration.ofMinutes(10);

  /** The default of {@code maxBytes}: 32 MiB, or a 64th of the heap if that is less. */
  public static final long DEFAULT_MAX_BYTES =
      Math.min(32L << 20, Runtime.getRuntime().maxMemory() / 64);

  private Duration window = DEFAULT_WINDOW;
  private long maxBytes = DEFAULT_MAX_BYTES;

  /** The defaults. */
  public IdOptions() {}

  /**
   * @param other the options to copy
   */
  public IdOptions(IdOptions other) {
    OptionsCopy.copy(other, this);
  }

  /**
   * @param json any of the options by name
   * @throws IllegalArgumentException naming an unknown or bad option
   */
  public IdOptions(JsonObject json) {
    OptionsJson.read(this, json);
  }

  /** {@return how long an id is remembered; 0 if ids mean nothing to the bus} */
  public Duration getWindow() {
    return window;
  }

  /**
   * @param window how long an id is remembered, up to 24 hours, in whole seconds. With 0 the bus
   *     passes ids on and takes every event
   * @return this
   */
  @OptionSpec(
      value = "how long the id of an event is remembered; 0: ids are only passed on",
      min = "0ms",
      max = "1d")
  public IdOptions setWindow(Duration window) {
    this.window = OptionRanges.check(this, "ids.window", window);
    return this;
  }

  /** {@return what the ids may take, in bytes} */
  public long getMaxBytes() {
    return maxBytes;
  }

  /**
   * @param bytes what the ids may take, about 56 bytes an id. They take it as they come. When it is
   *     full, the oldest ids are forgotten early, and counted
   * @return this
   */
  @OptionSpec(
      value = "memory for ids, in bytes, about 56 an id; if it is full, the oldest are forgotten",
      min = "65536",
      max = "17179869184",
      unset = "32 MiB, or a 64th of the heap")
  public IdOptions setMaxBytes(long bytes) {
    maxBytes = OptionRanges.check(this, "ids.maxBytes", bytes);
    return this;
  }

  /** {@return all options} */
  public JsonObject toJson() {
    return OptionsJson.write(this);
  }
}
