package io.shardbus.gateway;

import io.shardbus.ShardBus;
import io.shardbus.sink.EventPage;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.ReplayableSink;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.MIMEHeader;
import io.vertx.ext.web.RoutingContext;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/** {@code GET /v1/events} and {@code GET /v1/tail}. */
final class EventReads {

  private static final int DEFAULT_LIMIT = 100;

  /** For answers that have no place for it in their body. */
  static final String CURSOR = "Shardbus-Cursor";

  static final String MORE = "Shardbus-More";
  static final String MISSED = "Shardbus-Missed";

  private final Vertx vertx;
  private final ShardBus bus;
  private final Duration idleTimeout;
  private final ReadTurns turns;
  private final Pages pages;
  private final Ongoing ongoing;
  private final AtomicInteger tails = new AtomicInteger();

  EventReads(Vertx vertx, ShardBus bus, Pages pages, Duration idleTimeout, Ongoing ongoing) {
    this.ongoing = ongoing;
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

  void page(RoutingContext context) {
    HttpServerRequest request = context.request();
    HttpServerResponse response = request.response();
    ReplayableSink log = log(response);
    if (log == null) {
      return;
    }
    EventQuery query;
    try {
      query =
          ReadParameters.query(
                  request,
                  (int)
                      ReadParameters.number(
                          request, "limit", DEFAULT_LIMIT, 1, EventQuery.MAX_LIMIT))
              .withOrder(ReadParameters.order(request.getParam("order")));
    } catch (IllegalArgumentException e) {
      Problem.send(response, 400, String.valueOf(e.getMessage()));
      return;
    }
    PageFormat format = wanted(context, PageFormat.values(), PageFormat::media);
    turns
        .take(() -> log.read(query), response::closed)
        .onSuccess(page -> send(context, page, format))
        .onFailure(e -> Problem.cannotRead(response, e));
  }

  /** The format that the client likes best; the first if it does not mind, or likes none. */
  private static <T> T wanted(RoutingContext context, T[] formats, Function<T, String> media) {
    T best = formats[0];
    float weight = 0;
    for (MIMEHeader accepted : context.parsedHeaders().accept()) {
      for (T format : formats) {
        if (accepted.weight() > weight && isIn(accepted, media.apply(format))) {
          best = format;
          weight = accepted.weight();
        }
      }
    }
    return best;
  }

  private static boolean isIn(MIMEHeader range, String media) {
    String[] parts = media.split("/", 2);
    return (range.component().equals("*") || range.component().equalsIgnoreCase(parts[0]))
        && (range.subComponent().equals("*") || range.subComponent().equalsIgnoreCase(parts[1]));
  }

  private void send(RoutingContext context, EventPage page, PageFormat format) {
    HttpServerResponse response = context.response();
    response.putHeader(CURSOR, page.cursor()).putHeader(MORE, Boolean.toString(page.more()));
    if (page.missed() > 0) {
      response.putHeader(MISSED, Long.toString(page.missed()));
    }
    pages.send(context, format.media(), format.write(page));
  }

  void tail(RoutingContext context) {
    HttpServerRequest request = context.request();
    HttpServerResponse response = request.response();
    ReplayableSink log = log(response);
    if (log == null) {
      return;
    }
    String resumed = request.getHeader("Last-Event-ID");
    String from = request.getParam("from");
    if (from != null && !from.equals("start")) {
      Problem.send(response, 400, "from: \"" + from + "\" must be start, or left out for now");
      return;
    }
    EventQuery query;
    try {
      query = ReadParameters.query(request, Tail.PAGE);
    } catch (IllegalArgumentException e) {
      Problem.send(response, 400, String.valueOf(e.getMessage()));
      return;
    }
    boolean fromStart = from != null || query.since() != Long.MIN_VALUE;
    tails.incrementAndGet();
    new Tail(
            vertx,
            response,
            log,
            turns,
            query,
            wanted(context, TailFormat.values(), TailFormat::media),
            Access.grant(context),
            idleTimeout,
            tails::decrementAndGet)
        .begin(
            resumed != null && !resumed.isEmpty() ? resumed : query.cursor(), fromStart, ongoing);
  }

  /** The number of open tails. */
  int tails() {
    return tails.get();
  }
}
