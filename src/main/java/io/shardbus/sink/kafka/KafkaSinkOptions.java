package io.shardbus.sink.kafka;

import io.shardbus.options.OptionRanges;
import io.shardbus.options.OptionSpec;
import io.shardbus.options.OptionsCopy;
import io.shardbus.options.OptionsJson;
import io.shardbus.sink.support.TlsClientOptions;
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
    /**
     * The key's hash, as Kafka's own producers compute it, so that events stand beside those of
     * other producers with the same key. Keeps the order of each key. Events without a key are
     * spread over all partitions.
     */
    key,
    /** The shard: shard modulo partitions. Keeps the order of every shard, also without keys. */
    shard
  }

  /** The default of {@code bootstrapServers}. */
  public static final String DEFAULT_BOOTSTRAP_SERVERS = "127.0.0.1:9092";

  /** The default of {@code topic}. */
  public static final String DEFAULT_TOPIC = "shardbus";

  /** The default of {@code deliveryTimeout}: 20 s. */
  public static final Duration DEFAULT_DELIVERY_TIMEOUT = Duration.ofSeconds(20);

  /** The default of {@code maxBlock}: 5 s. */
  public static final Duration DEFAULT_MAX_BLOCK = Duration.ofSeconds(5);

  /** The default of {@code startTimeout}: 25 s. */
  public static final Duration DEFAULT_START_TIMEOUT = Duration.ofSeconds(25);

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
  private PartitionBy partitionBy = PartitionBy.key;
  private JsonObject properties = new JsonObject();
  private Duration deliveryTimeout = DEFAULT_DELIVERY_TIMEOUT;
  private Duration maxBlock = DEFAULT_MAX_BLOCK;
  private Duration startTimeout = DEFAULT_START_TIMEOUT;
  private TlsClientOptions tls = new TlsClientOptions();

  /** The defaults. */
  public KafkaSinkOptions() {}

  /**
   * @param other the options to copy
   */
  public KafkaSinkOptions(KafkaSinkOptions other) {
    OptionsCopy.copy(other, this);
  }

  /**
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
      "`key`: Kafka's own choice by the key, and events without a key are spread; `shard`: a"
          + " partition keeps the order of a shard, also without keys")
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

  /** {@return how long the start waits for the broker} */
  public Duration getStartTimeout() {
    return startTimeout;
  }

  /**
   * @param time how long the start waits for the broker and the topic; it tries once, for {@code
   *     maxBlock}, even if this is less
   * @return this
   */
  @OptionSpec(
      value = "how long the start waits for the broker and the topic",
      min = "0s",
      max = "1d")
  public KafkaSinkOptions setStartTimeout(Duration time) {
    startTimeout = OptionRanges.check(this, "startTimeout", time);
    return this;
  }

  /** {@return whom to trust, and the client's certificate} */
  public TlsClientOptions getTls() {
    return tls;
  }

  /**
   * @param options whom to trust, and the client's certificate; copied. Without {@code
   *     security.protocol} among the properties they turn TLS on
   * @return this
   */
  @OptionSpec("trust store and client certificate")
  public KafkaSinkOptions setTls(TlsClientOptions options) {
    tls = new TlsClientOptions(options);
    return this;
  }

  /** {@return all options as JSON, secrets in {@code properties} too} */
  public JsonObject toJson() {
    return OptionsJson.write(this);
  }
}
