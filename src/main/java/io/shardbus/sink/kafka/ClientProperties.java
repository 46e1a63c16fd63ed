package io.shardbus.sink.kafka;

import io.shardbus.sink.support.TlsClientOptions;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Pattern;
import org.apache.kafka.clients.admin.AdminClientConfig;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.clients.producer.ProducerConfig;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.jspecify.annotations.Nullable;

/** The properties of the Kafka clients: the sink's own, and those of the operator. */
final class ClientProperties {

  private static final int BATCH_BYTES = 512 << 10;

  /** With idempotence, Kafka keeps the order of so many requests. */
  private static final int MOST_IN_ORDER = 5;

  private static final int FETCH_BYTES = 8 << 20;
  private static final int FETCH_WAIT_MS = 10;

  /** Names of properties with secret values. */
  private static final Pattern SECRET =
      Pattern.compile("(?i).*(password|secret|jaas|token|credential|keystore\\.key).*");

  private static final Pattern SECRET_SEPARATORS = Pattern.compile("[\\s=;\"']+");
  private static final int LEAST_SECRET = 3;

  /**
   * These words are in every login configuration, and in the answers of brokers to wrong
   * credentials.
   */
  private static final Set<String> NO_SECRETS = Set.of("required", "username", "password");

  private final KafkaSinkOptions options;

  ClientProperties(KafkaSinkOptions options) {
    this.options = options;
  }

  Map<String, Object> ofProducer() {
    Map<String, Object> all = new HashMap<>();
    // A request carries one batch of a partition, so batches must be large. A write has all its
    // records at once, so it gains nothing by waiting for more.
    all.put(ProducerConfig.BATCH_SIZE_CONFIG, BATCH_BYTES);
    all.put(ProducerConfig.LINGER_MS_CONFIG, 0);
    addCommon(all, ConsumerConfig.configNames(), ProducerConfig.configNames());
    all.put(ProducerConfig.ENABLE_IDEMPOTENCE_CONFIG, true);
    all.put(ProducerConfig.ACKS_CONFIG, "all");
    all.put(ProducerConfig.MAX_IN_FLIGHT_REQUESTS_PER_CONNECTION, MOST_IN_ORDER);
    all.put(
        ProducerConfig.DELIVERY_TIMEOUT_MS_CONFIG, (int) options.getDeliveryTimeout().toMillis());
    all.put(ProducerConfig.MAX_BLOCK_MS_CONFIG, options.getMaxBlock().toMillis());
    all.put(ProducerConfig.KEY_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
    all.put(ProducerConfig.VALUE_SERIALIZER_CLASS_CONFIG, ByteArraySerializer.class);
    return all;
  }

  /**
   * How many bytes of one partition the producer may hold: the windows of all fit into its buffer,
   * if it has not too many.
   */
  long window(int partitions) {
    Map<String, Object> all = ProducerConfig.configDef().parse(ofProducer());
    long batch = number(all, ProducerConfig.BATCH_SIZE_CONFIG);
    long buffer = number(all, ProducerConfig.BUFFER_MEMORY_CONFIG);
    return Math.max(batch, buffer / partitions - batch);
  }

  private static long number(Map<String, Object> all, String name) {
    return ((Number) Objects.requireNonNull(all.get(name))).longValue();
  }

  Map<String, Object> ofConsumer() {
    Map<String, Object> all = new HashMap<>();
    all.put(ConsumerConfig.FETCH_MAX_BYTES_CONFIG, FETCH_BYTES);
    // Fetch only records that are stored already: a broker that waits for more would hold up the
    // page.
    all.put(ConsumerConfig.FETCH_MAX_WAIT_MS_CONFIG, FETCH_WAIT_MS);
    all.put(
        ConsumerConfig.DEFAULT_API_TIMEOUT_MS_CONFIG,
        (int) options.getDeliveryTimeout().toMillis());
    addCommon(all, ProducerConfig.configNames(), ConsumerConfig.configNames());
    all.put(ConsumerConfig.ENABLE_AUTO_COMMIT_CONFIG, false);
    all.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");
    all.put(ConsumerConfig.ALLOW_AUTO_CREATE_TOPICS_CONFIG, false);
    all.put(ConsumerConfig.KEY_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
    all.put(ConsumerConfig.VALUE_DESERIALIZER_CLASS_CONFIG, ByteArrayDeserializer.class);
    return all;
  }

  Map<String, Object> ofAdmin() {
    Map<String, Object> all = new HashMap<>();
    all.put(
        AdminClientConfig.DEFAULT_API_TIMEOUT_MS_CONFIG,
        (int) options.getDeliveryTimeout().toMillis());
    Set<String> ofOthers = new HashSet<>(ProducerConfig.configNames());
    ofOthers.addAll(ConsumerConfig.configNames());
    addCommon(all, ofOthers, AdminClientConfig.configNames());
    return all;
  }

  /**
   * Does what Kafka does before it looks for a broker.
   *
   * @throws IllegalArgumentException naming the property that Kafka would not take
   */
  void check() {
    try {
      ProducerConfig.configDef().parse(ofProducer());
      ConsumerConfig.configDef().parse(ofConsumer());
      AdminClientConfig.configDef().parse(ofAdmin());
    } catch (ConfigException e) {
      throw new IllegalArgumentException("properties: " + clean(e));
    }
  }

  private void addCommon(Map<String, Object> all, Set<String> ofOthers, Set<String> ofThisOne) {
    all.put("client.id", "shardbus");
    all.put("request.timeout.ms", (int) (options.getDeliveryTimeout().toMillis() / 2));
    TlsClientOptions tls = options.getTls();
    addStore(all, "ssl.truststore.", tls.getTrustStore(), tls.getTrustStorePassword());
    addStore(all, "ssl.keystore.", tls.getKeyStore(), tls.getKeyStorePassword());
    for (Map.Entry<String, Object> entry : options.getProperties()) {
      String name = entry.getKey();
      if (entry.getValue() != null && (ofThisOne.contains(name) || !ofOthers.contains(name))) {
        // Kafka reads numbers and truth values from text; only text is what it always takes.
        all.put(name, entry.getValue().toString());
      }
    }
    all.put("bootstrap.servers", options.getBootstrapServers());
  }

  private static void addStore(
      Map<String, Object> all, String prefix, @Nullable String file, @Nullable String password) {
    if (file == null) {
      return;
    }
    all.put("security.protocol", "SSL");
    all.put(prefix + "location", file);
    all.put(
        prefix + "type",
        switch (TlsClientOptions.ending(file)) {
          case "p12", "pfx" -> "PKCS12";
          case "jks" -> "JKS";
          default -> "PEM";
        });
    if (password != null) {
      all.put(prefix + "password", password);
    }
  }

  /** A failure for the operator. It has no cause: a cause may quote secrets. */
  KafkaException failure(KafkaException failure) {
    String text = describe(failure);
    // If a client offers no password, a broker that wants one only closes the connection.
    boolean maybeUnsecured =
        failure instanceof TimeoutException
            && !options.getProperties().containsKey("security.protocol");
    return new KafkaException(
        maybeUnsecured
            ? text + " (also where it wants TLS or a password: properties, security.protocol)"
            : text);
  }

  /** A failure in words, with its place, without the secrets among the properties. */
  String describe(Throwable failure) {
    return "Kafka at "
        + options.getBootstrapServers()
        + ", topic \""
        + options.getTopic()
        + "\": "
        + clean(failure);
  }

  /** Without the secrets, whole or in part. */
  private String clean(Throwable failure) {
    StringBuilder text = new StringBuilder(String.valueOf(failure.getMessage()));
    Throwable cause = failure.getCause();
    while (cause != null) {
      text.append(": ").append(cause.getMessage());
      cause = cause.getCause();
    }
    String clean = text.toString();
    for (Map.Entry<String, Object> entry : options.getProperties()) {
      if (entry.getValue() != null && SECRET.matcher(entry.getKey()).matches()) {
        clean = hide(clean, entry.getValue().toString());
      }
    }
    return clean;
  }

  private static String hide(String text, String secret) {
    String clean = secret.isEmpty() ? text : text.replace(secret, "[hidden]");
    for (String part : SECRET_SEPARATORS.split(secret, -1)) {
      if (part.length() >= LEAST_SECRET && !NO_SECRETS.contains(part)) {
        clean = clean.replace(part, "[hidden]");
      }
    }
    return clean;
  }
}
