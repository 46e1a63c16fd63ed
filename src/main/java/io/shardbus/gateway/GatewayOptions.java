package io.shardbus.gateway;

import io.shardbus.options.Durations;
import io.shardbus.options.OptionsJson;
import io.vertx.codegen.annotations.DataObject;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/** How the gateway listens, and its limits. */
@DataObject
public final class GatewayOptions {

  /** The default of {@code host}. */
  public static final String DEFAULT_HOST = "127.0.0.1";

  /** The default of {@code port}. */
  public static final int DEFAULT_PORT = 8080;

  /** The default of {@code eventLoops}. */
  public static final int DEFAULT_EVENT_LOOPS = 1;

  /** The default of {@code maxFrameBytes}: 1 MiB. */
  public static final int DEFAULT_MAX_FRAME_BYTES = 1 << 20;

  /** The default of {@code maxUriBytes}: 16 KiB. */
  public static final int DEFAULT_MAX_URI_BYTES = 16 << 10;

  /** The default of {@code maxHeaderBytes}: 16 KiB. */
  public static final int DEFAULT_MAX_HEADER_BYTES = 16 << 10;

  /** The default of {@code maxConnections}. */
  public static final int DEFAULT_MAX_CONNECTIONS = 10_000;

  /** The default of {@code idleTimeout}. */
  public static final Duration DEFAULT_IDLE_TIMEOUT = Duration.ofMinutes(5);

  /** The default of {@code backpressureTimeout}. */
  public static final Duration DEFAULT_BACKPRESSURE_TIMEOUT = Duration.ofSeconds(10);

  /** The default of {@code maxPartialBytes}: a quarter of the heap. */
  public static final long DEFAULT_MAX_PARTIAL_BYTES = Runtime.getRuntime().maxMemory() / 4;

  /** The default of {@code maxEventsPerMessage}: 65,536. */
  public static final int DEFAULT_MAX_EVENTS_PER_MESSAGE = 1 << 16;

  /** The default of {@code maxKeyBytes}. */
  public static final int DEFAULT_MAX_KEY_BYTES = 4096;

  /** The default of {@code bodyTimeout}. */
  public static final Duration DEFAULT_BODY_TIMEOUT = Duration.ofMinutes(1);

  /** The default of {@code ackTimeout}. */
  public static final Duration DEFAULT_ACK_TIMEOUT = Duration.ofMinutes(1);

  private String host = DEFAULT_HOST;
  private int port = DEFAULT_PORT;
  private int eventLoops = DEFAULT_EVENT_LOOPS;
  private boolean insecure;
  private @Nullable String tokensFile;
  private TokenOptions token = new TokenOptions();
  private TlsOptions tls = new TlsOptions();
  private int maxUriBytes = DEFAULT_MAX_URI_BYTES;
  private int maxHeaderBytes = DEFAULT_MAX_HEADER_BYTES;
  private int maxConnectionsPerClient;
  private int maxEventsPerSecondPerClient;
  private int maxFrameBytes = DEFAULT_MAX_FRAME_BYTES;
  private int maxConnections = DEFAULT_MAX_CONNECTIONS;
  private Duration idleTimeout = DEFAULT_IDLE_TIMEOUT;
  private Duration backpressureTimeout = DEFAULT_BACKPRESSURE_TIMEOUT;
  private @Nullable String allowedOrigins;
  private long maxPartialBytes = DEFAULT_MAX_PARTIAL_BYTES;
  private int maxEventsPerMessage = DEFAULT_MAX_EVENTS_PER_MESSAGE;
  private int maxKeyBytes = DEFAULT_MAX_KEY_BYTES;
  private long maxBytesPerSecondPerClient;
  private Duration bodyTimeout = DEFAULT_BODY_TIMEOUT;
  private Duration ackTimeout = DEFAULT_ACK_TIMEOUT;

  /** The defaults. */
  public GatewayOptions() {}

  /**
   * A copy.
   *
   * @param other the options to copy
   */
  public GatewayOptions(GatewayOptions other) {
    host = other.host;
    port = other.port;
    eventLoops = other.eventLoops;
    insecure = other.insecure;
    tokensFile = other.tokensFile;
    token = new TokenOptions(other.token);
    tls = new TlsOptions(other.tls);
    maxUriBytes = other.maxUriBytes;
    maxHeaderBytes = other.maxHeaderBytes;
    maxConnectionsPerClient = other.maxConnectionsPerClient;
    maxEventsPerSecondPerClient = other.maxEventsPerSecondPerClient;
    maxFrameBytes = other.maxFrameBytes;
    maxConnections = other.maxConnections;
    idleTimeout = other.idleTimeout;
    backpressureTimeout = other.backpressureTimeout;
    ackTimeout = other.ackTimeout;
    bodyTimeout = other.bodyTimeout;
    maxBytesPerSecondPerClient = other.maxBytesPerSecondPerClient;
    maxKeyBytes = other.maxKeyBytes;
    maxEventsPerMessage = other.maxEventsPerMessage;
    maxPartialBytes = other.maxPartialBytes;
    allowedOrigins = other.allowedOrigins;
  }

  /**
   * From JSON.
   *
   * @param json any of the options by name
   * @throws IllegalArgumentException naming an unknown or bad option
   */
  public GatewayOptions(JsonObject json) {
    OptionsJson.read(this, json);
  }

  /**
   * Checks the options against each other.
   *
   * @throws IllegalArgumentException naming the options that contradict each other
   */
  public void validate() {
    requireBelowIdle("backpressureTimeout", backpressureTimeout);
    requireBelowIdle("ackTimeout", ackTimeout);
  }

  /** A request that waits is silent: its connection would be closed before it is answered. */
  private void requireBelowIdle(String name, Duration wait) {
    if (wait.compareTo(idleTimeout) >= 0) {
      throw new IllegalArgumentException(
          name
              + ": "
              + Durations.format(wait)
              + " must be below idleTimeout, which is "
              + Durations.format(idleTimeout));
    }
  }

  /**
   * @return the address to listen on
   */
  public String getHost() {
    return host;
  }

  /**
   * @param host the address to listen on, not empty; anything but the loopback also needs tokens,
   *     or {@code insecure}
   * @return this
   */
  public GatewayOptions setHost(String host) {
    if (host.isBlank()) {
      throw new IllegalArgumentException("host: must not be empty");
    }
    this.host = host;
    return this;
  }

  /**
   * @return the port to listen on
   */
  public int getPort() {
    return port;
  }

  /**
   * @param port the port to listen on, 0 (a free one) to 65535
   * @return this
   */
  public GatewayOptions setPort(int port) {
    if (port < 0 || port > 65_535) {
      throw new IllegalArgumentException("port: " + port + " must be 0 to 65535");
    }
    this.port = port;
    return this;
  }

  /**
   * @return how many event loops serve the connections
   */
  public int getEventLoops() {
    return eventLoops;
  }

  /**
   * @param loops how many event loops serve the connections, 1 to 1024; each connection stays with
   *     one of them. More than Vert.x has (see {@code VertxOptions.setEventLoopPoolSize}) are of no
   *     use. Several are verticles of their own: they do not end with a verticle that starts the
   *     gateway, which has to close it
   * @return this
   */
  public GatewayOptions setEventLoops(int loops) {
    if (loops < 1 || loops > 1024) {
      throw new IllegalArgumentException("eventLoops: " + loops + " must be 1 to 1024");
    }
    eventLoops = loops;
    return this;
  }

  /**
   * @return whether to listen beyond the loopback without tokens
   */
  public boolean isInsecure() {
    return insecure;
  }

  /**
   * @param on whether to listen beyond the loopback without tokens
   * @return this
   */
  public GatewayOptions setInsecure(boolean on) {
    insecure = on;
    return this;
  }

  /**
   * @return the file of tokens; null for none
   */
  public @Nullable String getTokensFile() {
    return tokensFile;
  }

  /**
   * @param file a file of tokens, not empty: one a line, {@code role[,role] token}, with the roles
   *     ingest, read and admin, and comments that begin with {@code #}; it is read again when it
   *     changes; null for none
   * @return this
   */
  public GatewayOptions setTokensFile(@Nullable String file) {
    if (file != null && file.isBlank()) {
      throw new IllegalArgumentException("tokensFile: must not be empty");
    }
    tokensFile = file;
    return this;
  }

  /**
   * @return tokens that are not in a file
   */
  public TokenOptions getToken() {
    return token;
  }

  /**
   * @param token tokens that are not in a file; copied
   * @return this
   */
  public GatewayOptions setToken(TokenOptions token) {
    this.token = new TokenOptions(token);
    return this;
  }

  /**
   * @return the largest WebSocket frame and message, in bytes
   */
  public int getMaxFrameBytes() {
    return maxFrameBytes;
  }

  /**
   * @param bytes the largest WebSocket frame and message, 1024 to 1,073,741,824 bytes
   * @return this
   */
  public GatewayOptions setMaxFrameBytes(int bytes) {
    if (bytes < 1024 || bytes > 1 << 30) {
      throw new IllegalArgumentException(
          "maxFrameBytes: " + bytes + " must be 1024 to 1073741824 bytes");
    }
    maxFrameBytes = bytes;
    return this;
  }

  /**
   * @return how many connections are served at once
   */
  public int getMaxConnections() {
    return maxConnections;
  }

  /**
   * @param connections how many connections are served at once, at least 1; further ones are
   *     refused
   * @return this
   */
  public GatewayOptions setMaxConnections(int connections) {
    if (connections < 1) {
      throw new IllegalArgumentException("maxConnections: " + connections + " must be at least 1");
    }
    maxConnections = connections;
    return this;
  }

  /**
   * @return the certificate and key
   */
  public TlsOptions getTls() {
    return tls;
  }

  /**
   * @param tls the certificate and key; copied
   * @return this
   */
  public GatewayOptions setTls(TlsOptions tls) {
    this.tls = new TlsOptions(tls);
    return this;
  }

  /**
   * @return the longest request line, in bytes
   */
  public int getMaxUriBytes() {
    return maxUriBytes;
  }

  /**
   * @param n the longest request line, in bytes, 1024 to 1048576
   * @return this
   */
  public GatewayOptions setMaxUriBytes(int n) {
    if (n < 1024 || n > 1048576) {
      throw new IllegalArgumentException("maxUriBytes: " + n + " must be 1024 to 1048576");
    }
    maxUriBytes = n;
    return this;
  }

  /**
   * @return the size of all headers of a request, in bytes
   */
  public int getMaxHeaderBytes() {
    return maxHeaderBytes;
  }

  /**
   * @param n the size of all headers of a request, in bytes, 1024 to 1048576
   * @return this
   */
  public GatewayOptions setMaxHeaderBytes(int n) {
    if (n < 1024 || n > 1048576) {
      throw new IllegalArgumentException("maxHeaderBytes: " + n + " must be 1024 to 1048576");
    }
    maxHeaderBytes = n;
    return this;
  }

  /**
   * @return how many connections one address may have at once
   */
  public int getMaxConnectionsPerClient() {
    return maxConnectionsPerClient;
  }

  /**
   * @param n how many connections one address may have at once, at least 0; 0 for no limit
   * @return this
   */
  public GatewayOptions setMaxConnectionsPerClient(int n) {
    if (n < 0) {
      throw new IllegalArgumentException("maxConnectionsPerClient: " + n + " must be at least 0");
    }
    maxConnectionsPerClient = n;
    return this;
  }

  /**
   * @return how many events one address may send in a second
   */
  public int getMaxEventsPerSecondPerClient() {
    return maxEventsPerSecondPerClient;
  }

  /**
   * @param n how many events one address may send in a second, at least 0; 0 for no limit
   * @return this
   */
  public GatewayOptions setMaxEventsPerSecondPerClient(int n) {
    if (n < 0) {
      throw new IllegalArgumentException(
          "maxEventsPerSecondPerClient: " + n + " must be at least 0");
    }
    maxEventsPerSecondPerClient = n;
    return this;
  }

  /**
   * @return after how long without a byte a connection is closed
   */
  public Duration getIdleTimeout() {
    return idleTimeout;
  }

  /**
   * @param time after how long without a byte a connection is closed, 1 s to 1 day
   * @return this
   */
  public GatewayOptions setIdleTimeout(Duration time) {
    if (time.compareTo(Duration.ofSeconds(1)) < 0 || time.compareTo(Duration.ofDays(1)) > 0) {
      throw new IllegalArgumentException("idleTimeout: " + time + " must be 1 s to 1 day");
    }
    idleTimeout = time;
    return this;
  }

  /**
   * @return how long an upload of NDJSON waits for room in mode fail-producer before it is answered
   *     with 429
   */
  public Duration getBackpressureTimeout() {
    return backpressureTimeout;
  }

  /**
   * @param time how long an upload of NDJSON waits for room in mode fail-producer before it is
   *     answered with 429, 0 to 1 hour, below {@code idleTimeout}
   * @return this
   */
  public GatewayOptions setBackpressureTimeout(Duration time) {
    if (time.isNegative() || time.compareTo(Duration.ofHours(1)) > 0) {
      throw new IllegalArgumentException("backpressureTimeout: " + time + " must be 0 to 1 hour");
    }
    backpressureTimeout = time;
    return this;
  }

  /**
   * @return the origins of pages of other sites that may use the server, with commas between; null
   *     for none
   */
  public @Nullable String getAllowedOrigins() {
    return allowedOrigins;
  }

  /**
   * @param value origins of pages of other sites that may use the server, such as {@code
   *     https://app.example}, with commas between, {@code null} for pages in files; null for none
   * @return this
   */
  public GatewayOptions setAllowedOrigins(@Nullable String value) {
    Origins.parse(value);
    allowedOrigins = value;
    return this;
  }

  /**
   * @return how many bytes of bodies and messages may be in memory that are not complete, or wait
   *     for room, of all connections together
   */
  public long getMaxPartialBytes() {
    return maxPartialBytes;
  }

  /**
   * @param value how many bytes of bodies and messages may be in memory that are not complete, or
   *     wait for room, of all connections together, at least 262144
   * @return this
   */
  public GatewayOptions setMaxPartialBytes(long value) {
    if (value < 1 << 18) {
      throw new IllegalArgumentException("maxPartialBytes: " + value + " must be at least 262144");
    }
    maxPartialBytes = value;
    return this;
  }

  /**
   * @return how many events a WebSocket message may have; those beyond are refused and counted
   */
  public int getMaxEventsPerMessage() {
    return maxEventsPerMessage;
  }

  /**
   * @param value how many events a WebSocket message may have, at least 1; those beyond are refused
   *     and counted
   * @return this
   */
  public GatewayOptions setMaxEventsPerMessage(int value) {
    if (value < 1) {
      throw new IllegalArgumentException("maxEventsPerMessage: " + value + " must be at least 1");
    }
    maxEventsPerMessage = value;
    return this;
  }

  /**
   * @return the longest key of an event, in bytes of UTF-8
   */
  public int getMaxKeyBytes() {
    return maxKeyBytes;
  }

  /**
   * @param value the longest key of an event, 1 to 1048576 bytes of UTF-8
   * @return this
   */
  public GatewayOptions setMaxKeyBytes(int value) {
    if (value < 1 || value > 1 << 20) {
      throw new IllegalArgumentException("maxKeyBytes: " + value + " must be 1 to 1048576 bytes");
    }
    maxKeyBytes = value;
    return this;
  }

  /**
   * @return how many bytes of events one address may send in a second
   */
  public long getMaxBytesPerSecondPerClient() {
    return maxBytesPerSecondPerClient;
  }

  /**
   * @param value how many bytes of events one address may send in a second, at least 0; 0 for no
   *     limit
   * @return this
   */
  public GatewayOptions setMaxBytesPerSecondPerClient(long value) {
    if (value < 0) {
      throw new IllegalArgumentException(
          "maxBytesPerSecondPerClient: " + value + " must be at least 0");
    }
    maxBytesPerSecondPerClient = value;
    return this;
  }

  /**
   * @return how long the body of one event, a line of NDJSON or a WebSocket message may take once
   *     it has begun
   */
  public Duration getBodyTimeout() {
    return bodyTimeout;
  }

  /**
   * @param value how long the body of one event, a line of NDJSON or a WebSocket message may take
   *     once it has begun, 1 s to 1 day
   * @return this
   */
  public GatewayOptions setBodyTimeout(Duration value) {
    if (value.compareTo(Duration.ofSeconds(1)) < 0 || value.compareTo(Duration.ofDays(1)) > 0) {
      throw new IllegalArgumentException("bodyTimeout: " + value + " must be 1 s to 1 day");
    }
    bodyTimeout = value;
    return this;
  }

  /**
   * @return how long a request with {@code ack=delivered} waits for the sink before it is answered
   *     with 504
   */
  public Duration getAckTimeout() {
    return ackTimeout;
  }

  /**
   * @param value how long a request with {@code ack=delivered} waits for the sink before it is
   *     answered with 504, 1 s to 1 day, below {@code idleTimeout}
   * @return this
   */
  public GatewayOptions setAckTimeout(Duration value) {
    if (value.compareTo(Duration.ofSeconds(1)) < 0 || value.compareTo(Duration.ofDays(1)) > 0) {
      throw new IllegalArgumentException("ackTimeout: " + value + " must be 1 s to 1 day");
    }
    ackTimeout = value;
    return this;
  }

  /**
   * @return all options as JSON
   */
  public JsonObject toJson() {
    return OptionsJson.write(this);
  }
}
