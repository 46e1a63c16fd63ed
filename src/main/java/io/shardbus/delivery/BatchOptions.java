package io.shardbus.delivery;

import io.shardbus.options.OptionRanges;
import io.shardbus.options.OptionSpec;
import io.shardbus.options.OptionsCopy;
import io.shardbus.options.OptionsJson;
import io.vertx.codegen.annotations.DataObject;
import io.vertx.core.json.JsonObject;
import java.time.Duration;

/**
 * When a shard hands a batch to its sink: at the target size, or when the oldest event has waited
 * {@code maxDelay}. It does so at once if it expects no further event within that time, or if a
 * caller waits for the delivery of an event in the batch. While one batch is written, the next one
 * grows. The target follows the measured rate of events.
 */
@DataObject
public final class BatchOptions {

  /** The default of {@code minSize}, in events. */
  public static final int DEFAULT_MIN_SIZE = 1_000;

  /** The default of {@code maxSize}, in events. */
  public static final int DEFAULT_MAX_SIZE = 10_000;

  /** The default of {@code maxBytes}: 8 MiB, or a 128th of the heap if that is less. */
  public static final int DEFAULT_MAX_BYTES =
      (int) Math.min(8 << 20, Runtime.getRuntime().maxMemory() / 128);

  /** The default of {@code maxDelay}. */
  public static final Duration DEFAULT_MAX_DELAY = Duration.ofMillis(10);

  private int minSize = DEFAULT_MIN_SIZE;
  private int maxSize = DEFAULT_MAX_SIZE;
  private int maxBytes = DEFAULT_MAX_BYTES;
  private Duration maxDelay = DEFAULT_MAX_DELAY;
  private boolean adaptive = true;

  /** The defaults. */
  public BatchOptions() {}

  /**
   * @param other the options to copy
   */
  public BatchOptions(BatchOptions other) {
    OptionsCopy.copy(other, this);
  }

  /**
   * @param json any of the options by name
   * @throws IllegalArgumentException naming an unknown or bad option
   */
  public BatchOptions(JsonObject json) {
    OptionsJson.read(this, json);
  }

  /** {@return options for small batches, written within a millisecond} */
  public static BatchOptions lowLatency() {
    return new BatchOptions().setMinSize(1).setMaxSize(1_000).setMaxDelay(Duration.ofMillis(1));
  }

  /** {@return options for large batches, for sinks with a high cost per batch} */
  public static BatchOptions highThroughput() {
    return new BatchOptions()
        .setMaxSize(50_000)
        .setMinSize(5_000)
        .setMaxBytes(32 << 20)
        .setMaxDelay(Duration.ofMillis(50));
  }

  /**
   * Checks the options against each other.
   *
   * @throws IllegalArgumentException naming the options that contradict each other
   */
  public void validate() {
    if (minSize > maxSize) {
      throw new IllegalArgumentException(
          "batch.minSize: " + minSize + " must be at most batch.maxSize, which is " + maxSize);
    }
  }

  /** {@return the least target, in events} */
  public int getMinSize() {
    return minSize;
  }

  /**
   * @param events the least target, in events
   * @return this
   */
  @OptionSpec(value = "smallest target size of a batch, in events", min = "1", max = "1000000")
  public BatchOptions setMinSize(int events) {
    minSize = OptionRanges.check(this, "batch.minSize", events);
    return this;
  }

  /** {@return the largest batch, in events} */
  public int getMaxSize() {
    return maxSize;
  }

  /**
   * @param events the largest batch, in events
   * @return this
   */
  @OptionSpec(value = "largest batch, in events", min = "1", max = "1000000")
  public BatchOptions setMaxSize(int events) {
    maxSize = OptionRanges.check(this, "batch.maxSize", events);
    return this;
  }

  /** {@return the bytes of payload at which a batch is complete} */
  public int getMaxBytes() {
    return maxBytes;
  }

  /**
   * @param bytes the bytes of payload at which a batch is complete; the event that reaches it is
   *     the last
   * @return this
   */
  @OptionSpec(
      value = "payload at which a batch is complete, in bytes",
      min = "1",
      unset = "8388608, or a 128th of the heap if that is less")
  public BatchOptions setMaxBytes(int bytes) {
    maxBytes = OptionRanges.check(this, "batch.maxBytes", bytes);
    return this;
  }

  /** {@return how long an event waits for others} */
  public Duration getMaxDelay() {
    return maxDelay;
  }

  /**
   * @param delay how long an event waits for others
   * @return this
   */
  @OptionSpec(
      value =
          "how long an event waits for others to fill a batch; it does not wait if a client"
              + " waits for its delivery and the sink is idle",
      min = "1ms",
      max = "1m")
  public BatchOptions setMaxDelay(Duration delay) {
    maxDelay = OptionRanges.check(this, "batch.maxDelay", delay);
    return this;
  }

  /** {@return whether the target follows the rate of events; if not, it is {@code minSize}} */
  public boolean isAdaptive() {
    return adaptive;
  }

  /**
   * @param on whether the target follows the rate of events; if not, it is {@code minSize}
   * @return this
   */
  @OptionSpec("the target size follows the measured rate")
  public BatchOptions setAdaptive(boolean on) {
    adaptive = on;
    return this;
  }

  /** {@return all options as JSON} */
  public JsonObject toJson() {
    return OptionsJson.write(this);
  }
}
