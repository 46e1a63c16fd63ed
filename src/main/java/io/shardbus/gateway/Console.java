package io.shardbus.gateway;

import io.vertx.ext.web.handler.StaticHandler;

/** The page at {@code /}. It holds nothing that only some may see: what it shows it asks for. */
final class Console {

  /** What the path of all that the page loads begins with. */
  private static final String FILES = "/console/";

  private static final String PAGE = "io/shardbus/gateway/console";
  private static final String CHARTS = "META-INF/resources/webjars/chart.js/4.5.1/dist";

  private Console() {}

  static void mount(Routes routes) {
    routes.open(FILES + "lib/*").handler(StaticHandler.create(CHARTS));
    routes.open(FILES + "*").handler(StaticHandler.create(PAGE));
    routes.open("/").handler(context -> context.reroute(FILES + "index.html"));
  }
}
