package io.shardbus.gateway;

import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.ext.web.RoutingContext;
import java.util.Locale;

/**
 * {@code POST /v1/events}: one JSON value, or a stream of NDJSON of any length in bounded memory.
 */
final class HttpIngest {

  static final String JSON = "application/json";
  static final String NDJSON = "application/x-ndjson";

  private final Intake intake;

  HttpIngest(Intake intake) {
    this.intake = intake;
  }

  void handle(RoutingContext context) {
    HttpServerRequest request = context.request();
    String type = request.getHeader(HttpHeaders.CONTENT_TYPE);
    String media = type == null ? "" : type.split(";", 2)[0].strip().toLowerCase(Locale.ROOT);
    if (!media.equals(JSON) && !media.equals(NDJSON)) {
      Problem.refuse(
          request,
          415,
          "Content-Type \"" + media + "\" is not supported: use " + JSON + " or " + NDJSON);
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
      asked = IngestRequest.of(request.params(), IngestRequest.Ack.ACCEPTED, intake.options());
    } catch (IllegalArgumentException e) {
      Problem.refuse(request, 400, String.valueOf(e.getMessage()));
      return;
    }
    if (media.equals(JSON)) {
      new SingleEvent(intake, request, asked).begin();
    } else {
      new Upload(intake, request, asked, Access.grant(context)).begin();
    }
  }

  /** If a client asks whether to go on before it sends the body, the server tells it to. */
  static void proceed(HttpServerRequest request) {
    if ("100-continue".equalsIgnoreCase(request.getHeader(HttpHeaders.EXPECT))) {
      request.response().writeContinue();
    }
  }
}
