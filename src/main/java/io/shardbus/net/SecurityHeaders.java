package io.shardbus.net;

import static io.vertx.core.http.HttpHeaders.createOptimized;

import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.Locale;

/** The headers in every answer: its date, and what protects browsers. */
public final class SecurityHeaders {

  // Encoded once.
  private static final CharSequence HSTS = createOptimized("Strict-Transport-Security");
  private static final CharSequence ONE_YEAR = createOptimized("max-age=31536000");
  private static final CharSequence OPTIONS = createOptimized("X-Content-Type-Options");
  private static final CharSequence NO_SNIFF = createOptimized("nosniff");
  private static final CharSequence POLICY = createOptimized("Content-Security-Policy");
  private static final CharSequence OWN_CONTENT =
      createOptimized("default-src 'self'; frame-ancestors 'none'");
  private static final CharSequence REFERRER = createOptimized("Referrer-Policy");
  private static final CharSequence NO_REFERRER = createOptimized("no-referrer");
  private static final CharSequence NO_STORE = createOptimized("no-store");

  private static final DateTimeFormatter DATE =
      DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.ROOT);

  private static volatile Second now = new Second(0, "");

  /** A time as HTTP writes it, for all answers of a second. */
  private record Second(long number, CharSequence text) {}

  private SecurityHeaders() {}

  /**
   * Sets them. A page that may be kept replaces {@code Cache-Control}.
   *
   * @param request whose answer gets them
   */
  public static void put(HttpServerRequest request) {
    HttpServerResponse response = request.response();
    if (request.isSSL()) {
      response.putHeader(HSTS, ONE_YEAR);
    }
    response
        .putHeader(HttpHeaders.DATE, date())
        .putHeader(OPTIONS, NO_SNIFF)
        .putHeader(POLICY, OWN_CONTENT)
        .putHeader(REFERRER, NO_REFERRER)
        .putHeader(HttpHeaders.CACHE_CONTROL, NO_STORE);
  }

  private static CharSequence date() {
    long second = System.currentTimeMillis() / 1000;
    Second known = now;
    if (known.number() != second) {
      known =
          new Second(
              second,
              createOptimized(DATE.format(Instant.ofEpochSecond(second).atOffset(ZoneOffset.UTC))));
      now = known;
    }
    return known.text();
  }
}
