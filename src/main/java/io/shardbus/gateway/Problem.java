package io.shardbus.gateway;

import io.shardbus.event.Outcome;
import io.shardbus.net.LingeringClose;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;
import io.vertx.core.json.JsonObject;
import java.util.Map;

/** Says what went wrong, as RFC 9457 has it. */
final class Problem {

  private static final Map<Integer, String> TITLES =
      Map.ofEntries(
          Map.entry(400, "Bad request"),
          Map.entry(401, "Unauthorized"),
          Map.entry(403, "Forbidden"),
          Map.entry(404, "Not found"),
          Map.entry(405, "Method not allowed"),
          Map.entry(408, "Timeout"),
          Map.entry(409, "Conflict"),
          Map.entry(413, "Too large"),
          Map.entry(414, "URI too long"),
          Map.entry(415, "Unsupported media type"),
          Map.entry(422, "Refused"),
          Map.entry(426, "Upgrade required"),
          Map.entry(429, "Too many events"),
          Map.entry(431, "Headers too large"),
          Map.entry(500, "Internal error"),
          Map.entry(501, "Not implemented"),
          Map.entry(503, "Unavailable"),
          Map.entry(504, "Not confirmed in time"));

  private Problem() {}

  /** Answers that one or more events were refused. */
  static void send(HttpServerResponse response, Outcome reason, String detail, JsonObject more) {
    send(response, reason.status(), detail, more.mergeIn(reason(reason.word())));
  }

  /** Answers that one or more events were refused before the body was read. */
  static void refuse(HttpServerRequest request, Outcome reason, String detail, JsonObject more) {
    refuse(request, reason.status(), detail, more.mergeIn(reason(reason.word())));
  }

  static void send(HttpServerResponse response, int status, String detail) {
    send(response, status, detail, new JsonObject());
  }

  /**
   * Answers without taking the body. The connection (with HTTP/2, the stream) cannot be used again,
   * and is closed soon.
   */
  static void refuse(HttpServerRequest request, int status, String detail) {
    refuse(request, status, detail, new JsonObject());
  }

  static void refuse(HttpServerRequest request, int status, String detail, JsonObject more) {
    if (!request.response().headWritten()) {
      if (request.version() != HttpVersion.HTTP_2) {
        request.response().putHeader(HttpHeaders.CONNECTION, "close");
      }
      LingeringClose.after(request);
    }
    send(request.response(), status, detail, more);
  }

  /**
   * The reason, as one word for programs. For events it is the word that the reasons and the meters
   * use.
   */
  static JsonObject reason(String reason) {
    return new JsonObject().put("reason", reason);
  }

  /** Answers that events cannot be read: the request is wrong, or the sink fails. */
  static void cannotRead(HttpServerResponse response, Throwable failure) {
    if (failure instanceof IllegalArgumentException) {
      send(response, 400, String.valueOf(failure.getMessage()));
    } else {
      send(response, 503, "cannot read: " + failure.getMessage());
    }
  }

  /** Does nothing if an answer is on its way already. */
  static void send(HttpServerResponse response, int status, String detail, JsonObject more) {
    if (response.ended() || response.closed() || response.headWritten()) {
      return;
    }
    JsonObject body =
        new JsonObject()
            .put("type", "about:blank")
            .put("title", TITLES.getOrDefault(status, "Error"))
            .put("status", status)
            .put("detail", detail)
            .mergeIn(more);
    if (status == 429 || status == 503) {
      response.putHeader(HttpHeaders.RETRY_AFTER, "1");
    }
    response.setStatusCode(status).putHeader(HttpHeaders.CONTENT_TYPE, "application/problem+json");
    HeadRequests.end(response, body.toBuffer().appendString("\n"));
  }
}
