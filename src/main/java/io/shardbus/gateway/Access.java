package io.shardbus.gateway;

import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import java.util.EnumSet;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Decides who may ask for what. What is not listed here needs the role admin, so that a route that
 * was forgotten is closed.
 */
final class Access {

  /** What a subprotocol entry begins with that carries the token of a browser's WebSocket. */
  static final String BEARER_SUBPROTOCOL = "bearer.";

  private static final String BEARER = "bearer ";
  private static final String GRANT = "shardbus.grant";

  /** These tell of the server's health and form, not of its events. */
  private static final Set<String> PUBLIC =
      Set.of("/", "/health/live", "/health/ready", "/openapi.json");

  private static final Set<Role> WATCHERS = EnumSet.of(Role.READ, Role.ADMIN);

  private static final Map<String, Set<Role>> NEEDED =
      Map.of(
          "POST /v1/events", EnumSet.of(Role.INGEST),
          "GET /v1/ingest", EnumSet.of(Role.INGEST),
          "GET /v1/events", EnumSet.of(Role.READ),
          "GET /v1/tail", EnumSet.of(Role.READ),
          "GET /v1/dead-letters", EnumSet.of(Role.READ),
          "GET /v1/stats", WATCHERS,
          "GET /v1/shards", WATCHERS,
          "GET /metrics", WATCHERS);

  private final TokenStore store;

  Access(TokenStore store) {
    this.store = store;
  }

  void check(RoutingContext context) {
    HttpServerRequest request = context.request();
    String path = context.normalizedPath();
    if (store.open() || isPublic(request.method(), path)) {
      context.next();
      return;
    }
    String token = token(request);
    Tokens known = store.tokens();
    Set<Role> roles = token == null ? null : known.roles(token);
    HttpMethod method = Gateway.reads(request.method()) ? HttpMethod.GET : request.method();
    Set<Role> needed = NEEDED.getOrDefault(method + " " + path, EnumSet.of(Role.ADMIN));
    if (token == null || roles == null) {
      unknown(request, token);
    } else if (roles.stream().noneMatch(needed::contains)) {
      forbidden(request, needed);
    } else {
      context.put(GRANT, new Grant(token, needed, known));
      context.next();
    }
  }

  /** Tells whether who asked still may: a token can be taken away while what it opened lasts. */
  static BooleanSupplier grant(RoutingContext context) {
    Grant grant = context.get(GRANT);
    return grant == null ? () -> true : grant;
  }

  private final class Grant implements BooleanSupplier {

    private final String token;
    private final Set<Role> needed;
    private volatile Tokens seen;

    Grant(String token, Set<Role> needed, Tokens seen) {
      this.token = token;
      this.needed = needed;
      this.seen = seen;
    }

    @Override
    public boolean getAsBoolean() {
      Tokens now = store.tokens();
      if (now != seen) {
        Set<Role> roles = now.roles(token);
        if (roles == null || roles.stream().noneMatch(needed::contains)) {
          return false;
        }
        seen = now;
      }
      return true;
    }
  }

  private static boolean isPublic(HttpMethod method, String path) {
    return Gateway.reads(method) && (PUBLIC.contains(path) || path.startsWith(Console.FILES));
  }

  /** Of the header, or of the subprotocols, as browsers cannot set headers of a WebSocket. */
  private static @Nullable String token(HttpServerRequest request) {
    String header = request.getHeader(HttpHeaders.AUTHORIZATION);
    if (header != null) {
      return header.toLowerCase(Locale.ROOT).startsWith(BEARER)
          ? header.substring(BEARER.length()).strip()
          : null;
    }
    for (String line : request.headers().getAll("Sec-WebSocket-Protocol")) {
      for (String entry : line.split(",", -1)) {
        if (entry.strip().startsWith(BEARER_SUBPROTOCOL)) {
          return entry.strip().substring(BEARER_SUBPROTOCOL.length());
        }
      }
    }
    return null;
  }

  private static void unknown(HttpServerRequest request, @Nullable String token) {
    request
        .response()
        .putHeader(
            "WWW-Authenticate",
            token == null ? "Bearer realm=\"shardbus\"" : "Bearer error=\"invalid_token\"");
    Problem.refuse(
        request,
        401,
        token == null
            ? "a token is needed: send the header Authorization: Bearer TOKEN"
            : "the token is not known");
  }

  private static void forbidden(HttpServerRequest request, Set<Role> needed) {
    String names = needed.stream().map(Role::text).collect(Collectors.joining(" or "));
    request
        .response()
        .putHeader(
            "WWW-Authenticate",
            "Bearer error=\"insufficient_scope\", scope=\"" + names.replace(" or ", " ") + "\"");
    Problem.refuse(request, 403, "the token must have the role " + names);
  }
}
