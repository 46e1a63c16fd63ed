package io.shardbus.gateway;

import io.shardbus.event.EventTime;
import io.shardbus.net.DeferredTask;
import io.shardbus.sink.EventPage;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.ReplayableSink;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/*
 * A live tail as server-sent events. It reads the log page by page from its cursor. At the end it waits for new events,
 * and goes on from the same cursor. So no event is missed between old and new ones. The listener is registered before
 * the first page is read. The next page is read only when the client has taken the one before, so a slow client costs
 * one page of memory.
 */
final class Tail {

  /** The most events in a page. */
  static final int PAGE = 500;

  private static final long MAX_HEARTBEAT_MILLIS = 15_000;

  private final HttpServerResponse response;
  private final ReplayableSink log;
  private final ReadTurns turns;
  private final Vertx vertx;
  private final EventQuery query;
  private final TailFormat format;
  private final BooleanSupplier allowed;
  private final long heartbeatMillis;
  private final Runnable onEnd;
  private @Nullable String cursor;
  private boolean reading;
  private boolean news;
  private boolean ended;
  private Runnable unregister = () -> {};
  private Runnable forget = () -> {};
  private long heartbeat = -1;

  Tail(
      Vertx vertx,
      HttpServerResponse response,
      ReplayableSink log,
      ReadTurns turns,
      EventQuery query,
      TailFormat format,
      BooleanSupplier allowed,
      Duration idleTimeout,
      Runnable onEnd) {
    // Else it would end as idle while there is nothing new.
    heartbeatMillis = Math.min(MAX_HEARTBEAT_MILLIS, idleTimeout.toMillis() / 2);
    this.onEnd = onEnd;
    this.allowed = allowed;
    this.vertx = vertx;
    this.query = query;
    this.format = format;
    this.response = response;
    this.log = log;
    this.turns = turns;
  }

  /**
   * From the cursor; if there is none, from the oldest event or from now on.
   *
   * @param ongoing ends it when the server stops
   */
  void begin(@Nullable String from, boolean fromStart, Ongoing ongoing) {
    Runnable wake = new DeferredTask(vertx.getOrCreateContext(), this::wake);
    response.closeHandler(closed -> end());
    response.exceptionHandler(e -> end());
    unregister = log.onAppend(wake);
    forget = ongoing.add(vertx, () -> fail("the server is stopping"));
    reading = true;
    Future<EventPage> first =
        from != null || fromStart
            ? read(from)
            : turns.take(log::endCursor, () -> ended).compose(this::read);
    first
        .onSuccess(
            page -> {
              if (ended) { // it did not wait for the first page
                return;
              }
              begun();
              send(page);
            })
        .onFailure(
            e -> {
              end();
              Problem.cannotRead(response, e);
            });
  }

  private Future<EventPage> read(@Nullable String from) {
    return turns.take(() -> log.read(query.withCursor(from)), () -> ended);
  }

  private void begun() {
    response
        .setChunked(true)
        .putHeader(HttpHeaders.CONTENT_TYPE, format.media())
        .putHeader(HttpHeaders.CACHE_CONTROL, "no-store")
        .putHeader("X-Accel-Buffering", "no"); // nginx would keep back what comes slowly
    response.write(format.alive());
    heartbeat =
        vertx.setPeriodic(
            heartbeatMillis,
            id -> {
              if (!ended && !endIfForbidden() && !response.writeQueueFull()) {
                response.write(format.alive());
                endWhenOver();
              }
            });
  }

  private void wake() {
    news = true;
    read();
  }

  private boolean endIfForbidden() {
    if (allowed.getAsBoolean()) {
      return false;
    }
    fail("the token is no longer valid for this");
    return true;
  }

  private void fail(@Nullable String why) {
    if (ended) {
      return;
    }
    end();
    if (!response.headWritten()) {
      Problem.send(response, 503, String.valueOf(why));
    } else if (format == TailFormat.EVENT_STREAM && !response.writeQueueFull()) {
      response.end("event: error\ndata: " + why + "\n\n");
    } else {
      response.reset(); // an orderly end would mean that all is well
    }
  }

  /** Nothing that is younger than {@code until} is wanted. */
  private boolean over() {
    return query.until() != Long.MAX_VALUE
        && EventTime.parse(Instant.now().toString()) >= query.until();
  }

  private void endWhenOver() {
    if (over()) {
      news = true;
      read();
    }
  }

  private void read() {
    if (reading || ended || !news || response.writeQueueFull()) {
      return;
    }
    reading = true;
    news = false;
    read(cursor).onSuccess(this::send).onFailure(e -> fail(e.getMessage()));
  }

  private void send(EventPage page) {
    reading = false;
    if (ended || endIfForbidden()) {
      return;
    }
    if (page.missed() > 0 && !format.canTellMissed()) {
      fail("");
      return;
    }
    // Also when nothing was chosen: a client that resumes need not look at it again.
    boolean moved = format == TailFormat.EVENT_STREAM && !page.cursor().equals(cursor);
    cursor = page.cursor();
    boolean last = !page.more() && over();
    if (page.more()) {
      news = true;
    }
    if (!page.events().isEmpty() || page.missed() > 0 || moved) {
      response.write(format.write(page));
    }
    if (last) {
      end();
      response.end(format == TailFormat.EVENT_STREAM ? "event: end\ndata:\n\n" : "");
    } else if (response.writeQueueFull()) {
      response.drainHandler(drained -> read());
    } else {
      read();
    }
  }

  private void end() {
    if (!ended) {
      ended = true;
      unregister.run();
      forget.run();
      onEnd.run();
      if (heartbeat >= 0) {
        vertx.cancelTimer(heartbeat);
      }
    }
  }
}
