package io.shardbus;

import io.shardbus.options.OptionsJson;
import io.shardbus.shard.BackpressureMode;
import io.shardbus.shard.ScalingPolicy;
import io.shardbus.shard.ShardLimits;
import io.shardbus.sink.SinkOptions;
import io.shardbus.verticle.BatchOptions;
import io.shardbus.verticle.DeliveryOptions;
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
  public static final String DEFAULT_ADDRESS = "shardbus.ingest";

  /** The default of {@code maxEventBytes}: 16 MiB. */
  public static final int DEFAULT_MAX_EVENT_BYTES = ShardLimits.DEFAULT.maxEventBytes();

  /** The default of {@code maxRingBytes}: 64 MiB. */
  public static final long DEFAULT_MAX_RING_BYTES = ShardLimits.DEFAULT.maxRingBytes();

  /** The default of {@code routers}. */
  public static final int DEFAULT_ROUTERS = 1;

  /** The default of {@code startTimeout}. */
  public static final Duration DEFAULT_START_TIMEOUT = Duration.ofSeconds(30);

  /** The default of {@code closeTimeout}. */
  public static final Duration DEFAULT_CLOSE_TIMEOUT = Duration.ofSeconds(30);

  private static final int MAX_ROUTERS = 1024;

  private int shards = Runtime.getRuntime().availableProcessors();
  private int ringCapacity = DEFAULT_RING_CAPACITY;
  private BackpressureMode backpressure = BackpressureMode.FAIL_PRODUCER;
  private @Nullable ScalingPolicy scaling;
  private String address = DEFAULT_ADDRESS;
  private int routers = DEFAULT_ROUTERS;
  private int maxEventBytes = DEFAULT_MAX_EVENT_BYTES;
  private long maxRingBytes = DEFAULT_MAX_RING_BYTES;
  private @Nullable String dataDir;
  private Duration startTimeout = DEFAULT_START_TIMEOUT;
  private Duration closeTimeout = DEFAULT_CLOSE_TIMEOUT;
  private BatchOptions batch = new BatchOptions();
  private DeliveryOptions delivery = new DeliveryOptions();
  private SinkOptions sink = new SinkOptions();

  /** The defaults. The default sink, the log, needs {@code dataDir}. */
  public ShardBusOptions() {}

  /**
   * A copy.
   *
   * @param other the options to copy
   */
  public ShardBusOptions(ShardBusOptions other) {
    shards = other.shards;
    ringCapacity = other.ringCapacity;
    backpressure = other.backpressure;
    scaling = other.scaling == null ? null : new ScalingPolicy(other.scaling);
    address = other.address;
    routers = other.routers;
    maxEventBytes = other.maxEventBytes;
    maxRingBytes = other.maxRingBytes;
    dataDir = other.dataDir;
    startTimeout = other.startTimeout;
    closeTimeout = other.closeTimeout;
    batch = new BatchOptions(other.batch);
    delivery = new DeliveryOptions(other.delivery);
    sink = new SinkOptions(other.sink);
  }

  /**
   * From JSON.
   *
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
    new ShardLimits(maxEventBytes, maxRingBytes);
    batch.validate();
    delivery.validate();
    if (scaling != null) {
      scaling.validate();
    }
  }

  /**
   * @return shards to begin with
   */
  public int getShards() {
    return shards;
  }

  /**
   * @param shards shards to begin with, 1 to 65535; the number of processors by default
   * @return this
   */
  public ShardBusOptions setShards(int shards) {
    if (shards < 1 || shards > ScalingPolicy.MAX_SHARDS) {
      throw new IllegalArgumentException("shards: " + shards + " must be 1 to 65535");
    }
    this.shards = shards;
    return this;
  }

  /**
   * @return events a shard's ring can hold; 0 for as many as suit the heap
   */
  public int getRingCapacity() {
    return ringCapacity;
  }

  /**
   * @param events events a ring can hold, a power of two from 1024 to 67,108,864. The default, 0,
   *     chooses the largest one up to 65,536 with which the full rings of the largest number of
   *     shards, at 1 KiB an event, fit in a quarter of the heap
   * @return this
   */
  public ShardBusOptions setRingCapacity(int events) {
    ringCapacity = events == 0 ? 0 : ShardLimits.requireRingCapacity(events);
    return this;
  }

  /**
   * @return what to do when a ring is full
   */
  public BackpressureMode getBackpressure() {
    return backpressure;
  }

  /**
   * @param mode what to do when a ring is full
   * @return this
   */
  public ShardBusOptions setBackpressure(BackpressureMode mode) {
    backpressure = mode;
    return this;
  }

  /**
   * @return when to add and remove shards; null for a fixed number
   */
  public @Nullable ScalingPolicy getScaling() {
    return scaling;
  }

  /**
   * @param policy when to add and remove shards; null for a fixed number
   * @return this
   */
  public ShardBusOptions setScaling(@Nullable ScalingPolicy policy) {
    scaling = policy;
    return this;
  }

  /**
   * @return the event-bus address on which events are taken
   */
  public String getAddress() {
    return address;
  }

  /**
   * @param address the event-bus address on which events are taken, not empty
   * @return this
   */
  public ShardBusOptions setAddress(String address) {
    if (address.isBlank()) {
      throw new IllegalArgumentException("address: must not be empty");
    }
    this.address = address;
    return this;
  }

  /**
   * @return how many router verticles serve the address
   */
  public int getRouters() {
    return routers;
  }

  /**
   * @param count how many router verticles serve the address, 0 (nothing is taken from the event
   *     bus) to 1024. With more than one, the events of one publisher are not kept in order
   * @return this
   */
  public ShardBusOptions setRouters(int count) {
    if (count < 0 || count > MAX_ROUTERS) {
      throw new IllegalArgumentException("routers: " + count + " must be 0 to " + MAX_ROUTERS);
    }
    routers = count;
    return this;
  }

  /**
   * @return the largest event, with its key, in bytes
   */
  public int getMaxEventBytes() {
    return maxEventBytes;
  }

  /**
   * @param bytes the largest event, with its key, at least 1 byte
   * @return this
   */
  public ShardBusOptions setMaxEventBytes(int bytes) {
    if (bytes < 1) {
      throw new IllegalArgumentException("maxEventBytes: " + bytes + " must be at least 1 byte");
    }
    maxEventBytes = bytes;
    return this;
  }

  /**
   * @return the sum of the events over 1 KiB that a ring can hold, in bytes
   */
  public long getMaxRingBytes() {
    return maxRingBytes;
  }

  /**
   * @param bytes the sum of the events over 1 KiB that a ring can hold, at least {@code
   *     maxEventBytes}
   * @return this
   */
  public ShardBusOptions setMaxRingBytes(long bytes) {
    if (bytes < 1) {
      throw new IllegalArgumentException("maxRingBytes: " + bytes + " must be at least 1 byte");
    }
    maxRingBytes = bytes;
    return this;
  }

  /**
   * @return the folder for what must outlive the bus; null if nothing does
   */
  public @Nullable String getDataDir() {
    return dataDir;
  }

  /**
   * @param folder the folder for everything that must outlive the bus, such as its producer id;
   *     null for none: each start then makes a new id
   * @return this
   */
  public ShardBusOptions setDataDir(@Nullable String folder) {
    dataDir = folder;
    return this;
  }

  /**
   * @return how long starting waits for the sink to open
   */
  public Duration getStartTimeout() {
    return startTimeout;
  }

  /**
   * @param time how long starting waits for the sink to open, 1 ms to 1 day; the bus does not start
   *     without it
   * @return this
   */
  public ShardBusOptions setStartTimeout(Duration time) {
    startTimeout = timeout("startTimeout", time);
    return this;
  }

  private static Duration timeout(String name, Duration time) {
    if (time.compareTo(Duration.ofMillis(1)) < 0 || time.compareTo(Duration.ofDays(1)) > 0) {
      throw new IllegalArgumentException(name + ": " + time + " must be 1 ms to 1 day");
    }
    return time;
  }

  /**
   * @return how long closing waits for the sink
   */
  public Duration getCloseTimeout() {
    return closeTimeout;
  }

  /**
   * @param time how long closing waits for the sink, 1 ms to 1 day
   * @return this
   */
  public ShardBusOptions setCloseTimeout(Duration time) {
    closeTimeout = timeout("closeTimeout", time);
    return this;
  }

  /**
   * @return how batches are formed
   */
  public BatchOptions getBatch() {
    return batch;
  }

  /**
   * @param batch how batches are formed
   * @return this
   */
  public ShardBusOptions setBatch(BatchOptions batch) {
    this.batch = batch;
    return this;
  }

  /**
   * @return how hard a shard tries to deliver
   */
  public DeliveryOptions getDelivery() {
    return delivery;
  }

  /**
   * @param delivery how hard a shard tries to deliver
   * @return this
   */
  public ShardBusOptions setDelivery(DeliveryOptions delivery) {
    this.delivery = delivery;
    return this;
  }

  /**
   * @return where events go
   */
  public SinkOptions getSink() {
    return sink;
  }

  /**
   * @param sink where events go
   * @return this
   */
  public ShardBusOptions setSink(SinkOptions sink) {
    this.sink = sink;
    return this;
  }

  /**
   * @return all options as JSON
   */
  public JsonObject toJson() {
    return OptionsJson.write(this);
  }
}
