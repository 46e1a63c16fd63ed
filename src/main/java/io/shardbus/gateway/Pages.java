package io.shardbus.gateway;

import io.shardbus.event.Outcome;
import io.shardbus.net.Budget;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.json.JsonObject;

/**
 * Sends pages, as long as not too many bytes wait for clients to take them. Safe for any thread.
 */
final class Pages {

  static final String JSON = MediaTypes.JSON;

  /** For pages that clients have not taken yet: an eighth of the heap, and not too little. */
  private static final long MAX_UNTAKEN_BYTES =
      Math.max(Runtime.getRuntime().maxMemory() / 8, 32 << 20);

  private final Budget untaken = new Budget(() -> MAX_UNTAKEN_BYTES);

  /** A page larger than this limit goes alone. */
  void send(HttpServerResponse response, String media, Buffer page) {
    if (response.closed()) {
      return;
    }
    Budget.Share share = untaken.share();
    if (share.resize(Math.min(page.length(), MAX_UNTAKEN_BYTES))) {
      response
          .putHeader(HttpHeaders.CONTENT_TYPE, media)
          .end(page)
          .onComplete(taken -> share.free());
    } else {
      Problem.send(
          response,
          Outcome.NO_MEMORY,
          "clients have not taken "
              + untaken.used()
              + " bytes of pages yet: ask again, or for less",
          new JsonObject());
    }
  }
}
