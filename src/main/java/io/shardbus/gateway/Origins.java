package io.shardbus.gateway;

import io.netty.util.NetUtil;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.HostAndPort;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.CorsHandler;
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

  /** What clients send: a browser refuses a request with any other header. */
  private static final Set<String> ALLOWED_HEADERS =
      Set.of(
          "authorization",
          "content-type",
          "idempotency-key",
          "last-event-id",
          "traceparent",
          "tracestate",
          "ce-specversion",
          "ce-id",
          "ce-source",
          "ce-type",
          "ce-subject",
          "ce-time",
          "ce-dataschema",
          "ce-partitionkey");

  private final Set<String> allowed;
  private final boolean anyName;
  private final CorsHandler cors;

  /**
   * @param anyName whether every name of the server is accepted
   */
  Origins(GatewayOptions options, boolean anyName) {
    allowed = split(options.getAllowedOrigins());
    this.anyName = anyName;
    cors = cors(allowed);
  }

  private static Set<String> split(@Nullable String list) {
    Set<String> origins = new TreeSet<>();
    if (list != null) {
      for (String each : list.split(",", -1)) {
        origins.add(each.strip().toLowerCase(Locale.ROOT));
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

  /** Tells browsers what the allowed pages may do. */
  void handle(RoutingContext context) {
    String origin = context.request().getHeader(HttpHeaders.ORIGIN);
    if (origin != null && allowed.contains(origin)) {
      cors.handle(context); // also answers what a browser asks beforehand
    } else {
      context.next();
    }
  }

  private static CorsHandler cors(Set<String> origins) {
    return CorsHandler.create()
        .addOriginsWithRegex(origins.stream().map(Pattern::quote).toList()) // "null" is no URL
        .allowedMethod(HttpMethod.GET)
        .allowedMethod(HttpMethod.POST)
        .allowedMethod(HttpMethod.PATCH)
        .allowedMethod(HttpMethod.DELETE)
        .allowedHeaders(ALLOWED_HEADERS)
        .exposedHeader(EventReads.CURSOR)
        .exposedHeader(EventReads.MORE)
        .maxAgeSeconds(600);
  }
}
