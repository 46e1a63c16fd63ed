package io.shardbus.gateway;

import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.io.InputStream;
import java.util.HexFormat;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * The page at {@code /}. It contains no secrets: it loads everything that it shows, with the token
 * of its user.
 */
final class Console {

  private static final String PAGE = "io/shardbus/gateway/console/";
  private static final String CHARTS = "META-INF/resources/webjars/chart.js/4.5.1/dist/";
  private static final String CHARTS_FILE = "chart.umd.min.js";

  private static final Map<String, String> MEDIA =
      Map.of(
          "html", "text/html; charset=utf-8",
          "css", "text/css; charset=utf-8",
          "js", "text/javascript; charset=utf-8",
          "svg", "image/svg+xml");

  private final Vertx vertx;
  private final Pages pages;
  private final Map<String, Part> parts = new ConcurrentHashMap<>();

  /**
   * A file.
   *
   * @param tag of its content, however it is encoded
   */
  private record Part(Buffer bytes, String tag) {}

  Console(Vertx vertx, Pages pages) {
    this.vertx = vertx;
    this.pages = pages;
  }

  void mount(Routes routes) {
    routes
        .open("/console/lib/" + CHARTS_FILE)
        .handler(context -> send(context, CHARTS, CHARTS_FILE));
    routes
        .open("/console/:file")
        .handler(context -> send(context, PAGE, context.pathParam("file")));
    routes.open("/").handler(context -> send(context, PAGE, "index.html"));
  }

  private void send(RoutingContext context, String folder, String file) {
    String media = MEDIA.get(file.substring(file.lastIndexOf('.') + 1));
    if (media == null || !file.matches("\\w[\\w.-]*")) {
      context.next();
      return;
    }
    vertx
        .executeBlocking(() -> parts.computeIfAbsent(folder + file, Console::read), false)
        .onSuccess(part -> send(context, media, part))
        .onFailure(context::fail);
  }

  private void send(RoutingContext context, String media, @Nullable Part part) {
    if (part == null) {
      context.next();
      return;
    }
    // Another version of the server has other parts, which must not be mixed with these.
    context
        .response()
        .putHeader(HttpHeaders.CACHE_CONTROL, "no-cache")
        .putHeader(HttpHeaders.ETAG, part.tag());
    String known = context.request().getHeader(HttpHeaders.IF_NONE_MATCH);
    if (known != null && known.contains(part.tag())) {
      context.response().setStatusCode(304).end();
    } else {
      pages.send(context, media, part.bytes());
    }
  }

  private static @Nullable Part read(String path) {
    try (InputStream in = Console.class.getClassLoader().getResourceAsStream(path)) {
      if (in == null) {
        return null;
      }
      Buffer bytes = Buffer.buffer(in.readAllBytes());
      byte[] hash = Sha256.of(bytes.toString());
      return new Part(bytes, "W/\"" + HexFormat.of().formatHex(hash, 0, 8) + '"');
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }
}
