package io.shardbus.sink.jetstream;

import io.shardbus.options.Durations;
import io.shardbus.options.OptionsJson;
import io.vertx.codegen.annotations.DataObject;
import io.vertx.core.json.JsonObject;
import java.net.URI;
import java.net.URISyntaxException;
import java.time.Duration;
import java.util.Arrays;
import java.util.Set;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Where the jetstream sink writes, and how. */
@DataObject
public final class JetStreamSinkOptions {

  /** The default of {@code servers}. */
  public static final String DEFAULT_SERVERS = "nats://127.0.0.1:4222";

  /** The default of {@code stream}. */
  public static final String DEFAULT_STREAM = "SHARDBUS";

  /** The default of {@code subjectPrefix}. */
  public static final String DEFAULT_SUBJECT_PREFIX = "shardbus";

  /** The default of {@code duplicateWindow}: 2 minutes. */
  public static final Duration DEFAULT_DUPLICATE_WINDOW = Duration.ofMinutes(2);

  /** The default of {@code maxInFlight}. */
  public static final int DEFAULT_MAX_IN_FLIGHT = 4096;

  /** The default of {@code timeout}: 10 s. */
  public static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(10);

  static final String SINK_NAME = "jetstream";
  private static final Set<String> SCHEMES = Set.of("nats", "tls", "ws", "wss");
  private static final Pattern STREAM_NAME = Pattern.compile("[\\w-]{1,255}");
  private static final Pattern SUBJECT = Pattern.compile("[\\w-]+(\\.[\\w-]+)*");
  private static final int MAX_REPLICAS = 5;
  private static final int MAX_MAX_IN_FLIGHT = 1_000_000;

  private String servers = DEFAULT_SERVERS;
  private @Nullable String user;
  private @Nullable String password;
  private @Nullable String token;
  private String stream = DEFAULT_STREAM;
  private String subjectPrefix = DEFAULT_SUBJECT_PREFIX;
  private int replicas = 1;
  private Duration maxAge = Duration.ZERO;
  private long maxBytes;
  private Duration duplicateWindow = DEFAULT_DUPLICATE_WINDOW;
  private int maxInFlight = DEFAULT_MAX_IN_FLIGHT;
  private Duration timeout = DEFAULT_TIMEOUT;

  /** The defaults. */
  public JetStreamSinkOptions() {}

  /**
   * A copy.
   *
   * @param other the options to copy
   */
  public JetStreamSinkOptions(JetStreamSinkOptions other) {
    servers = other.servers;
    user = other.user;
    password = other.password;
    token = other.token;
    stream = other.stream;
    subjectPrefix = other.subjectPrefix;
    replicas = other.replicas;
    maxAge = other.maxAge;
    maxBytes = other.maxBytes;
    duplicateWindow = other.duplicateWindow;
    maxInFlight = other.maxInFlight;
    timeout = other.timeout;
  }

  /**
   * From JSON.
   *
   * @param json any of the options by name
   * @throws IllegalArgumentException naming an unknown or bad option
   */
  public JetStreamSinkOptions(JsonObject json) {
    OptionsJson.read(this, json);
  }

  /**
   * @return the servers of a cluster: {@code nats://host:port}, separated by commas
   */
  public String getServers() {
    return servers;
  }

  /**
   * @param addresses the servers of a cluster: {@code nats://host:port}, or {@code tls://} for TLS,
   *     separated by commas
   * @return this
   */
  public JetStreamSinkOptions setServers(String addresses) {
    if (!Arrays.stream(addresses.split(",", -1)).allMatch(JetStreamSinkOptions::isServer)) {
      // not shown: it may contain a password
      throw new IllegalArgumentException(
          "servers: must be like "
              + DEFAULT_SERVERS
              + ", separated by commas; user and password are options of their own");
    }
    servers = addresses;
    return this;
  }

  private static boolean isServer(String text) {
    try {
      URI uri = new URI(text.strip());
      return uri.getScheme() != null
          && SCHEMES.contains(uri.getScheme())
          && uri.getHost() != null
          && uri.getUserInfo() == null;
    } catch (URISyntaxException e) {
      return false;
    }
  }

  /**
   * @return the user; null if there is none
   */
  public @Nullable String getUser() {
    return user;
  }

  /**
   * @param account the user; null if there is none
   * @return this
   */
  public JetStreamSinkOptions setUser(@Nullable String account) {
    user = account;
    return this;
  }

  /**
   * @return the user's password; null if there is none
   */
  public @Nullable String getPassword() {
    return password;
  }

  /**
   * @param secret the user's password; null if there is none
   * @return this
   */
  public JetStreamSinkOptions setPassword(@Nullable String secret) {
    password = secret;
    return this;
  }

  /**
   * @return the token, in place of a user; null if there is none
   */
  public @Nullable String getToken() {
    return token;
  }

  /**
   * @param secret the token, in place of a user; null if there is none
   * @return this
   */
  public JetStreamSinkOptions setToken(@Nullable String secret) {
    token = secret;
    return this;
  }

  /**
   * @return the name of the stream
   */
  public String getStream() {
    return stream;
  }

  /**
   * @param streamName the name of the stream, which is created if it is missing: letters, digits,
   *     {@code _} and {@code -}
   * @return this
   */
  public JetStreamSinkOptions setStream(String streamName) {
    if (!STREAM_NAME.matcher(streamName).matches()) {
      throw new IllegalArgumentException(
          "stream: \"" + streamName + "\" must be letters, digits, _ and -");
    }
    stream = streamName;
    return this;
  }

  /**
   * @return what the subjects begin with
   */
  public String getSubjectPrefix() {
    return subjectPrefix;
  }

  /**
   * @param prefix the prefix of the subjects; the subject of shard 3 is {@code PREFIX.shard.3}
   * @return this
   */
  public JetStreamSinkOptions setSubjectPrefix(String prefix) {
    if (!SUBJECT.matcher(prefix).matches()) {
      throw new IllegalArgumentException(
          "subjectPrefix: \""
              + prefix
              + "\" must be words of letters, digits, _ and - with dots between");
    }
    subjectPrefix = prefix;
    return this;
  }

  /**
   * @return how many servers keep the stream
   */
  public int getReplicas() {
    return replicas;
  }

  /**
   * @param count how many servers keep the stream, 1 to 5; applies only to a stream that the sink
   *     creates
   * @return this
   */
  public JetStreamSinkOptions setReplicas(int count) {
    if (count < 1 || count > MAX_REPLICAS) {
      throw new IllegalArgumentException("replicas: " + count + " must be 1 to " + MAX_REPLICAS);
    }
    replicas = count;
    return this;
  }

  /**
   * @return how long events are kept; zero for ever
   */
  public Duration getMaxAge() {
    return maxAge;
  }

  /**
   * @param time how long events are kept; zero for ever; applies only to a stream that the sink
   *     creates
   * @return this
   */
  public JetStreamSinkOptions setMaxAge(Duration time) {
    if (time.isNegative()) {
      throw new IllegalArgumentException("maxAge: " + time + " must not be negative");
    }
    maxAge = time;
    return this;
  }

  /**
   * @return how many bytes are kept; 0 for no limit
   */
  public long getMaxBytes() {
    return maxBytes;
  }

  /**
   * @param bytes how many bytes are kept before the oldest events go; 0 for no limit; applies only
   *     to a stream that the sink creates
   * @return this
   */
  public JetStreamSinkOptions setMaxBytes(long bytes) {
    if (bytes < 0) {
      throw new IllegalArgumentException("maxBytes: " + bytes + " must be at least 0");
    }
    maxBytes = bytes;
    return this;
  }

  /**
   * @return how long the server recognises a repeated event
   */
  public Duration getDuplicateWindow() {
    return duplicateWindow;
  }

  /**
   * @param time how long the server recognises a repeated event, at least 100 ms and at most {@code
   *     maxAge}; applies only to a stream that the sink creates
   * @return this
   */
  public JetStreamSinkOptions setDuplicateWindow(Duration time) {
    if (time.toMillis() < 100) {
      throw new IllegalArgumentException("duplicateWindow: " + time + " must be at least 100 ms");
    }
    duplicateWindow = time;
    return this;
  }

  /**
   * @return how many events are published and not confirmed at once
   */
  public int getMaxInFlight() {
    return maxInFlight;
  }

  /**
   * @param count how many events are published and not confirmed at once, 1 to 1000000, of all
   *     shards together
   * @return this
   */
  public JetStreamSinkOptions setMaxInFlight(int count) {
    if (count < 1 || count > MAX_MAX_IN_FLIGHT) {
      throw new IllegalArgumentException(
          "maxInFlight: " + count + " must be 1 to " + MAX_MAX_IN_FLIGHT);
    }
    maxInFlight = count;
    return this;
  }

  /**
   * @return how long confirmations are waited for
   */
  public Duration getTimeout() {
    return timeout;
  }

  /**
   * @param time how long the sink waits for the confirmations of a batch, 10 ms to 1 day; best
   *     below {@code delivery.timeout}
   * @return this
   */
  public JetStreamSinkOptions setTimeout(Duration time) {
    timeout = Durations.inRange("timeout", time, Duration.ofMillis(10), Duration.ofDays(1));
    return this;
  }

  /**
   * @return all options as JSON, password and token among them
   */
  public JsonObject toJson() {
    return OptionsJson.write(this);
  }
}
