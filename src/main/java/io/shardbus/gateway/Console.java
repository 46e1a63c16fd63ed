package io.shardbus.gateway;

import io.vertx.ext.web.handler.StaticHandler;

/**
 * The page at {@code /}. It contains no secrets: it loads everything that it shows, with the token
 * of its user.
 */
final class Console {

  /** The prefix of the paths of everything that the page loads. */
  private static final String FILES = "/console/";

  private static final String PAGE = "io/shardbus/gateway/console";
  private static final String CHARTS = "META-INF/resources/webjars/chart.js/4.5.1/dist";

  private Console() {}

  static void mount(Routes routes) {
    routes.open(FILES + "lib/*").handler(StaticHandler.create(CHARTS));
    routes.open(FILES + "*").handler(StaticHandler.create(PAGE));
    routes
        .open("/")
        .handler(context -> context.reroute(Routes.mountPoint(context) + FILES + "index.html"));
  }
}
