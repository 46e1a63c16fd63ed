package io.shardbus.sink.http;

import io.shardbus.options.OptionRanges;
import io.shardbus.options.OptionSpec;
import io.shardbus.options.OptionsCopy;
import io.shardbus.options.OptionsJson;
import io.shardbus.options.ServerAddress;
import io.shardbus.sink.support.TlsClientOptions;
import io.vertx.codegen.annotations.DataObject;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Where the http sink posts events, and how. */
@DataObject
public final class HttpSinkOptions {

  /** What a request carries. */
  public enum Body {
    /** A batch, one event a line. */
    ndjson,
    /** A batch, as a JSON array. */
    array,
    /** One event. */
    single
  }

  /** The default of {@code connections}. */
  public static final int DEFAULT_CONNECTIONS = 8;

  /** The default of {@code timeout}: 10 s. */
  public static final Duration DEFAULT_TIMEOUT = Duration.ofSeconds(10);

  static final String SINK_NAME = "http";

  /** The sink sets these itself. */
  private static final Set<String> OWN_HEADERS =
      Set.of("content-length", "content-type", "host", "idempotency-key", "transfer-encoding");

  private String url = "";
  private Body body = Body.ndjson;
  private boolean envelope;
  private @Nullable String user;
  private @Nullable String password;
  private @Nullable String token;
  private JsonObject headers = new JsonObject();
  private int connections = DEFAULT_CONNECTIONS;
  private Duration timeout = DEFAULT_TIMEOUT;
  private TlsClientOptions tls = new TlsClientOptions();

  /** The defaults; a URL is required besides. */
  public HttpSinkOptions() {}

  /**
   * @param other the options to copy
   */
  public HttpSinkOptions(HttpSinkOptions other) {
    OptionsCopy.copy(other, this);
  }

  /**
   * @param json any of the options by name
   * @throws IllegalArgumentException naming an unknown or bad option
   */
  public HttpSinkOptions(JsonObject json) {
    OptionsJson.read(this, json);
  }

  /** {@return the URL; empty if none was given} */
  public String getUrl() {
    return url;
  }

  /**
   * @param target the URL: {@code http://host:port/path} or {@code https://host:port/path}
   * @return this
   */
  @OptionSpec(
      value = "the URL, `http://host:port/path` or `https://host:port/path`; required",
      unset = "none")
  public HttpSinkOptions setUrl(String target) {
    if (!target.isEmpty()
        && ServerAddress.parse(target, "http", "https")
            .filter(server -> server.userInfo() == null)
            .isEmpty()) {
      // not shown: it may hold a password
      throw new IllegalArgumentException(
          "url: must be like https://HOST:PORT/PATH; user and password are options of their own");
    }
    url = target;
    return this;
  }

  /** {@return what a request carries} */
  public Body getBody() {
    return body;
  }

  /**
   * @param what what a request carries
   * @return this
   */
  @OptionSpec("what a request carries: a batch as lines or as a JSON array, or one event")
  public HttpSinkOptions setBody(Body what) {
    body = what;
    return this;
  }

  /** {@return whether events are in envelopes} */
  public boolean isEnvelope() {
    return envelope;
  }

  /**
   * @param wrapped whether each event is in an envelope, a JSON object with its key, id, headers
   *     and the rest
   * @return this
   */
  @OptionSpec("whether each event is in an envelope with its key, id and headers")
  public HttpSinkOptions setEnvelope(boolean wrapped) {
    envelope = wrapped;
    return this;
  }

  /** {@return the user; null if there is none} */
  public @Nullable String getUser() {
    return user;
  }

  /**
   * @param account the user of basic authentication; null if there is none
   * @return this
   */
  @OptionSpec("the user, for basic authentication")
  public HttpSinkOptions setUser(@Nullable String account) {
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
  @OptionSpec(value = "password of the user; never logged", secret = true)
  public HttpSinkOptions setPassword(@Nullable String secret) {
    password = secret;
    return this;
  }

  /** {@return the bearer token; null if there is none} */
  public @Nullable String getToken() {
    return token;
  }

  /**
   * @param secret the bearer token, in place of a user; null if there is none
   * @return this
   */
  @OptionSpec(value = "a bearer token in place of a user; never logged", secret = true)
  public HttpSinkOptions setToken(@Nullable String secret) {
    token = secret;
    return this;
  }

  /** {@return further headers of each request} */
  public JsonObject getHeaders() {
    return headers;
  }

  /**
   * @param all further headers of each request, each a text
   * @return this
   */
  @OptionSpec("further headers of each request; their values are never logged")
  public HttpSinkOptions setHeaders(JsonObject all) {
    for (Map.Entry<String, Object> header : all) {
      String name = header.getKey();
      if (!name.matches("[A-Za-z0-9!#$%&'*+.^_`|~-]+")
          || OWN_HEADERS.contains(name.toLowerCase(Locale.ROOT))) {
        throw new IllegalArgumentException(
            "headers: \"" + name + "\" must be the name of a header that the sink does not set");
      }
      if (!(header.getValue() instanceof String text)
          || !text.chars().allMatch(c -> c >= ' ' && c < 0x7f)) {
        throw new IllegalArgumentException("headers: " + name + " must be printable ASCII");
      }
    }
    headers = all.copy();
    return this;
  }

  /** {@return how many connections are used at once} */
  public int getConnections() {
    return connections;
  }

  /**
   * @param count how many connections are used at once, each with one request under way
   * @return this
   */
  @OptionSpec(value = "connections used at once", min = "1", max = "256")
  public HttpSinkOptions setConnections(int count) {
    connections = OptionRanges.check(this, "connections", count);
    return this;
  }

  /** {@return how long the sink waits for an answer} */
  public Duration getTimeout() {
    return timeout;
  }

  /**
   * @param time how long the sink waits for an answer; best below half of {@code delivery.timeout}
   * @return this
   */
  @OptionSpec(value = "how long the sink waits for an answer", min = "10ms", max = "1d")
  public HttpSinkOptions setTimeout(Duration time) {
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
  public HttpSinkOptions setTls(TlsClientOptions options) {
    tls = new TlsClientOptions(options);
    return this;
  }

  /** {@return all options as JSON, the secrets among them} */
  public JsonObject toJson() {
    return OptionsJson.write(this);
  }

  void check() {
    if (url.isEmpty()) {
      throw new IllegalArgumentException("url: is required, such as https://HOST/PATH");
    }
    if (token != null && (user != null || password != null)) {
      throw new IllegalArgumentException("token: not allowed beside user and password");
    }
    tls.check();
  }
}
