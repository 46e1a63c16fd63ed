package io.shardbus.gateway;

import io.shardbus.event.Ack;
import io.shardbus.event.InvalidEventException;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import io.vertx.ext.web.RoutingContext;
import java.util.Locale;

/** {@code POST /v1/events}: one event, or a stream of events of any length in bounded memory. */
final class HttpIngest {

  private static final Logger LOG = LoggerFactory.getLogger(HttpIngest.class);

  private static final String BODY_READ =
      "a handler of the application has read the body: mount the gateway before its BodyHandler";

  private final IngestResources resources;

  HttpIngest(IngestResources resources) {
    this.resources = resources;
  }

  void handle(RoutingContext context) {
    HttpServerRequest request = context.request();
    if (request.isEnded()) {
      LOG.error(BODY_READ);
      Problem.send(request.response(), 500, BODY_READ);
      return;
    }
    String type = request.getHeader(HttpHeaders.CONTENT_TYPE);
    String media = type == null ? "" : type.split(";", 2)[0].strip().toLowerCase(Locale.ROOT);
    BodyFormat format = BodyFormat.of(media, request.headers());
    if (format == null) {
      Problem.refuse(
          request,
          415,
          "Content-Type \"" + media + "\" is not supported: use one of " + BodyFormat.all());
      return;
    }
    String encoding = request.getHeader(HttpHeaders.CONTENT_ENCODING);
    if (encoding != null && !encoding.equalsIgnoreCase("identity")) {
      Problem.refuse(
          request,
          415,
          "Content-Encoding \"" + encoding + "\" is not supported: send the body as it is");
      return;
    }
    IngestRequest asked;
    try {
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
    if (format.isOne()) {
      new SingleEvent(resources, request, asked).begin();
    } else {
      new Upload(resources, request, asked, Access.grant(context)).begin();
    }
  }
}
