package io.shardbus.gateway;

import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;

/** The headers for browsers in every answer. */
final class SecurityHeaders {

  private SecurityHeaders() {}

  /** A page that may be kept replaces {@code Cache-Control}. */
  static void put(HttpServerRequest request) {
    if (request.isSSL()) {
      request.response().putHeader("Strict-Transport-Security", "max-age=31536000");
    }
    request
        .response()
        .putHeader("X-Content-Type-Options", "nosniff")
        .putHeader("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'")
        .putHeader("Referrer-Policy", "no-referrer")
        .putHeader(HttpHeaders.CACHE_CONTROL, "no-store");
  }
}
