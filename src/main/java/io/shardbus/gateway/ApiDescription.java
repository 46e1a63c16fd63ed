package io.shardbus.gateway;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;

/** {@code GET /openapi.json}. */
final class ApiDescription {

  private final Buffer json;

  /** Reads it; blocks. */
  ApiDescription() {
    try (InputStream in = ApiDescription.class.getResourceAsStream("openapi.json")) {
      if (in == null) {
        throw new IllegalStateException("openapi.json is not on the class path");
      }
      json = Buffer.buffer(in.readAllBytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  void send(RoutingContext context, Pages pages) {
    String path = Routes.mountPoint(context);
    Buffer mine = json;
    if (!path.isEmpty()) {
      JsonArray servers = new JsonArray().add(new JsonObject().put("url", path));
      mine = new JsonObject(json).put("servers", servers).toBuffer();
    }
    pages.send(context, MediaTypes.JSON, mine);
  }
}
