package io.shardbus.gateway;

import io.shardbus.options.Durations;
import io.shardbus.options.OptionRanges;
import io.shardbus.options.OptionSpec;
import io.shardbus.options.OptionsCopy;
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

  /** The default of {@code compression}. */
  public static final boolean DEFAULT_COMPRESSION = true;

  /** The default of {@code maxFrameBytes}: 1 MiB. */
  public static final int DEFAULT_MAX_FRAME_BYTES = 1 << 20;

  /** The default of {@code maxUriBytes}: 16 KiB. */
  public static final int DEFAULT_MAX_URI_BYTES = 16 << 10;

  /** The default of {@code maxHeaderBytes}: 16 KiB. */
  public static final int DEFAULT_MAX_HEADER_BYTES = 16 << 10;

  /** The default of {@code maxDecodedBytes}: 1 GiB. */
  public static final long DEFAULT_MAX_DECODED_BYTES = 1 << 30;

  /** The default of {@code maxDecodedRatio}. */
  public static final int DEFAULT_MAX_DECODED_RATIO = 100;

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

  /** The default of {@code keepHeaders}: those of CloudEvents and of the W3C trace context. */
  public static final String DEFAULT_KEEP_HEADERS = "ce-*, traceparent, tracestate";

  /** The default of {@code webhookHeader}: that of GitHub. */
  public static final String DEFAULT_WEBHOOK_HEADER = "X-Hub-Signature-256";

  /** The name of a header, or how it begins. */
  private static final String HEADER = "\\s*[\\w!#$%&'+.^`|~-]+\\*?\\s*";

  /** An origin as browsers write it; {@code null} stands for pages without a site. */
  private static final String ORIGIN = "\\s*(null|https?://[^\\s/?#@,*]+)\\s*";

  private String host = DEFAULT_HOST;
  private int port = DEFAULT_PORT;
  private int eventLoops = DEFAULT_EVENT_LOOPS;
  private boolean insecure;
  private @Nullable String tokensFile;
  private TokenOptions token = new TokenOptions();
  private TlsOptions tls = new TlsOptions();
  private boolean http2ClearText;
  private boolean compression = DEFAULT_COMPRESSION;
  private long maxDecodedBytes = DEFAULT_MAX_DECODED_BYTES;
  private int maxDecodedRatio = DEFAULT_MAX_DECODED_RATIO;
  private int maxUriBytes = DEFAULT_MAX_URI_BYTES;
  private int maxHeaderBytes = DEFAULT_MAX_HEADER_BYTES;
  private int maxConnectionsPerClient;
  private int maxEventsPerSecondPerClient;
  private int maxFrameBytes = DEFAULT_MAX_FRAME_BYTES;
  private int maxConnections = DEFAULT_MAX_CONNECTIONS;
  private Duration idleTimeout = DEFAULT_IDLE_TIMEOUT;
  private Duration backpressureTimeout = DEFAULT_BACKPRESSURE_TIMEOUT;
  private @Nullable String allowedOrigins;
  private @Nullable String trustedProxies;
  private @Nullable String webhookSecret;
  private String webhookHeader = DEFAULT_WEBHOOK_HEADER;
  private long maxPartialBytes = DEFAULT_MAX_PARTIAL_BYTES;
  private int maxEventsPerMessage = DEFAULT_MAX_EVENTS_PER_MESSAGE;
  private int maxKeyBytes = DEFAULT_MAX_KEY_BYTES;
  private long maxBytesPerSecondPerClient;
  private Duration bodyTimeout = DEFAULT_BODY_TIMEOUT;
  private Duration ackTimeout = DEFAULT_ACK_TIMEOUT;
  private String keepHeaders = DEFAULT_KEEP_HEADERS;

  /** The defaults. */
  public GatewayOptions() {}

  /**
   * @param other the options to copy
   */
  public GatewayOptions(GatewayOptions other) {
    OptionsCopy.copy(other, this);
  }

  /**
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
    new Proxies(trustedProxies);
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

  /** {@return the address to listen on} */
  public String getHost() {
    return host;
  }

  /**
   * @param host the address to listen on; anything but the loopback also needs tokens, or {@code
   *     insecure}
   * @return this
   */
  @OptionSpec(
      value = "address to listen on",
      min = "1",
      allowed = "other than loopback only with tokens, or `insecure`")
  public GatewayOptions setHost(String host) {
    this.host = OptionRanges.check(this, "host", host);
    return this;
  }

  /** {@return the port to listen on} */
  public int getPort() {
    return port;
  }

  /**
   * @param port the port to listen on; 0 for a free one
   * @return this
   */
  @OptionSpec(value = "port to listen on; 0: a free one", min = "0", max = "65535")
  public GatewayOptions setPort(int port) {
    this.port = OptionRanges.check(this, "port", port);
    return this;
  }

  /** {@return how many event loops serve the connections} */
  public int getEventLoops() {
    return eventLoops;
  }

  /**
   * @param loops how many event loops serve the connections; each connection stays with one of
   *     them. More than Vert.x has (see {@code VertxOptions.setEventLoopPoolSize}) are of no use.
   *     The number does not change when a gateway is closed: see {@link Gateway#start}
   * @return this
   */
  @OptionSpec(value = "event loops that serve the connections", min = "1", max = "1024")
  public GatewayOptions setEventLoops(int loops) {
    eventLoops = OptionRanges.check(this, "eventLoops", loops);
    return this;
  }

  /** {@return whether to listen beyond the loopback without tokens} */
  public boolean isInsecure() {
    return insecure;
  }

  /**
   * @param on whether to listen beyond the loopback without tokens
   * @return this
   */
  @OptionSpec("listen beyond this machine without tokens")
  public GatewayOptions setInsecure(boolean on) {
    insecure = on;
    return this;
  }

  /** {@return the file of tokens; null for none} */
  public @Nullable String getTokensFile() {
    return tokensFile;
  }

  /**
   * @param file a file of tokens: one a line, {@code role[,role] token}, with the roles ingest,
   *     read and admin, and comments that begin with {@code #}; it is read again when it changes;
   *     null for none
   * @return this
   */
  @OptionSpec(value = "file of tokens", min = "1", allowed = "a path")
  public GatewayOptions setTokensFile(@Nullable String file) {
    tokensFile = file == null ? null : OptionRanges.check(this, "tokensFile", file);
    return this;
  }

  /** {@return tokens that are not in a file} */
  public TokenOptions getToken() {
    return token;
  }

  /**
   * @param token tokens that are not in a file; copied
   * @return this
   */
  @OptionSpec("tokens that are not in a file")
  public GatewayOptions setToken(TokenOptions token) {
    this.token = new TokenOptions(token);
    return this;
  }

  /** {@return the largest WebSocket frame and message, in bytes} */
  public int getMaxFrameBytes() {
    return maxFrameBytes;
  }

  /**
   * @param bytes the largest WebSocket frame and message, in bytes
   * @return this
   */
  @OptionSpec(
      value = "largest WebSocket frame and message, in bytes",
      min = "1024",
      max = "1073741824")
  public GatewayOptions setMaxFrameBytes(int bytes) {
    maxFrameBytes = OptionRanges.check(this, "maxFrameBytes", bytes);
    return this;
  }

  /** {@return how many connections are served at once} */
  public int getMaxConnections() {
    return maxConnections;
  }

  /**
   * @param connections how many connections are served at once; further ones are refused
   * @return this
   */
  @OptionSpec(value = "connections at once; else 503", min = "1")
  public GatewayOptions setMaxConnections(int connections) {
    maxConnections = OptionRanges.check(this, "maxConnections", connections);
    return this;
  }

  /** {@return the certificate and key} */
  public TlsOptions getTls() {
    return tls;
  }

  /**
   * @param tls the certificate and key; copied
   * @return this
   */
  @OptionSpec("certificate and key")
  public GatewayOptions setTls(TlsOptions tls) {
    this.tls = new TlsOptions(tls);
    return this;
  }

  /** {@return the most bytes of a compressed body, decoded} */
  public long getMaxDecodedBytes() {
    return maxDecodedBytes;
  }

  /**
   * @param bytes the most bytes of a compressed body, decoded; a larger one is refused there
   * @return this
   */
  @OptionSpec(value = "bytes of a compressed body at most, decoded", min = "1")
  public GatewayOptions setMaxDecodedBytes(long bytes) {
    maxDecodedBytes = OptionRanges.check(this, "maxDecodedBytes", bytes);
    return this;
  }

  /** {@return how many times as large a compressed body may become} */
  public int getMaxDecodedRatio() {
    return maxDecodedRatio;
  }

  /**
   * @param ratio how many times as large a compressed body may become, beyond its first MiB
   * @return this
   */
  @OptionSpec(
      value = "how many times as large a compressed body may become, beyond the first MiB",
      min = "1")
  public GatewayOptions setMaxDecodedRatio(int ratio) {
    maxDecodedRatio = OptionRanges.check(this, "maxDecodedRatio", ratio);
    return this;
  }

  /** {@return whether HTTP/2 is spoken without TLS} */
  public boolean isHttp2ClearText() {
    return http2ClearText;
  }

  /**
   * @param on whether HTTP/2 with prior knowledge is spoken without TLS. Then a connection counts
   *     from its first byte on, so a client that sends nothing is not in {@code maxConnections}
   * @return this
   */
  @OptionSpec(
      "whether HTTP/2 is spoken without TLS, too; then a connection counts from its first byte on")
  public GatewayOptions setHttp2ClearText(boolean on) {
    http2ClearText = on;
    return this;
  }

  /** {@return whether answers are compressed for clients that ask for it} */
  public boolean isCompression() {
    return compression;
  }

  /**
   * @param on whether answers are compressed (gzip, zstd) for clients that ask for it
   * @return this
   */
  @OptionSpec("compress answers (gzip, zstd) for clients that ask for it")
  public GatewayOptions setCompression(boolean on) {
    compression = on;
    return this;
  }

  /** {@return the longest request line, in bytes} */
  public int getMaxUriBytes() {
    return maxUriBytes;
  }

  /**
   * @param n the longest request line, in bytes
   * @return this
   */
  @OptionSpec(value = "longest request line, in bytes; else 414", min = "1024", max = "1048576")
  public GatewayOptions setMaxUriBytes(int n) {
    maxUriBytes = OptionRanges.check(this, "maxUriBytes", n);
    return this;
  }

  /** {@return the size of all headers of a request, in bytes} */
  public int getMaxHeaderBytes() {
    return maxHeaderBytes;
  }

  /**
   * @param n the size of all headers of a request, in bytes
   * @return this
   */
  @OptionSpec(value = "headers of a request, in bytes; else 431", min = "1024", max = "1048576")
  public GatewayOptions setMaxHeaderBytes(int n) {
    maxHeaderBytes = OptionRanges.check(this, "maxHeaderBytes", n);
    return this;
  }

  /** {@return how many connections one address may have at once} */
  public int getMaxConnectionsPerClient() {
    return maxConnectionsPerClient;
  }

  /**
   * @param n how many connections one address may have at once; 0 for no limit
   * @return this
   */
  @OptionSpec(value = "connections of one address at once, 0: no limit; else 503", min = "0")
  public GatewayOptions setMaxConnectionsPerClient(int n) {
    maxConnectionsPerClient = OptionRanges.check(this, "maxConnectionsPerClient", n);
    return this;
  }

  /** {@return how many events one address may send in a second} */
  public int getMaxEventsPerSecondPerClient() {
    return maxEventsPerSecondPerClient;
  }

  /**
   * @param n how many events one address may send in a second; 0 for no limit
   * @return this
   */
  @OptionSpec(value = "events of one address in a second, 0: no limit; else 429", min = "0")
  public GatewayOptions setMaxEventsPerSecondPerClient(int n) {
    maxEventsPerSecondPerClient = OptionRanges.check(this, "maxEventsPerSecondPerClient", n);
    return this;
  }

  /** {@return after how long without a byte a connection is closed} */
  public Duration getIdleTimeout() {
    return idleTimeout;
  }

  /**
   * @param time after how long without a byte a connection is closed
   * @return this
   */
  @OptionSpec(
      value =
          "silence after which a connection is closed; also the longest time from a connection"
              + " to its request",
      min = "1s",
      max = "1d")
  public GatewayOptions setIdleTimeout(Duration time) {
    idleTimeout = OptionRanges.check(this, "idleTimeout", time);
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
   *     answered with 429, below {@code idleTimeout}
   * @return this
   */
  @OptionSpec(
      value = "how long an upload waits for room before 429",
      min = "0s",
      max = "1h",
      allowed = "below `idleTimeout`")
  public GatewayOptions setBackpressureTimeout(Duration time) {
    backpressureTimeout = OptionRanges.check(this, "backpressureTimeout", time);
    return this;
  }

  /**
   * @return the origins of pages of other sites that may use the server, separated by commas; null
   *     for none
   */
  public @Nullable String getAllowedOrigins() {
    return allowedOrigins;
  }

  /**
   * @param value origins of pages of other sites that may use the server, such as {@code
   *     https://app.example}, separated by commas, {@code null} for pages in files; null for none
   * @return this
   */
  @OptionSpec(
      value = "pages of other sites that may use the server",
      pattern = ORIGIN + "(," + ORIGIN + ")*",
      allowed = "origins such as `https://app.example:8443`, or `null`, separated by commas")
  public GatewayOptions setAllowedOrigins(@Nullable String value) {
    allowedOrigins = value == null ? null : OptionRanges.check(this, "allowedOrigins", value);
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
   *     wait for room, of all connections together
   * @return this
   */
  @OptionSpec(
      value =
          "bodies and messages that are incomplete or wait for room, of all connections"
              + " together, in bytes; else 503 or 1013",
      min = "262144",
      unset = "a quarter of the heap")
  public GatewayOptions setMaxPartialBytes(long value) {
    maxPartialBytes = OptionRanges.check(this, "maxPartialBytes", value);
    return this;
  }

  /**
   * @return how many events a WebSocket message may have; those beyond are refused and counted
   */
  public int getMaxEventsPerMessage() {
    return maxEventsPerMessage;
  }

  /**
   * @param value how many events a WebSocket message may have; those beyond are refused and counted
   * @return this
   */
  @OptionSpec(value = "events in a WebSocket message; the rest is refused as `too_many`", min = "1")
  public GatewayOptions setMaxEventsPerMessage(int value) {
    maxEventsPerMessage = OptionRanges.check(this, "maxEventsPerMessage", value);
    return this;
  }

  /** {@return the proxies whose word about their clients counts; null for none} */
  public @Nullable String getTrustedProxies() {
    return trustedProxies;
  }

  /**
   * @param value addresses and networks of proxies, separated by commas. Their headers {@code
   *     Forwarded} and {@code X-Forwarded-*} say who sent a request, by which scheme and to which
   *     host. Null for none
   * @return this
   */
  @OptionSpec(
      value =
          "proxies whose headers `Forwarded` or `X-Forwarded-For`, `-Proto` and `-Host` say who"
              + " sent a request, and where",
      min = "1",
      allowed = "addresses and networks, such as `127.0.0.1, 10.0.0.0/8`")
  public GatewayOptions setTrustedProxies(@Nullable String value) {
    trustedProxies = value == null ? null : OptionRanges.check(this, "trustedProxies", value);
    return this;
  }

  /** {@return the secret with which webhooks are signed; null for none} */
  public @Nullable String getWebhookSecret() {
    return webhookSecret;
  }

  /**
   * @param secret with which senders sign the bodies of single events, by HMAC with SHA-256. A
   *     signed request needs no token, and one without a signature needs one. Null for none
   * @return this
   */
  @OptionSpec(
      value =
          "the secret with which webhooks are signed (HMAC with SHA-256); events then need a"
              + " signature or a token",
      min = "1",
      allowed = "a text",
      secret = true)
  public GatewayOptions setWebhookSecret(@Nullable String secret) {
    webhookSecret = secret == null ? null : OptionRanges.check(this, "webhookSecret", secret);
    return this;
  }

  /** {@return the header with the signature of a webhook} */
  public String getWebhookHeader() {
    return webhookHeader;
  }

  /**
   * @param name the header with the signature of a webhook, in hexadecimal or Base64
   * @return this
   */
  @OptionSpec(
      value = "the header with the signature of a webhook",
      pattern = "[\\w!#$%&'*+.^`|~-]+",
      allowed = "the name of a header")
  public GatewayOptions setWebhookHeader(String name) {
    webhookHeader = OptionRanges.check(this, "webhookHeader", name);
    return this;
  }

  /** {@return the longest key of an event, in bytes of UTF-8} */
  public int getMaxKeyBytes() {
    return maxKeyBytes;
  }

  /**
   * @param value the longest key of an event, in bytes of UTF-8
   * @return this
   */
  @OptionSpec(
      value = "longest key of an event, in bytes of UTF-8; an event with a longer key is invalid",
      min = "1",
      max = "1048576")
  public GatewayOptions setMaxKeyBytes(int value) {
    maxKeyBytes = OptionRanges.check(this, "maxKeyBytes", value);
    return this;
  }

  /** {@return how many bytes of events one address may send in a second} */
  public long getMaxBytesPerSecondPerClient() {
    return maxBytesPerSecondPerClient;
  }

  /**
   * @param value how many bytes of events one address may send in a second; 0 for no limit
   * @return this
   */
  @OptionSpec(
      value = "bytes of events of one address in a second, 0: no limit; else 429",
      min = "0")
  public GatewayOptions setMaxBytesPerSecondPerClient(long value) {
    maxBytesPerSecondPerClient = OptionRanges.check(this, "maxBytesPerSecondPerClient", value);
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
   *     once it has begun
   * @return this
   */
  @OptionSpec(
      value =
          "how long the body of one event, a line of NDJSON or a WebSocket message may take from"
              + " its first byte; else 408 or 1008",
      min = "1s",
      max = "1d")
  public GatewayOptions setBodyTimeout(Duration value) {
    bodyTimeout = OptionRanges.check(this, "bodyTimeout", value);
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
   *     answered with 504, below {@code idleTimeout}
   * @return this
   */
  @OptionSpec(
      value = "how long a request with `ack=delivered` waits for the sink before 504",
      min = "1s",
      max = "1d",
      allowed = "below `idleTimeout`")
  public GatewayOptions setAckTimeout(Duration value) {
    ackTimeout = OptionRanges.check(this, "ackTimeout", value);
    return this;
  }

  /** {@return the request headers that travel with events} */
  public String getKeepHeaders() {
    return keepHeaders;
  }

  /**
   * @param names the request headers that travel with the events of the request, separated by
   *     commas. A name can end with {@code *}: all headers that begin so. Headers with secrets,
   *     such as {@code Authorization}, are refused. Empty for none
   * @return this
   */
  @OptionSpec(
      value = "request headers that travel with the events; empty: none",
      pattern = "(" + HEADER + "(," + HEADER + ")*)?",
      allowed =
          "names separated by commas, with `*` for any end; not `authorization`, `cookie` and"
              + " `proxy-authorization`")
  public GatewayOptions setKeepHeaders(String names) {
    String checked = OptionRanges.check(this, "keepHeaders", names);
    new KeptHeaders(checked).refuseSecrets();
    keepHeaders = checked;
    return this;
  }

  /** {@return all options as JSON} */
  public JsonObject toJson() {
    return OptionsJson.write(this);
  }
}
