package io.shardbus.gateway;

import io.netty.util.NetUtil;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.net.HostAndPort;
import java.net.URI;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/*
 * Tells requests of this server's own pages, and of programs, from requests of pages of other sites.
 *
 * A site can let its name lead to the loopback, and its pages then have the same origin as this server. So a server
 * without tokens answers only to names that mean this machine everywhere.
 */
final class Origins {

  static final String REFUSAL =
      "requests from pages of other sites are refused, except from gateway.allowedOrigins";

  static final String UNKNOWN_NAME =
      "without tokens this server answers only to localhost and loopback addresses; other names"
          + " must be in gateway.allowedOrigins";

  private static final Pattern ORIGIN = Pattern.compile("https?://[^\\s/?#@,*]+");

  /** The origin that browsers send for pages without a site, such as files. */
  private static final String NO_SITE = "null";

  private final Set<String> allowed;
  private final boolean anyName;

  /**
   * @param anyName whether every name of the server is accepted
   */
  Origins(GatewayOptions options, boolean anyName) {
    allowed = parse(options.getAllowedOrigins());
    this.anyName = anyName;
  }

  /** Throws {@link IllegalArgumentException} for what is none. */
  static Set<String> parse(@Nullable String list) {
    Set<String> origins = new TreeSet<>();
    if (list != null) {
      for (String each : list.split(",", -1)) {
        String origin = each.strip().toLowerCase(Locale.ROOT);
        if (!origin.equals(NO_SITE) && !ORIGIN.matcher(origin).matches()) {
          throw new IllegalArgumentException(
              "allowedOrigins: \""
                  + each.strip()
                  + "\" must be an origin such as https://app.example:8443, or null");
        }
        origins.add(origin);
      }
    }
    return origins;
  }

  /**
   * Whether a request uses a name of the server that must not be trusted. A program may send no
   * name.
   */
  boolean misnamed(HttpServerRequest request) {
    HostAndPort name = request.authority();
    return !anyName
        && name != null
        && !isLoopback(name.host().toLowerCase(Locale.ROOT))
        && !allowed.contains("http://" + name)
        && !allowed.contains("https://" + name);
  }

  private static boolean isLoopback(String host) {
    // Only literal addresses, which cannot lead elsewhere.
    return host.equals("localhost")
        || host.equals("[::1]")
        || (host.startsWith("127.") && NetUtil.isValidIpV4Address(host));
  }

  /** Whether a browser says that a page of another site is behind the request. */
  boolean foreign(HttpServerRequest request) {
    String origin = request.getHeader(HttpHeaders.ORIGIN);
    if (origin == null || allowed.contains(origin)) {
      return false;
    }
    HostAndPort authority = request.authority();
    try {
      return authority == null
          || !String.valueOf(URI.create(origin).getAuthority()).equals(authority.toString());
    } catch (IllegalArgumentException e) {
      return true;
    }
  }

  /** Tells the browser that an allowed page may read the answer. */
  void permit(HttpServerRequest request) {
    String origin = request.getHeader(HttpHeaders.ORIGIN);
    if (origin != null && allowed.contains(origin)) {
      request
          .response()
          .putHeader(HttpHeaders.ACCESS_CONTROL_ALLOW_ORIGIN, origin)
          .putHeader(HttpHeaders.VARY, "Origin");
    }
  }

  /** Whether a browser asks beforehand what a page may do. */
  static boolean asksFirst(HttpServerRequest request) {
    return request.method().equals(HttpMethod.OPTIONS)
        && request.headers().contains(HttpHeaders.ORIGIN)
        && request.headers().contains(HttpHeaders.ACCESS_CONTROL_REQUEST_METHOD);
  }

  static void answer(HttpServerResponse response) {
    response
        .setStatusCode(204)
        .putHeader(HttpHeaders.ACCESS_CONTROL_ALLOW_METHODS, "GET, POST, PATCH, DELETE")
        .putHeader(
            HttpHeaders.ACCESS_CONTROL_ALLOW_HEADERS, "authorization, content-type, last-event-id")
        .putHeader(HttpHeaders.ACCESS_CONTROL_MAX_AGE, "600")
        .end();
  }
}
