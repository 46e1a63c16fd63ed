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
 * Tells requests of this server's own pages, and of programs, from those of other sites' pages.
 *
 * Where no token is asked for, a page must not get here by a name of its own either: a site can have its name lead to
 * the loopback, and its pages are of the same origin then. So only names that mean this machine everywhere are served.
 */
final class Origins {

  static final String REFUSAL =
      "requests from pages of other sites are refused, except those of gateway.allowedOrigins";

  static final String UNKNOWN_NAME =
      "without tokens this server is only known as localhost and by loopback addresses; other names"
          + " must be in gateway.allowedOrigins";

  private final Set<String> allowed;
  private final boolean anyName;
  private final CorsHandler cors;

  /**
   * @param anyName whether the name by which the server is asked does not matter
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

  /** Whether the server is asked by a name that must not be trusted. A program may leave it out. */
  boolean misnamed(HttpServerRequest request) {
    HostAndPort name = request.authority();
    return !anyName
        && name != null
        && !isLoopback(name.host().toLowerCase(Locale.ROOT))
        && !allowed.contains("http://" + name)
        && !allowed.contains("https://" + name);
  }

  private static boolean isLoopback(String host) {
    // Of addresses only literals, which nobody can have lead elsewhere.
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

  /** Tells browsers what the pages that are allowed may do. */
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
        .allowedHeader("authorization")
        .allowedHeader("content-type")
        .allowedHeader("last-event-id")
        .maxAgeSeconds(600);
  }
}
