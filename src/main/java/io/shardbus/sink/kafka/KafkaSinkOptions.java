package io.shardbus.sink.kafka;

import io.shardbus.options.OptionRanges;
import io.shardbus.options.OptionSpec;
import io.shardbus.options.OptionsCopy;
import io.shardbus.options.OptionsJson;
import io.vertx.codegen.annotations.DataObject;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;

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

  /** The promises of the sink depend on these. */
  private static final Set<String> OWNED =
      Set.of(
          "acks",
          "enable.idempotence",
          "max.in.flight.requests.per.connection",
          "retries",
          "delivery.timeout.ms",
          "max.block.ms",
          "bootstrap.servers",
          "key.serializer",
          "value.serializer",
          "key.deserializer",
          "value.deserializer",
          "transactional.id",
          "partitioner.class",
          "partitioner.ignore.keys",
          "group.id",
          "group.protocol",
          "enable.auto.commit",
          "auto.offset.reset",
          "allow.auto.create.topics");

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
    OptionsCopy.copy(other, this);
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

  /** {@return the brokers to begin with, HOST:PORT separated by commas} */
  public String getBootstrapServers() {
    return bootstrapServers;
  }

  /**
   * @param servers the brokers to begin with, HOST:PORT separated by commas
   * @return this
   */
  @OptionSpec(value = "the brokers", allowed = "`host:port`, separated by commas")
  public KafkaSinkOptions setBootstrapServers(String servers) {
    for (String server : servers.split(",", -1)) {
      if (!server.strip().matches("\\S+:\\d{1,5}")) {
        throw new IllegalArgumentException(
            "bootstrapServers: \"" + server + "\" must be HOST:PORT, separated by commas");
      }
    }
    bootstrapServers = servers;
    return this;
  }

  /** {@return the topic that events are written to} */
  public String getTopic() {
    return topic;
  }

  /**
   * @param name the topic that events are written to
   * @return this
   */
  @OptionSpec(value = "the topic", min = "1")
  public KafkaSinkOptions setTopic(String name) {
    topic = OptionRanges.check(this, "topic", name);
    return this;
  }

  /** {@return what decides an event's partition} */
  public PartitionBy getPartitionBy() {
    return partitionBy;
  }

  /**
   * @param what decides the partition of an event
   * @return this
   */
  @OptionSpec(
      "`shard`: a partition keeps the order of a shard; `key`: it keeps the order of each"
          + " key, also of keys that move to another shard")
  public KafkaSinkOptions setPartitionBy(PartitionBy what) {
    partitionBy = what;
    return this;
  }

  /** {@return further properties of the Kafka clients} */
  public JsonObject getProperties() {
    return properties;
  }

  /**
   * @param all further properties of the Kafka clients, such as those of security, by Kafka's
   *     names; those on which the sink's promises rest are refused
   * @return this
   */
  @OptionSpec(
      "other properties of the Kafka clients, by Kafka's names: security, `compression.type`,"
          + " `linger.ms`, `batch.size`...")
  public KafkaSinkOptions setProperties(JsonObject all) {
    requireAllowed(all);
    properties = all.copy();
    return this;
  }

  private static void requireAllowed(JsonObject properties) {
    TreeSet<String> refused = new TreeSet<>(properties.fieldNames());
    refused.retainAll(OWNED);
    if (!refused.isEmpty()) {
      throw new IllegalArgumentException(
          "properties: " + String.join(", ", refused) + " cannot be set: the sink decides them");
    }
  }

  /** {@return how long the producer tries to get a record written} */
  public Duration getDeliveryTimeout() {
    return deliveryTimeout;
  }

  /**
   * @param time how long the producer tries to get a record written; together with {@code maxBlock}
   *     it should be less than the bus's {@code delivery.timeout}
   * @return this
   */
  @OptionSpec(value = "how long the producer tries to write a record", min = "1s", max = "1d")
  public KafkaSinkOptions setDeliveryTimeout(Duration time) {
    deliveryTimeout = OptionRanges.check(this, "deliveryTimeout", time);
    return this;
  }

  /** {@return how long the producer waits for its buffer and for the metadata of the topic} */
  public Duration getMaxBlock() {
    return maxBlock;
  }

  /**
   * @param time how long the producer waits for its buffer and for the metadata of the topic
   * @return this
   */
  @OptionSpec(
      value = "how long the producer waits for its turn, its buffer and the topic",
      min = "1ms",
      max = "1d")
  public KafkaSinkOptions setMaxBlock(Duration time) {
    maxBlock = OptionRanges.check(this, "maxBlock", time);
    return this;
  }

  /** {@return all options as JSON, secrets in {@code properties} too} */
  public JsonObject toJson() {
    return OptionsJson.write(this);
  }
}
