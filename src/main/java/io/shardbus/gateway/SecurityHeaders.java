package io.shardbus.gateway;

import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerResponse;

/** What every answer tells browsers. */
final class SecurityHeaders {

  private SecurityHeaders() {}

  /** A page that may be kept replaces {@code Cache-Control}. */
  static void put(HttpServerResponse response) {
    response
        .putHeader("X-Content-Type-Options", "nosniff")
        .putHeader("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'")
        .putHeader("Referrer-Policy", "no-referrer")
        .putHeader(HttpHeaders.CACHE_CONTROL, "no-store");
  }
}
