package io.shardbus.gateway;

import io.shardbus.sink.EventFilter;
import io.shardbus.sink.EventQuery;
import io.vertx.core.http.HttpServerRequest;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** The parameters with which a request chooses events: for a page, and for a tail. */
final class ReadParameters {

  static final int MAX_SHARD = 65_534;

  private static final Pattern WHOLE = Pattern.compile("\\d{1,18}");

  private ReadParameters() {}

  /**
   * The query that a request asks for, without its order.
   *
   * @param limit how many events a page has at most
   * @throws IllegalArgumentException naming the parameter that is wrong
   */
  static EventQuery query(HttpServerRequest request, int limit) {
    String since = request.getParam("since");
    String until = request.getParam("until");
    int shard = (int) number(request, "shard", -1, 0, MAX_SHARD);
    EventQuery query =
        EventQuery.of(request.getParam("cursor"), limit)
            .withKey(request.getParam("key"))
            .withFilter(filter(request.getParam("filter")))
            .withShard(shard < 0 ? null : shard);
    query = since == null ? query : query.withSince(time("since", since));
    return until == null ? query : query.withUntil(time("until", until));
  }

  /** A number of ASCII digits alone; -1 if the text is another one. */
  static long whole(String text) {
    return WHOLE.matcher(text).matches() ? Long.parseLong(text) : -1;
  }

  static long number(HttpServerRequest request, String name, long otherwise, long min, long max) {
    String text = request.getParam(name);
    if (text == null) {
      return otherwise;
    }
    long value = whole(text);
    if (value >= min && value <= max) {
      return value;
    }
    throw new IllegalArgumentException(
        name + ": \"" + text + "\" must be a number from " + min + " to " + max);
  }

  private static long time(String name, String text) {
    try {
      return EventQuery.time(text.replace(' ', '+')); // a plus sign that is not escaped
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(name + ": " + e.getMessage(), e);
    }
  }

  private static @Nullable EventFilter filter(@Nullable String expression) {
    return expression == null ? null : JsonFilter.parse(expression);
  }

  static EventQuery.Order order(@Nullable String text) {
    if (text == null || text.equals("none")) {
      return EventQuery.Order.NONE;
    }
    if (text.equals("timestamp")) {
      return EventQuery.Order.TIMESTAMP;
    }
    throw new IllegalArgumentException("order: \"" + text + "\" must be none or timestamp");
  }
}
