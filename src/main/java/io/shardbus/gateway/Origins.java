package io.shardbus.gateway;

import io.netty.util.NetUtil;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.net.HostAndPort;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.CorsHandler;
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
  private final Proxies proxies;
  private final CorsHandler cors;

  /**
   * @param anyName whether every name of the server is accepted
   */
  Origins(GatewayOptions options, boolean anyName) {
    allowed = split(options.getAllowedOrigins());
    this.anyName = anyName;
    proxies = new Proxies(options.getTrustedProxies());
    cors = cors(allowed);
  }

  private static Set<String> split(@Nullable String list) {
    Set<String> origins = new TreeSet<>();
    if (list != null) {
      for (String each : list.split(",", -1)) {
        origins.add(canonical(each.strip()));
      }
    }
    return origins;
  }

  /** As browsers write it: in lower case, without a default port. */
  private static String canonical(String origin) {
    String text = origin.toLowerCase(Locale.ROOT);
    String port = text.startsWith("https:") ? ":443" : ":80";
    return text.endsWith(port) ? text.substring(0, text.length() - port.length()) : text;
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
        && !allowed.contains(canonical("http://" + name))
        && !allowed.contains(canonical("https://" + name));
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
    if (origin == null || allowed.contains(canonical(origin))) {
      return false;
    }
    String own = proxies.origin(request);
    return own == null || !canonical(origin).equals(canonical(own));
  }

  /** Tells browsers what the allowed pages may do. */
  void handle(RoutingContext context) {
    String origin = context.request().getHeader(HttpHeaders.ORIGIN);
    if (origin != null && allowed.contains(canonical(origin))) {
      cors.handle(context); // also answers what a browser asks beforehand
    } else {
      context.next();
    }
  }

  private static CorsHandler cors(Set<String> origins) {
    return CorsHandler.create()
        // "null" is no URL. A default port is not said, but may be.
        .addOriginsWithRegex(
            origins.stream().map(each -> "(?i)" + Pattern.quote(each) + "(:80|:443)?").toList())
        .allowedMethod(HttpMethod.GET)
        .allowedMethod(HttpMethod.POST)
        .allowedMethod(HttpMethod.PATCH)
        .allowedMethod(HttpMethod.DELETE)
        .allowedHeaders(ALLOWED_HEADERS)
        .exposedHeaders(
            Set.of(EventReads.CURSOR, EventReads.MORE, EventReads.MISSED, "Retry-After"))
        .maxAgeSeconds(600);
  }
}
