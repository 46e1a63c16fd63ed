package io.shardbus.gateway;

import io.vertx.ext.web.Router;
import io.vertx.ext.web.handler.StaticHandler;

/** The page at {@code /}. It holds nothing that only some may see: what it shows it asks for. */
final class Console {

  /** What the path of all that the page loads begins with. */
  static final String FILES = "/console/";

  private static final String PAGE = "io/shardbus/gateway/console";
  private static final String CHARTS = "META-INF/resources/webjars/chart.js/4.5.1/dist";

  private Console() {}

  static void mount(Router router) {
    router.get(FILES + "lib/*").handler(StaticHandler.create(CHARTS));
    router.get(FILES + "*").handler(StaticHandler.create(PAGE));
    router.get("/").handler(context -> context.reroute(FILES + "index.html"));
  }
}
