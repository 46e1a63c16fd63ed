package io.shardbus.sink.kafka;

import io.shardbus.options.Durations;
import io.shardbus.options.OptionsJson;
import io.vertx.codegen.annotations.DataObject;
import io.vertx.core.json.JsonObject;
import java.time.Duration;

/** Which Kafka cluster and topic events go to, and how. */
@DataObject
public final class KafkaSinkOptions {

  /** What decides an event's partition. */
  public enum PartitionBy {
    /** The shard: shard modulo partitions. Keeps the order of every shard. */
    shard,
    /**
     * The key's hash, as Kafka's own producers compute it. Keeps the order of each key; events
     * without a key go by their shard.
     */
    key
  }

  /** The default of {@code bootstrapServers}. */
  public static final String DEFAULT_BOOTSTRAP_SERVERS = "127.0.0.1:9092";

  /** The default of {@code topic}. */
  public static final String DEFAULT_TOPIC = "shardbus";

  /** The default of {@code deliveryTimeout}: 20 s. */
  public static final Duration DEFAULT_DELIVERY_TIMEOUT = Duration.ofSeconds(20);

  /** The default of {@code maxBlock}: 5 s. */
  public static final Duration DEFAULT_MAX_BLOCK = Duration.ofSeconds(5);

  private static final Duration DAY = Duration.ofDays(1);

  private String bootstrapServers = DEFAULT_BOOTSTRAP_SERVERS;
  private String topic = DEFAULT_TOPIC;
  private PartitionBy partitionBy = PartitionBy.shard;
  private JsonObject properties = new JsonObject();
  private Duration deliveryTimeout = DEFAULT_DELIVERY_TIMEOUT;
  private Duration maxBlock = DEFAULT_MAX_BLOCK;

  /** The defaults. */
  public KafkaSinkOptions() {}

  /**
   * A copy.
   *
   * @param other the options to copy
   */
  public KafkaSinkOptions(KafkaSinkOptions other) {
    bootstrapServers = other.bootstrapServers;
    topic = other.topic;
    partitionBy = other.partitionBy;
    properties = other.properties.copy();
    deliveryTimeout = other.deliveryTimeout;
    maxBlock = other.maxBlock;
  }

  /**
   * From JSON.
   *
   * @param json any of the options by name
   * @throws IllegalArgumentException naming an unknown or bad option
   */
  public KafkaSinkOptions(JsonObject json) {
    OptionsJson.read(this, json);
  }

  /**
   * @return the brokers to begin with, HOST:PORT separated by commas
   */
  public String getBootstrapServers() {
    return bootstrapServers;
  }

  /**
   * @param servers the brokers to begin with, HOST:PORT separated by commas
   * @return this
   */
  public KafkaSinkOptions setBootstrapServers(String servers) {
    for (String server : servers.split(",", -1)) {
      if (!server.strip().matches("\\S+:\\d{1,5}")) {
        throw new IllegalArgumentException(
            "bootstrapServers: \"" + server + "\" must be HOST:PORT, with commas between");
      }
    }
    bootstrapServers = servers;
    return this;
  }

  /**
   * @return the topic that events are written to
   */
  public String getTopic() {
    return topic;
  }

  /**
   * @param name the topic that events are written to, not empty
   * @return this
   */
  public KafkaSinkOptions setTopic(String name) {
    if (name.isBlank()) {
      throw new IllegalArgumentException("topic: must not be empty");
    }
    topic = name;
    return this;
  }

  /**
   * @return what decides an event's partition
   */
  public PartitionBy getPartitionBy() {
    return partitionBy;
  }

  /**
   * @param what decides the partition of an event
   * @return this
   */
  public KafkaSinkOptions setPartitionBy(PartitionBy what) {
    partitionBy = what;
    return this;
  }

  /**
   * @return further properties of the Kafka clients
   */
  public JsonObject getProperties() {
    return properties;
  }

  /**
   * @param all further properties of the Kafka clients, such as those of security, by Kafka's
   *     names; those on which the sink's promises rest are refused
   * @return this
   */
  public KafkaSinkOptions setProperties(JsonObject all) {
    ClientProperties.requireAllowed(all);
    properties = all.copy();
    return this;
  }

  /**
   * @return how long the producer tries to get a record written
   */
  public Duration getDeliveryTimeout() {
    return deliveryTimeout;
  }

  /**
   * @param time how long the producer tries to get a record written, 1 s to 1 day; together with
   *     {@code maxBlock} it should be less than the bus's {@code delivery.timeout}
   * @return this
   */
  public KafkaSinkOptions setDeliveryTimeout(Duration time) {
    deliveryTimeout = Durations.inRange("deliveryTimeout", time, Duration.ofSeconds(1), DAY);
    return this;
  }

  /**
   * @return how long the producer waits for its buffer and for the metadata of the topic
   */
  public Duration getMaxBlock() {
    return maxBlock;
  }

  /**
   * @param time how long the producer waits for its buffer and for the metadata of the topic, 1 ms
   *     to 1 day
   * @return this
   */
  public KafkaSinkOptions setMaxBlock(Duration time) {
    maxBlock = Durations.inRange("maxBlock", time, Duration.ofMillis(1), DAY);
    return this;
  }

  /**
   * @return all options as JSON, secrets in {@code properties} too
   */
  public JsonObject toJson() {
    return OptionsJson.write(this);
  }
}
