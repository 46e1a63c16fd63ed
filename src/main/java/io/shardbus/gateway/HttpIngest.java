package io.shardbus.gateway;

import io.shardbus.event.Ack;
import io.shardbus.event.InvalidEventException;
import io.shardbus.net.BodyDecoder;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import io.vertx.ext.web.RoutingContext;

/** {@code POST /v1/events}: one event, or a stream of events of any length in bounded memory. */
final class HttpIngest {

  private static final Logger LOG = LoggerFactory.getLogger(HttpIngest.class);

  private static final String BODY_READ =
      "a handler of the application has read the body: mount the gateway before its BodyHandler";

  private final IngestResources resources;
  private final Ongoing ongoing;

  /**
   * @param ongoing gets the streams, which end when the server stops
   */
  HttpIngest(IngestResources resources, Ongoing ongoing) {
    this.resources = resources;
    this.ongoing = ongoing;
  }

  void handle(RoutingContext context) {
    HttpServerRequest request = context.request();
    if (request.isEnded()) {
      LOG.error(BODY_READ);
      Problem.send(request.response(), 500, BODY_READ);
      return;
    }
    String encoding = Encodings.of(request);
    if (!Encodings.known(encoding)) {
      unsupported(
          request,
          "Content-Encoding \"" + encoding + "\" is not supported: use one of " + Encodings.NAMES);
      return;
    }
    String media = MediaTypes.of(request);
    BodyFormat format;
    IngestRequest asked;
    try {
      format = BodyFormat.of(media, request.headers(), request.getParam("array"));
      if (format == null) {
        unsupported(
            request,
            "Content-Type \"" + media + "\" is not supported: use one of " + BodyFormat.all());
        return;
      }
      asked =
          IngestRequest.of(
              request.params(),
              request.headers(),
              format,
              Ack.ACCEPTED,
              resources.options().getMaxKeyBytes(),
              resources.bus().shards().limits().json(),
              resources.kept());
    } catch (IllegalArgumentException | InvalidEventException e) {
      Problem.refuse(request, 400, String.valueOf(e.getMessage()));
      return;
    }
    Webhooks.Signature signature = Access.signature(context);
    if (signature != null && !format.isOne()) {
      Problem.refuse(request, 400, "a body that is signed must be one event");
      return;
    }
    BodyDecoder decoder = Encodings.decoder(encoding, resources);
    if (format.isOne()) {
      new SingleEvent(resources, ongoing, request, asked, decoder, signature).begin();
    } else {
      new Upload(resources, request, asked, decoder, Access.grant(context)).begin(ongoing);
    }
  }

  /** Says what is supported in headers, too, where programs look for it. */
  private static void unsupported(HttpServerRequest request, String detail) {
    request
        .response()
        .putHeader("Accept-Post", BodyFormat.all())
        .putHeader(HttpHeaders.ACCEPT_ENCODING, Encodings.NAMES);
    Problem.refuse(request, 415, detail);
  }
}
