package io.shardbus.gateway;

import io.shardbus.ShardBus;
import io.shardbus.sink.EventFilter;
import io.shardbus.sink.EventPage;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.ReplayableSink;
import io.shardbus.sink.StoredEvent;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.core.json.Json;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/** {@code GET /v1/events} and {@code GET /v1/tail}. */
final class EventReads {

  private static final int DEFAULT_LIMIT = 100;

  private final Vertx vertx;
  private final ShardBus bus;
  private final Duration idleTimeout;
  private final ReadTurns turns;
  private final Pages pages;
  private final AtomicInteger tails = new AtomicInteger();

  EventReads(Vertx vertx, ShardBus bus, Pages pages, Duration idleTimeout) {
    this.pages = pages;
    this.idleTimeout = idleTimeout;
    this.vertx = vertx;
    this.bus = bus;
    turns = new ReadTurns(vertx);
  }

  private @Nullable ReplayableSink log(HttpServerResponse response) {
    if (bus.sink() instanceof ReplayableSink log) {
      return log;
    }
    Problem.send(response, 501, "sink " + bus.sink().name() + " cannot be read back");
    return null;
  }

  void page(HttpServerRequest request) {
    HttpServerResponse response = request.response();
    ReplayableSink log = log(response);
    if (log == null) {
      return;
    }
    EventQuery query;
    try {
      query =
          EventQuery.of(request.getParam("cursor"), limit(request.getParam("limit")))
              .withFilter(filter(request.getParam("filter")))
              .withOrder(order(request.getParam("order")));
    } catch (IllegalArgumentException e) {
      Problem.send(response, 400, String.valueOf(e.getMessage()));
      return;
    }
    turns
        .take(() -> log.read(query), response::closed)
        .onSuccess(page -> send(response, page))
        .onFailure(e -> Problem.cannotRead(response, e));
  }

  private static int limit(@Nullable String text) {
    if (text == null) {
      return DEFAULT_LIMIT;
    }
    try {
      return Integer.parseInt(text);
    } catch (NumberFormatException e) {
      throw new IllegalArgumentException(
          "limit: \"" + text + "\" must be a number from 1 to " + EventQuery.MAX_LIMIT, e);
    }
  }

  private static @Nullable EventFilter filter(@Nullable String expression) {
    return expression == null ? null : JsonFilter.parse(expression);
  }

  private static EventQuery.Order order(@Nullable String text) {
    if (text == null || text.equals("none")) {
      return EventQuery.Order.NONE;
    }
    if (text.equals("timestamp")) {
      return EventQuery.Order.TIMESTAMP;
    }
    throw new IllegalArgumentException("order: \"" + text + "\" must be none or timestamp");
  }

  private void send(HttpServerResponse response, EventPage page) {
    Buffer out = Buffer.buffer("{\"events\":[");
    boolean first = true;
    for (StoredEvent event : page.events()) {
      if (!first) {
        out.appendString(",\n");
      }
      first = false;
      EventJson.append(out, event);
    }
    out.appendString("],\"cursor\":")
        .appendString(Json.encode(page.cursor()))
        .appendString(",\"more\":")
        .appendString(Boolean.toString(page.more()))
        .appendString("}\n");
    pages.send(response, out);
  }

  void tail(RoutingContext context) {
    HttpServerRequest request = context.request();
    HttpServerResponse response = request.response();
    ReplayableSink log = log(response);
    if (log == null) {
      return;
    }
    String resumed = request.getHeader("Last-Event-ID");
    String cursor = resumed != null ? resumed : request.getParam("cursor");
    String from = request.getParam("from");
    if (from != null && !from.equals("start")) {
      Problem.send(response, 400, "from: \"" + from + "\" must be start, or left out for now");
      return;
    }
    EventFilter filter;
    try {
      filter = filter(request.getParam("filter"));
    } catch (IllegalArgumentException e) {
      Problem.send(response, 400, String.valueOf(e.getMessage()));
      return;
    }
    tails.incrementAndGet();
    new Tail(
            vertx,
            response,
            log,
            turns,
            filter,
            Access.grant(context),
            idleTimeout,
            tails::decrementAndGet)
        .begin(cursor, from != null);
  }

  /** The number of open tails. */
  int tails() {
    return tails.get();
  }
}
