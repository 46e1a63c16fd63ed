package io.shardbus.gateway;

import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.http.HttpVersion;

/**
 * Keeps the body from answers to HEAD. With HTTP/2, Vert.x would send it, and clients would see a
 * broken stream.
 */
final class HeadRequests {

  /** On an answer until its head is written, because an answer does not know its request. */
  private static final String MARK = "shardbus-head";

  private HeadRequests() {}

  /** First for every request. */
  static void mark(HttpServerRequest request) {
    if (request.method().equals(HttpMethod.HEAD) && request.version() == HttpVersion.HTTP_2) {
      HttpServerResponse response = request.response().putHeader(MARK, "");
      response.headersEndHandler(head -> response.headers().remove(MARK));
    }
  }

  /** Ends an answer, with the body if it may have one. */
  static Future<Void> end(HttpServerResponse response, Buffer body) {
    return response.headers().contains(MARK) ? response.end() : response.end(body);
  }
}
