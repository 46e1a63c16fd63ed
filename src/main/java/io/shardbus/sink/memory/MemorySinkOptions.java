package io.shardbus.sink.memory;

import io.shardbus.options.OptionRanges;
import io.shardbus.options.OptionSpec;
import io.shardbus.options.OptionsCopy;
import io.shardbus.options.OptionsJson;
import io.vertx.codegen.annotations.DataObject;
import io.vertx.core.json.JsonObject;

/** How much the memory sink keeps. */
@DataObject
public final class MemorySinkOptions {

  /** The default of {@code maxEvents}. */
  public static final int DEFAULT_MAX_EVENTS = 100_000;

  /** The default of {@code maxBytes}: 64 MiB. */
  public static final long DEFAULT_MAX_BYTES = 64L << 20;

  private int maxEvents = DEFAULT_MAX_EVENTS;
  private long maxBytes = DEFAULT_MAX_BYTES;

  /** The defaults. */
  public MemorySinkOptions() {}

  /**
   * @param other the options to copy
   */
  public MemorySinkOptions(MemorySinkOptions other) {
    OptionsCopy.copy(other, this);
  }

  /**
   * @param json any of the options by name
   * @throws IllegalArgumentException naming an unknown or bad option
   */
  public MemorySinkOptions(JsonObject json) {
    OptionsJson.read(this, json);
  }

  /** {@return how many events are kept; the oldest go first} */
  public int getMaxEvents() {
    return maxEvents;
  }

  /**
   * @param events how many events are kept; the oldest go first
   * @return this
   */
  @OptionSpec(value = "events that are kept; the oldest go first", min = "1")
  public MemorySinkOptions setMaxEvents(int events) {
    maxEvents = OptionRanges.check(this, "maxEvents", events);
    return this;
  }

  /** {@return how many bytes of events are kept; the oldest go first} */
  public long getMaxBytes() {
    return maxBytes;
  }

  /**
   * @param bytes how many bytes of events are kept; the oldest go first
   * @return this
   */
  @OptionSpec(value = "bytes of events that are kept; the oldest go first", min = "1")
  public MemorySinkOptions setMaxBytes(long bytes) {
    maxBytes = OptionRanges.check(this, "maxBytes", bytes);
    return this;
  }

  /** {@return all options as JSON} */
  public JsonObject toJson() {
    return OptionsJson.write(this);
  }
}
