package io.shardbus.gateway;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerResponse;

/**
 * Sends pages, as long as not too many bytes wait for clients to take them. Safe for any thread.
 */
final class Pages {

  /** Of pages that clients have yet to take yet: an eighth of the heap, and not too little. */
  private static final long MAX_UNTAKEN_BYTES =
      Math.max(Runtime.getRuntime().maxMemory() / 8, 32 << 20);

  private final Budget untaken = new Budget(() -> MAX_UNTAKEN_BYTES);

  /** A page larger than this limit goes alone. */
  void send(HttpServerResponse response, Buffer page) {
    if (response.closed()) {
      return;
    }
    Budget.Share share = untaken.share();
    if (share.resize(Math.min(page.length(), MAX_UNTAKEN_BYTES))) {
      response
          .putHeader(HttpHeaders.CONTENT_TYPE, HttpIngest.JSON)
          .end(page)
          .onComplete(taken -> share.free());
    } else {
      Problem.send(
          response,
          503,
          "clients have yet to take "
              + untaken.used()
              + " bytes of pages yet: ask again, or for less",
          Problem.reason(Refusals.NO_MEMORY));
    }
  }
}
