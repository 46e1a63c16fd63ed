package io.shardbus.net;

import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;

/** The headers in every answer: its date, and what protects browsers. */
public final class SecurityHeaders {

  private static volatile Second now = new Second(0, "");

  /** A time as HTTP writes it, for all answers of a second. */
  private record Second(long number, String text) {}

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
        .putHeader(HttpHeaders.DATE, date())
        .putHeader("X-Content-Type-Options", "nosniff")
        .putHeader("Content-Security-Policy", "default-src 'self'; frame-ancestors 'none'")
        .putHeader("Referrer-Policy", "no-referrer")
        .putHeader(HttpHeaders.CACHE_CONTROL, "no-store");
  }

  private static String date() {
    long second = System.currentTimeMillis() / 1000;
    Second known = now;
    if (known.number() != second) {
      known =
          new Second(
              second,
              DateTimeFormatter.RFC_1123_DATE_TIME.format(
                  Instant.ofEpochSecond(second).atOffset(ZoneOffset.UTC)));
      now = known;
    }
    return known.text();
  }
}
