package io.shardbus.net;

import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;

/** The headers for browsers in every answer. */
public final class SecurityHeaders {

  private SecurityHeaders() {}

  /**
   * Sets them. A page that may be kept replaces {@code Cache-Control}.
   *
   * @param request whose answer gets them
   */
  public static void put(HttpServerRequest request) {
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
