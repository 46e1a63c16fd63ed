package io.shardbus.gateway;

import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import io.vertx.ext.web.handler.SecurityPolicyHandler;
import java.util.Locale;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * Checks the token of a request, and lets it pass if the token has one of the roles of the route.
 */
final class Access {

  /** The prefix of the subprotocol with which a browser sends the token of a WebSocket. */
  static final String BEARER_SUBPROTOCOL = "bearer.";

  private static final String BEARER = "bearer ";
  private static final String GRANT = "shardbus.grant";

  private static final String SIGNATURE = "shardbus.signature";

  private final TokenStore store;
  private final Webhooks webhooks;

  Access(TokenStore store, Webhooks webhooks) {
    this.store = store;
    this.webhooks = webhooks;
  }

  /**
   * The first handler of a route that takes signed bodies, too. The route has to check the
   * signature.
   */
  SecurityPolicyHandler onlyOrSigned(Set<Role> needed) {
    return context -> {
      Webhooks.Signature signature = webhooks.signature(context.request());
      if (signature != null) {
        context.put(SIGNATURE, signature);
        context.next();
      } else if (webhooks.on() && store.open()) {
        Problem.refuse(
            context.request(), 401, "a signature is needed: the header " + webhooks.header());
      } else if (allows(context, needed)) {
        context.next();
      }
    };
  }

  /** What is to be checked when the body is there; null for nothing. */
  static Webhooks.@Nullable Signature signature(RoutingContext context) {
    return context.get(SIGNATURE);
  }

  static void badSignature(HttpServerRequest request) {
    Problem.send(request.response(), 401, "the signature is not that of this body");
  }

  /** The first handler of a route that only some roles may use. */
  SecurityPolicyHandler only(Set<Role> needed) {
    return context -> {
      if (allows(context, needed)) {
        context.next();
      }
    };
  }

  /** Whether the request may go on; if not, it is answered. */
  boolean allows(RoutingContext context, Set<Role> needed) {
    if (store.open()) {
      return true;
    }
    HttpServerRequest request = context.request();
    String token = token(request);
    Tokens known = store.tokens();
    Set<Role> roles = token == null ? null : known.roles(token);
    if (token == null || roles == null) {
      unknown(request, token);
      return false;
    }
    if (roles.stream().noneMatch(needed::contains)) {
      forbidden(request, needed);
      return false;
    }
    context.put(GRANT, new Grant(token, needed, known));
    return true;
  }

  /**
   * Whether the sender of a request still has access. A token can be taken away while a connection
   * that it opened lasts.
   */
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

  /**
   * The token of the header, or of the subprotocols, because browsers cannot set headers of a
   * WebSocket.
   */
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
