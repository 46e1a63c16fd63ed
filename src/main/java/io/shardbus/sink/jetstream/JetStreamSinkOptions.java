package io.shardbus.sink.jetstream;

import io.shardbus.options.OptionRanges;
import io.shardbus.options.OptionSpec;
import io.shardbus.options.OptionsCopy;
import io.shardbus.options.OptionsJson;
import io.shardbus.options.ServerAddress;
import io.shardbus.sink.support.TlsClientOptions;
import io.vertx.codegen.annotations.DataObject;
import io.vertx.core.json.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Objects;
import java.util.stream.Stream;
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

  /** The default of {@code duplicateWindow}: 10 minutes, as long as the bus recognises ids. */
  public static final Duration DEFAULT_DUPLICATE_WINDOW = Duration.ofMinutes(10);

  /** The default of {@code maxInFlight}. */
  public static final int DEFAULT_MAX_IN_FLIGHT = 4096;

  /** The default of {@code timeout}: 10 s. */
  public static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(10);

  static final String SINK_NAME = "jetstream";
  static final String[] SCHEMES = {"nats", "tls", "ws", "wss"};

  private String servers = DEFAULT_SERVERS;
  private @Nullable String user;
  private @Nullable String password;
  private @Nullable String token;
  private @Nullable String credsFile;
  private @Nullable String nkeyFile;
  private String stream = DEFAULT_STREAM;
  private String subjectPrefix = DEFAULT_SUBJECT_PREFIX;
  private int replicas = 1;
  private Duration maxAge = Duration.ZERO;
  private long maxBytes;
  private Duration duplicateWindow = DEFAULT_DUPLICATE_WINDOW;
  private int maxInFlight = DEFAULT_MAX_IN_FLIGHT;
  private Duration timeout = DEFAULT_TIMEOUT;
  private TlsClientOptions tls = new TlsClientOptions();

  /** The defaults. */
  public JetStreamSinkOptions() {}

  /**
   * @param other the options to copy
   */
  public JetStreamSinkOptions(JetStreamSinkOptions other) {
    OptionsCopy.copy(other, this);
  }

  /**
   * @param json any of the options by name
   * @throws IllegalArgumentException naming an unknown or bad option
   */
  public JetStreamSinkOptions(JsonObject json) {
    OptionsJson.read(this, json);
  }

  /** {@return the servers of a cluster: {@code nats://host:port}, separated by commas} */
  public String getServers() {
    return servers;
  }

  /**
   * @param addresses the servers of a cluster: {@code nats://host:port}, or {@code tls://} for TLS,
   *     separated by commas
   * @return this
   */
  @OptionSpec("the servers, `nats://host:port`, separated by commas; `tls://` for TLS")
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
    return ServerAddress.parse(text.strip(), SCHEMES)
        .filter(server -> server.userInfo() == null)
        .isPresent();
  }

  /** {@return the user; null if there is none} */
  public @Nullable String getUser() {
    return user;
  }

  /**
   * @param account the user; null if there is none
   * @return this
   */
  @OptionSpec("the user")
  public JetStreamSinkOptions setUser(@Nullable String account) {
    user = account;
    return this;
  }

  /** {@return the user's password; null if there is none} */
  public @Nullable String getPassword() {
    return password;
  }

  /**
   * @param secret the user's password; null if there is none
   * @return this
   */
  @OptionSpec("password of the user; never logged")
  public JetStreamSinkOptions setPassword(@Nullable String secret) {
    password = secret;
    return this;
  }

  /** {@return the token, in place of a user; null if there is none} */
  public @Nullable String getToken() {
    return token;
  }

  /**
   * @param secret the token, in place of a user; null if there is none
   * @return this
   */
  @OptionSpec("a token in place of a user; never logged")
  public JetStreamSinkOptions setToken(@Nullable String secret) {
    token = secret;
    return this;
  }

  /** {@return the file with a JWT and its key; null for none} */
  public @Nullable String getCredsFile() {
    return credsFile;
  }

  /**
   * @param file a {@code .creds} file, with a JWT and its key, in place of a user; null for none
   * @return this
   */
  @OptionSpec(
      value = "a `.creds` file, with a JWT and its key, in place of a user",
      min = "1",
      allowed = "a path")
  public JetStreamSinkOptions setCredsFile(@Nullable String file) {
    credsFile = file == null ? null : OptionRanges.check(this, "credsFile", file);
    return this;
  }

  /** {@return the file with the seed of an NKey; null for none} */
  public @Nullable String getNkeyFile() {
    return nkeyFile;
  }

  /**
   * @param file the seed of an NKey ({@code SU...}), in place of a user; null for none
   * @return this
   */
  @OptionSpec(
      value = "file with the seed of an NKey (`SU...`), in place of a user",
      min = "1",
      allowed = "a path")
  public JetStreamSinkOptions setNkeyFile(@Nullable String file) {
    nkeyFile = file == null ? null : OptionRanges.check(this, "nkeyFile", file);
    return this;
  }

  /** {@return the name of the stream} */
  public String getStream() {
    return stream;
  }

  /**
   * @param streamName the name of the stream, which the sink creates if it is missing
   * @return this
   */
  @OptionSpec(
      value = "name of the stream; created if it is missing",
      pattern = "[A-Za-z0-9_-]{1,255}",
      allowed = "1 to 255 letters, digits, `_` and `-`")
  public JetStreamSinkOptions setStream(String streamName) {
    stream = OptionRanges.check(this, "stream", streamName);
    return this;
  }

  /** {@return the prefix of the subjects} */
  public String getSubjectPrefix() {
    return subjectPrefix;
  }

  /**
   * @param prefix the prefix of the subjects; the subject of shard 3 is {@code PREFIX.shard.3}
   * @return this
   */
  @OptionSpec(
      value = "prefix of the subjects",
      pattern = "[A-Za-z0-9_-]+(\\.[A-Za-z0-9_-]+)*",
      allowed = "words of letters, digits, `_` and `-`, separated by dots")
  public JetStreamSinkOptions setSubjectPrefix(String prefix) {
    subjectPrefix = OptionRanges.check(this, "subjectPrefix", prefix);
    return this;
  }

  /** {@return how many servers keep the stream} */
  public int getReplicas() {
    return replicas;
  }

  /**
   * @param count how many servers keep the stream; applies only to a stream that the sink creates
   * @return this
   */
  @OptionSpec(value = "servers that keep the stream", min = "1", max = "5")
  public JetStreamSinkOptions setReplicas(int count) {
    replicas = OptionRanges.check(this, "replicas", count);
    return this;
  }

  /** {@return how long events are kept; zero for ever} */
  public Duration getMaxAge() {
    return maxAge;
  }

  /**
   * @param time how long events are kept; zero for ever; applies only to a stream that the sink
   *     creates
   * @return this
   */
  @OptionSpec(value = "how long events are kept; `0s`: for ever", min = "0s", max = "36500d")
  public JetStreamSinkOptions setMaxAge(Duration time) {
    maxAge = OptionRanges.check(this, "maxAge", time);
    return this;
  }

  /** {@return how many bytes are kept; 0 for no limit} */
  public long getMaxBytes() {
    return maxBytes;
  }

  /**
   * @param bytes how many bytes are kept before the oldest events go; 0 for no limit; applies only
   *     to a stream that the sink creates
   * @return this
   */
  @OptionSpec(value = "size at which the oldest events go; 0: no limit", min = "0")
  public JetStreamSinkOptions setMaxBytes(long bytes) {
    maxBytes = OptionRanges.check(this, "maxBytes", bytes);
    return this;
  }

  /** {@return how long the server recognises a repeated event} */
  public Duration getDuplicateWindow() {
    return duplicateWindow;
  }

  /**
   * @param time how long the server recognises a repeated event; a stream with a shorter {@code
   *     maxAge} recognises it for that long; applies only to a stream that the sink creates
   * @return this
   */
  @OptionSpec(
      value = "how long the server recognises a repeated event",
      min = "100ms",
      max = "36500d",
      allowed = "at most `maxAge`")
  public JetStreamSinkOptions setDuplicateWindow(Duration time) {
    duplicateWindow = OptionRanges.check(this, "duplicateWindow", time);
    return this;
  }

  /** {@return how many events are published and not confirmed at once} */
  public int getMaxInFlight() {
    return maxInFlight;
  }

  /**
   * @param count how many events are published and not confirmed at once, of all shards together
   * @return this
   */
  @OptionSpec(
      value = "events published and not confirmed at once, of all shards together",
      min = "1",
      max = "1000000")
  public JetStreamSinkOptions setMaxInFlight(int count) {
    maxInFlight = OptionRanges.check(this, "maxInFlight", count);
    return this;
  }

  /** {@return how long the sink waits for confirmations} */
  public Duration getTimeout() {
    return timeout;
  }

  /**
   * @param time how long the sink waits for the confirmations of a batch; best below {@code
   *     delivery.timeout}
   * @return this
   */
  @OptionSpec(value = "how long the sink waits for confirmations", min = "10ms", max = "1d")
  public JetStreamSinkOptions setTimeout(Duration time) {
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
  public JetStreamSinkOptions setTls(TlsClientOptions options) {
    tls = new TlsClientOptions(options);
    return this;
  }

  /** {@return all options as JSON, password and token among them} */
  public JsonObject toJson() {
    return OptionsJson.write(this);
  }

  /** Blocks: looks for files. */
  void check() {
    long ways =
        Stream.of(user == null ? password : user, token, credsFile, nkeyFile)
            .filter(Objects::nonNull)
            .count();
    if (ways > 1) {
      throw new IllegalArgumentException(
          "credentials: only one is allowed of user, token, credsFile and nkeyFile");
    }
    requireReadable("credsFile", credsFile);
    requireReadable("nkeyFile", nkeyFile);
    tls.check();
  }

  private static void requireReadable(String name, @Nullable String file) {
    if (file != null && !Files.isReadable(Path.of(file))) {
      throw new IllegalArgumentException(name + ": the file " + file + " cannot be read");
    }
  }
}
