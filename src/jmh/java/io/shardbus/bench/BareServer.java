package io.shardbus.bench;

import io.vertx.core.Vertx;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.json.JsonObject;

/** The least that a server of Vert.x does with an event by HTTP: it parses it and answers. */
final class BareServer {

  private static final String ANSWER = "{\"shard\":0,\"time\":\"2026-11-29T16:05:12.345678901Z\"}";

  private BareServer() {}

  /**
   * Serves until the process ends.
   *
   * @param arguments the port
   */
  public static void main(String[] arguments) {
    Vertx.vertx()
        .createHttpServer()
        .requestHandler(
            request ->
                request.bodyHandler(
                    body -> {
                      new JsonObject(body);
                      request
                          .response()
                          .setStatusCode(202)
                          .putHeader(HttpHeaders.CONTENT_TYPE, "application/json")
                          .end(ANSWER);
                    }))
        .listen(Integer.parseInt(arguments[0]), "127.0.0.1")
        .await();
  }
}
