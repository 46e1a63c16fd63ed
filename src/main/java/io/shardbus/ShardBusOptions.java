package io.shardbus;

import io.shardbus.delivery.BatchOptions;
import io.shardbus.delivery.RetryOptions;
import io.shardbus.event.JsonCheck;
import io.shardbus.eventbus.EventBusPublisherOptions;
import io.shardbus.options.OptionRanges;
import io.shardbus.options.OptionSpec;
import io.shardbus.options.OptionsCopy;
import io.shardbus.options.OptionsJson;
import io.shardbus.shard.BackpressureMode;
import io.shardbus.shard.ScalingPolicy;
import io.shardbus.shard.ShardLimits;
import io.shardbus.sink.SinkOptions;
import io.vertx.codegen.annotations.DataObject;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** How a bus works. */
@DataObject
public class ShardBusOptions {

  /** The default of {@code ringCapacity}: it follows the heap. */
  public static final int DEFAULT_RING_CAPACITY = 0;

  /** The default of {@code address}. */
  public static final String DEFAULT_ADDRESS = EventBusPublisherOptions.DEFAULT_ADDRESS;

  /** The default of {@code maxEventBytes}: 16 MiB, or what a ring holds if that is less. */
  public static final int DEFAULT_MAX_EVENT_BYTES = 0;

  /** The default of {@code maxRingBytes}: as many as suit the heap. */
  public static final long DEFAULT_MAX_RING_BYTES = 0;

  /** The default of {@code maxJsonDepth}. */
  public static final int DEFAULT_MAX_JSON_DEPTH = JsonCheck.DEFAULT_LEVELS;

  /** The default of {@code routers}. */
  public static final int DEFAULT_ROUTERS = 1;

  /** The default of {@code startTimeout}. */
  public static final Duration DEFAULT_START_TIMEOUT = Duration.ofSeconds(30);

  /** The default of {@code closeTimeout}. */
  public static final Duration DEFAULT_CLOSE_TIMEOUT = Duration.ofSeconds(30);

  private int shards = Runtime.getRuntime().availableProcessors();
  private int ringCapacity = DEFAULT_RING_CAPACITY;
  private BackpressureMode backpressure = BackpressureMode.FAIL_PRODUCER;
  private @Nullable ScalingPolicy scaling;
  private String address = DEFAULT_ADDRESS;
  private @Nullable String secret;
  private int routers = DEFAULT_ROUTERS;
  private int maxEventBytes = DEFAULT_MAX_EVENT_BYTES;
  private long maxRingBytes = DEFAULT_MAX_RING_BYTES;
  private int maxJsonDepth = DEFAULT_MAX_JSON_DEPTH;
  private @Nullable String dataDir;
  private Duration startTimeout = DEFAULT_START_TIMEOUT;
  private Duration closeTimeout = DEFAULT_CLOSE_TIMEOUT;
  private BatchOptions batch = new BatchOptions();
  private RetryOptions delivery = new RetryOptions();
  private IdOptions ids = new IdOptions();
  private SinkOptions sink = new SinkOptions();

  /** The defaults. The default sink, the log, needs {@code dataDir}. */
  public ShardBusOptions() {}

  /**
   * @param other the options to copy
   */
  public ShardBusOptions(ShardBusOptions other) {
    OptionsCopy.copy(other, this);
  }

  /**
   * @param json any of the options by name
   * @throws IllegalArgumentException naming an unknown or bad option
   */
  public ShardBusOptions(JsonObject json) {
    OptionsJson.read(this, json);
  }

  /**
   * Checks the options against each other.
   *
   * @throws IllegalArgumentException naming the options that contradict each other
   * @throws io.shardbus.shard.ScalingException INVALID_POLICY if it is those of {@code scaling}
   */
  public void validate() {
    if (maxRingBytes != 0) {
      new ShardLimits(
          maxEventBytes == 0 ? ShardLimits.DEFAULT.maxEventBytes() : maxEventBytes,
          maxRingBytes,
          JsonCheck.DEFAULT);
    }
    batch.validate();
    delivery.validate();
    if (scaling != null) {
      scaling.validate();
    }
  }

  /** {@return shards at the start} */
  public int getShards() {
    return shards;
  }

  /**
   * @param shards shards at the start; the number of processors by default
   * @return this
   */
  @OptionSpec(
      value = "shards at the start",
      min = "1",
      max = "65535",
      unset = "number of processors")
  public ShardBusOptions setShards(int shards) {
    this.shards = OptionRanges.check(this, "shards", shards);
    return this;
  }

  /** {@return events a shard's ring can hold; 0 for as many as suit the heap} */
  public int getRingCapacity() {
    return ringCapacity;
  }

  /**
   * @param events events a ring can hold, a power of two from 1024 to 67,108,864. The default, 0,
   *     chooses the largest one up to 65,536 with which one full ring a shard, or two if shards
   *     come and go, fit in a quarter of the heap, at 1 KiB an event
   * @return this
   */
  @OptionSpec(
      value =
          "events that a ring can hold; 0: as many as fit in a quarter of the heap, at most 65536,"
              + " if each event has 1 KiB and each shard one ring, or two with `scaling`",
      min = "0",
      max = "67108864",
      allowed = "a power of two from 1024, or 0")
  public ShardBusOptions setRingCapacity(int events) {
    ringCapacity = events == 0 ? 0 : ShardLimits.requireRingCapacity(events);
    return this;
  }

  /** {@return what to do when a ring is full} */
  public BackpressureMode getBackpressure() {
    return backpressure;
  }

  /**
   * @param mode what to do when a ring is full
   * @return this
   */
  @OptionSpec(
      value = "what happens when a ring is full",
      pattern = "drop-newest|drop-oldest|fail-producer|sample\\([0-9]+\\)",
      allowed = "`drop-newest`, `drop-oldest`, `fail-producer`, `sample(n)`")
  public ShardBusOptions setBackpressure(BackpressureMode mode) {
    backpressure = mode;
    return this;
  }

  /** {@return when to add and remove shards; null for a fixed number} */
  public @Nullable ScalingPolicy getScaling() {
    return scaling;
  }

  /**
   * @param policy when to add and remove shards; null for a fixed number
   * @return this
   */
  @OptionSpec("when shards are added and removed")
  public ShardBusOptions setScaling(@Nullable ScalingPolicy policy) {
    scaling = policy;
    return this;
  }

  /** {@return the event-bus address on which events are taken} */
  public String getAddress() {
    return address;
  }

  /**
   * @param address the event-bus address on which events are taken
   * @return this
   */
  @OptionSpec(value = "event-bus address on which the bus takes events", min = "1")
  public ShardBusOptions setAddress(String address) {
    this.address = OptionRanges.check(this, "address", address);
    return this;
  }

  /** {@return the secret that senders on the event bus must know; null for none} */
  public @Nullable String getSecret() {
    return secret;
  }

  /**
   * @param text the secret that senders on the event bus must know; null for none
   * @return this
   */
  @OptionSpec(
      value = "secret that senders on the event bus must know; never logged",
      min = "1",
      allowed = "a text",
      secret = true)
  public ShardBusOptions setSecret(@Nullable String text) {
    secret = text == null ? null : OptionRanges.check(this, "secret", text);
    return this;
  }

  /** {@return how many router verticles serve the address} */
  public int getRouters() {
    return routers;
  }

  /**
   * @param count how many router verticles serve the address, 0 for none: nothing is taken from the
   *     event bus. With more than one, the events of one publisher are not kept in order
   * @return this
   */
  @OptionSpec(value = "router verticles on that address", min = "0", max = "1024")
  public ShardBusOptions setRouters(int count) {
    routers = OptionRanges.check(this, "routers", count);
    return this;
  }

  /**
   * @return the largest event, with its key, in bytes; 0 for 16 MiB, or what a ring holds if that
   *     is less
   */
  public int getMaxEventBytes() {
    return maxEventBytes;
  }

  /**
   * @param bytes the largest event, with its key, at least 1 byte; 0, the default, for 16 MiB, or
   *     for {@code maxRingBytes} if that is the default too and less
   * @return this
   */
  @OptionSpec(
      value =
          "the largest event with its key, in bytes; 0: 16 MiB, or the default of `maxRingBytes` if"
              + " that is less",
      min = "0")
  public ShardBusOptions setMaxEventBytes(int bytes) {
    maxEventBytes = OptionRanges.check(this, "maxEventBytes", bytes);
    return this;
  }

  /**
   * @return the sum of the events over 1 KiB that a ring can hold, in bytes; 0 for as many as suit
   *     the heap
   */
  public long getMaxRingBytes() {
    return maxRingBytes;
  }

  /**
   * @param bytes the sum of the events over 1 KiB that a ring can hold, at least {@code
   *     maxEventBytes}; 0, the default, for the most from 1 MiB to 64 MiB with which all full rings
   *     and batches that there can be fit in three quarters of the heap, but {@code maxEventBytes}
   *     at the least
   * @return this
   */
  @OptionSpec(
      value =
          "bytes of all events over 1 KiB in one ring; 0: from 1 MiB to 64 MiB, so that full rings"
              + " and batches fit in three quarters of the heap",
      min = "0",
      allowed = "not less than `maxEventBytes`, or 0")
  public ShardBusOptions setMaxRingBytes(long bytes) {
    maxRingBytes = OptionRanges.check(this, "maxRingBytes", bytes);
    return this;
  }

  /** {@return the most arrays and objects in one another in a JSON event} */
  public int getMaxJsonDepth() {
    return maxJsonDepth;
  }

  /**
   * @param levels the most arrays and objects in one another in an event that must be JSON, 1 to
   *     {@value JsonCheck#MOST_LEVELS}. Events that are bytes, such as a {@code RawEvent}, are not
   *     looked at
   * @return this
   */
  @OptionSpec(
      value = "the most arrays and objects in one another in a JSON event",
      min = "1",
      max = "" + JsonCheck.MOST_LEVELS)
  public ShardBusOptions setMaxJsonDepth(int levels) {
    maxJsonDepth = OptionRanges.check(this, "maxJsonDepth", levels);
    return this;
  }

  /** {@return the folder for what must outlive the bus; null if nothing does} */
  public @Nullable String getDataDir() {
    return dataDir;
  }

  /**
   * @param folder the folder for everything that must outlive the bus, such as its producer id;
   *     null for none: each start then makes a new id
   * @return this
   */
  @OptionSpec(
      value = "folder for what outlives the process",
      min = "1",
      allowed = "a path",
      unset = "`data` (server), none (embedded)")
  public ShardBusOptions setDataDir(@Nullable String folder) {
    dataDir = folder == null ? null : OptionRanges.check(this, "dataDir", folder);
    return this;
  }

  /** {@return how long starting waits for the sink to open} */
  public Duration getStartTimeout() {
    return startTimeout;
  }

  /**
   * @param time how long starting waits for the sink to open; the bus does not start without it
   * @return this
   */
  @OptionSpec(value = "how long a start waits for the sink to open", min = "1ms", max = "1d")
  public ShardBusOptions setStartTimeout(Duration time) {
    startTimeout = OptionRanges.check(this, "startTimeout", time);
    return this;
  }

  /** {@return how long closing waits for the sink} */
  public Duration getCloseTimeout() {
    return closeTimeout;
  }

  /**
   * @param time how long closing waits for the sink
   * @return this
   */
  @OptionSpec(value = "how long a stop waits for the sink", min = "1ms", max = "1d")
  public ShardBusOptions setCloseTimeout(Duration time) {
    closeTimeout = OptionRanges.check(this, "closeTimeout", time);
    return this;
  }

  /** {@return how batches are formed} */
  public BatchOptions getBatch() {
    return batch;
  }

  /**
   * @param batch how batches are formed
   * @return this
   */
  @OptionSpec("how batches are formed")
  public ShardBusOptions setBatch(BatchOptions batch) {
    this.batch = batch;
    return this;
  }

  /** {@return how hard a shard tries to deliver} */
  public RetryOptions getDelivery() {
    return delivery;
  }

  /**
   * @param delivery how hard a shard tries to deliver
   * @return this
   */
  @OptionSpec("how hard a shard tries to deliver")
  public ShardBusOptions setDelivery(RetryOptions delivery) {
    this.delivery = delivery;
    return this;
  }

  /** {@return how long ids of events are remembered} */
  public IdOptions getIds() {
    return ids;
  }

  /**
   * @param ids how long ids of events are remembered
   * @return this
   */
  @OptionSpec("ids of events, by which a repeated event is known")
  public ShardBusOptions setIds(IdOptions ids) {
    this.ids = ids;
    return this;
  }

  /** {@return where events go} */
  public SinkOptions getSink() {
    return sink;
  }

  /**
   * @param sink where events go
   * @return this
   */
  @OptionSpec("where events go")
  public ShardBusOptions setSink(SinkOptions sink) {
    this.sink = sink;
    return this;
  }

  /** {@return all options as JSON} */
  public JsonObject toJson() {
    return OptionsJson.write(this);
  }
}
