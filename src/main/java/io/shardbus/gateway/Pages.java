package io.shardbus.gateway;

import io.shardbus.event.Outcome;
import io.shardbus.net.Budget;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.RoutingContext;

/**
 * Sends answers that may be large: compressed if the client asks for it, and as long as not too
 * many bytes wait for clients to take them. Safe for any thread.
 */
final class Pages {

  private static final Logger LOG = LoggerFactory.getLogger(Pages.class);

  /** For pages that clients have not taken yet: an eighth of the heap, and not too little. */
  private static final long MAX_UNTAKEN_BYTES =
      Math.max(Runtime.getRuntime().maxMemory() / 8, 32 << 20);

  /** What fits in one packet is not worth the time. */
  private static final int MIN_COMPRESSED = 1024;

  private final Vertx vertx;
  private final boolean compress;
  private final Budget untaken = new Budget(() -> MAX_UNTAKEN_BYTES);

  /**
   * @param compress false if no answer is compressed, whatever clients ask
   */
  Pages(Vertx vertx, boolean compress) {
    this.vertx = vertx;
    this.compress = compress;
  }

  void send(RoutingContext context, JsonObject json) {
    send(context, MediaTypes.JSON, json.toBuffer().appendString("\n"));
  }

  /** A page larger than the limit goes alone. */
  void send(RoutingContext context, String media, Buffer page) {
    HttpServerResponse response = context.response();
    if (response.closed()) {
      return;
    }
    Budget.Share share = untaken.share();
    if (!share.resize(Math.min(page.length(), MAX_UNTAKEN_BYTES))) {
      Problem.send(
          response,
          Outcome.NO_MEMORY,
          "clients have not taken "
              + untaken.used()
              + " bytes of pages yet: ask again, or for less",
          new JsonObject());
      return;
    }
    response.putHeader(HttpHeaders.CONTENT_TYPE, media);
    response.headers().add(HttpHeaders.VARY, HttpHeaders.ACCEPT_ENCODING); // beside the origin
    String encoding =
        compress && page.length() >= MIN_COMPRESSED ? Encodings.wanted(context) : Encodings.NONE;
    if (encoding.equals(Encodings.NONE)) {
      HeadRequests.end(response, page).onComplete(taken -> share.free());
      return;
    }
    vertx // a large page takes long
        .executeBlocking(() -> Encodings.encode(encoding, page), false)
        .compose(
            small ->
                HeadRequests.end(response.putHeader(HttpHeaders.CONTENT_ENCODING, encoding), small))
        .onFailure(
            e -> {
              if (response.ended() || response.closed()) {
                LOG.debug("page", e);
              } else {
                context.fail(e); // else the client would wait
              }
            })
        .onComplete(taken -> share.free());
  }
}
