package io.shardbus.sink.http;

import io.shardbus.sink.SinkException;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpHeaders;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What the server says to a request.
 *
 * @param status the status
 * @param retryAfterSeconds for how long it wants no further request; 0 if it does not say
 * @param text the beginning of the body
 */
record Answer(int status, long retryAfterSeconds, String text) {

  private static final int MAX_TEXT = 200;

  /** Those below 500 that may pass. With other credentials the same events are taken. */
  private static final Set<Integer> MAY_PASS = Set.of(401, 403, 407, 408, 425, 429);

  private static final long MAX_WAIT_SECONDS = TimeUnit.DAYS.toSeconds(1);

  /** Reads to the end, so that the connection can be used again, and keeps the beginning. */
  static Future<Answer> read(HttpClientResponse response) {
    Buffer beginning = Buffer.buffer();
    response.handler(
        chunk -> {
          int room = MAX_TEXT - beginning.length();
          beginning.appendBuffer(chunk.slice(0, Math.min(room, chunk.length())));
        });
    long wait = seconds(response.getHeader(HttpHeaders.RETRY_AFTER), Instant.now());
    return response
        .end()
        .map(end -> new Answer(response.statusCode(), wait, beginning.toString().strip()));
  }

  /** As RFC 9110 has it: a number of seconds, or a date. Anything else counts as not said. */
  static long seconds(@Nullable String header, Instant now) {
    if (header == null) {
      return 0;
    }
    long seconds;
    if (header.matches("\\d{1,9}")) {
      seconds = Long.parseLong(header);
    } else {
      try {
        Instant date =
            ZonedDateTime.parse(header, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
        seconds = Math.max(0, Duration.between(now, date).toSeconds());
      } catch (DateTimeException e) {
        return 0;
      }
    }
    return Math.min(seconds, MAX_WAIT_SECONDS);
  }

  /** Null if it took the events. */
  @Nullable SinkException refusal(String place) {
    if (status >= 200 && status < 300) {
      return null;
    }
    String message = place + "it answered " + status + (text.isEmpty() ? "" : ": " + text);
    return status < 400 || status >= 500 || MAY_PASS.contains(status)
        ? SinkException.transientFailure(message)
        : SinkException.permanentFailure(message);
  }
}
