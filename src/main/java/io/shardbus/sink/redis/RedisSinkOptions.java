package io.shardbus.sink.redis;

import io.shardbus.options.OptionRanges;
import io.shardbus.options.OptionSpec;
import io.shardbus.options.OptionsCopy;
import io.shardbus.options.OptionsJson;
import io.shardbus.options.ServerAddress;
import io.shardbus.sink.support.TlsClientOptions;
import io.vertx.codegen.annotations.DataObject;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Where the redis sink writes, and how. */
@DataObject
public final class RedisSinkOptions {

  /** The default of {@code connectionString}. */
  public static final String DEFAULT_CONNECTION_STRING = "redis://127.0.0.1:6379";

  /** The default of {@code streamPrefix}. */
  public static final String DEFAULT_STREAM_PREFIX = "shardbus:";

  /** The default of {@code connections}. */
  public static final int DEFAULT_CONNECTIONS = 4;

  /** The default of {@code timeout}: 10 s. */
  public static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(10);

  static final String SINK_NAME = "redis";

  private String connectionString = DEFAULT_CONNECTION_STRING;
  private @Nullable String masterName;
  private @Nullable String password;
  private String streamPrefix = DEFAULT_STREAM_PREFIX;
  private long maxLen;
  private int connections = DEFAULT_CONNECTIONS;
  private Duration timeout = DEFAULT_TIMEOUT;
  private TlsClientOptions tls = new TlsClientOptions();

  /** The defaults. */
  public RedisSinkOptions() {}

  /**
   * @param other the options to copy
   */
  public RedisSinkOptions(RedisSinkOptions other) {
    OptionsCopy.copy(other, this);
  }

  /**
   * @param json any of the options by name
   * @throws IllegalArgumentException naming an unknown or bad option
   */
  public RedisSinkOptions(JsonObject json) {
    OptionsJson.read(this, json);
  }

  /** {@return the server: {@code redis://user@host:port/database}} */
  public String getConnectionString() {
    return connectionString;
  }

  /**
   * @param server the server: {@code redis://user@host:port/database}, or {@code rediss://} for
   *     TLS. It may hold a password, but {@code password} is the better place. With {@code
   *     masterName} the Sentinels, separated by commas
   * @return this
   */
  @OptionSpec(
      "the server, `redis://user@host:port/database`; `rediss://` for TLS; with `masterName` the"
          + " Sentinels, separated by commas")
  public RedisSinkOptions setConnectionString(String server) {
    if (!Arrays.stream(server.split(",", -1)).allMatch(RedisSinkOptions::isServer)) {
      // not shown: it may hold a password
      throw new IllegalArgumentException(
          "connectionString: must be like " + DEFAULT_CONNECTION_STRING + " or rediss://HOST:PORT");
    }
    connectionString = server;
    return this;
  }

  private static boolean isServer(String text) {
    return ServerAddress.parse(text.strip(), "redis", "rediss").isPresent();
  }

  /** {@return the name of the master among Sentinels; null without Sentinel} */
  public @Nullable String getMasterName() {
    return masterName;
  }

  /**
   * @param name the name that the Sentinels have for the master; null without Sentinel
   * @return this
   */
  @OptionSpec(value = "name that the Sentinels have for the master; set it to use them", min = "1")
  public RedisSinkOptions setMasterName(@Nullable String name) {
    masterName = name == null ? null : OptionRanges.check(this, "masterName", name);
    return this;
  }

  /** {@return the password; null if the server asks for none} */
  public @Nullable String getPassword() {
    return password;
  }

  /**
   * @param secret the password; null if the server asks for none
   * @return this
   */
  @OptionSpec("password of the server or the user; never logged")
  public RedisSinkOptions setPassword(@Nullable String secret) {
    password = secret;
    return this;
  }

  /** {@return the prefix of all keys} */
  public String getStreamPrefix() {
    return streamPrefix;
  }

  /**
   * @param prefix the prefix of all keys; the stream of shard 3 is {@code PREFIXshard:3}
   * @return this
   */
  @OptionSpec("prefix of all keys")
  public RedisSinkOptions setStreamPrefix(String prefix) {
    streamPrefix = prefix;
    return this;
  }

  /** {@return how many events a stream keeps; 0 for no limit} */
  public long getMaxLen() {
    return maxLen;
  }

  /**
   * @param events how many events a stream keeps, about: the oldest go first, in blocks; 0 for no
   *     limit
   * @return this
   */
  @OptionSpec(
      value = "events that a stream keeps, roughly; the oldest go first; 0: no limit",
      min = "0")
  public RedisSinkOptions setMaxLen(long events) {
    maxLen = OptionRanges.check(this, "maxLen", events);
    return this;
  }

  /** {@return how many connections are used at once} */
  public int getConnections() {
    return connections;
  }

  /**
   * @param count how many connections are used at once, each with one command in flight
   * @return this
   */
  @OptionSpec(value = "connections used at once", min = "1", max = "256")
  public RedisSinkOptions setConnections(int count) {
    connections = OptionRanges.check(this, "connections", count);
    return this;
  }

  /** {@return how long the sink waits for an answer} */
  public Duration getTimeout() {
    return timeout;
  }

  /**
   * @param time how long the sink waits for an answer; best below {@code delivery.timeout}
   * @return this
   */
  @OptionSpec(value = "how long the sink waits for an answer", min = "10ms", max = "1d")
  public RedisSinkOptions setTimeout(Duration time) {
    timeout = OptionRanges.check(this, "timeout", time);
    return this;
  }

  /** {@return whom to trust, and the client's certificate} */
  public TlsClientOptions getTls() {
    return tls;
  }

  /**
   * @param options whom to trust, and the client's certificate; copied
   * @return this
   */
  @OptionSpec("trust store and client certificate")
  public RedisSinkOptions setTls(TlsClientOptions options) {
    tls = new TlsClientOptions(options);
    return this;
  }

  /** {@return all options as JSON, the password among them} */
  public JsonObject toJson() {
    return OptionsJson.write(this);
  }

  /** Blocks: looks for files. */
  void check() {
    if (masterName == null && connectionString.indexOf(',') >= 0) {
      throw new IllegalArgumentException(
          "connectionString: several servers are only allowed with masterName, as Sentinels");
    }
    tls.check();
  }
}
