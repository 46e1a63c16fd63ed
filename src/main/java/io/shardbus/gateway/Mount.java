package io.shardbus.gateway;

import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import io.vertx.ext.web.Route;
import io.vertx.ext.web.Router;
import io.vertx.ext.web.RoutingContext;
import java.util.concurrent.atomic.AtomicReference;

/** The routes of a gateway under a path of the application. */
final class Mount {

  private static final Logger LOG = LoggerFactory.getLogger(Mount.class);

  private static final String OTHER_LOOP =
      "the gateway was mounted for another event loop: mount one in each verticle instance that"
          + " serves requests, on a router of its own";

  private Mount() {}

  /** Throws {@link IllegalArgumentException} if an option is set that is the application's. */
  static void check(GatewayOptions options) {
    refuse("host", !options.getHost().equals(GatewayOptions.DEFAULT_HOST));
    refuse("port", options.getPort() != GatewayOptions.DEFAULT_PORT);
    refuse("eventLoops", options.getEventLoops() != GatewayOptions.DEFAULT_EVENT_LOOPS);
    refuse("insecure", options.isInsecure());
    refuse("tokensFile", options.getTokensFile() != null);
    TokenOptions token = options.getToken();
    refuse(
        "token", token.getIngest() != null || token.getRead() != null || token.getAdmin() != null);
    refuse("tls", options.getTls().getCertificate() != null || options.getTls().getKey() != null);
    refuse("http2ClearText", options.isHttp2ClearText());
    refuse("compression", options.isCompression() != GatewayOptions.DEFAULT_COMPRESSION);
    refuse("maxUriBytes", options.getMaxUriBytes() != GatewayOptions.DEFAULT_MAX_URI_BYTES);
    refuse(
        "maxHeaderBytes", options.getMaxHeaderBytes() != GatewayOptions.DEFAULT_MAX_HEADER_BYTES);
    refuse("maxConnections", options.getMaxConnections() != GatewayOptions.DEFAULT_MAX_CONNECTIONS);
    refuse("maxConnectionsPerClient", options.getMaxConnectionsPerClient() != 0);
  }

  private static void refuse(String name, boolean set) {
    if (set) {
      throw new IllegalArgumentException(
          name
              + ": does not apply to a mounted gateway: the server, and the access to it, are the"
              + " application's");
    }
  }

  /**
   * Adds the routes.
   *
   * @return removes them
   */
  static Runnable on(Router router, Router routes) {
    AtomicReference<Thread> loop = new AtomicReference<>();
    Route check = router.route("/*").handler(context -> check(context, loop));
    Route mounted = router.route("/*").subRouter(routes);
    return () -> {
      check.remove();
      mounted.remove();
    };
  }

  private static void check(RoutingContext context, AtomicReference<Thread> loop) {
    Thread mine = Thread.currentThread();
    if (!loop.compareAndSet(null, mine) && loop.get() != mine) {
      LOG.error(OTHER_LOOP);
      Problem.send(context.response(), 500, OTHER_LOOP);
    } else if (Routes.path(context).isEmpty()) {
      // The console loads what is beside it, so its own path must end with a slash.
      String path = context.request().path();
      context.redirect(path.substring(path.lastIndexOf('/') + 1) + "/");
    } else {
      context.next();
    }
  }
}
