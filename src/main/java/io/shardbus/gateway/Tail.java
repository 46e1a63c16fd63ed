package io.shardbus.gateway;

import io.shardbus.net.DeferredTask;
import io.shardbus.sink.EventFilter;
import io.shardbus.sink.EventPage;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.ReplayableSink;
import io.shardbus.sink.StoredEvent;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerResponse;
import java.time.Duration;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/*
 * A live tail as server-sent events. It reads the log page by page from its cursor. At the end it waits for new events,
 * and goes on from the same cursor. So no event is missed between old and new ones. The listener is registered before
 * the first page is read. The next page is read only when the client has taken the one before, so a slow client costs
 * one page of memory.
 */
final class Tail {

  private static final int PAGE = 500;
  private static final long MAX_HEARTBEAT_MILLIS = 15_000;

  private final HttpServerResponse response;
  private final ReplayableSink log;
  private final ReadTurns turns;
  private final Vertx vertx;
  private final @Nullable EventFilter filter;
  private final BooleanSupplier allowed;
  private final long heartbeatMillis;
  private final Runnable onEnd;
  private @Nullable String cursor;
  private boolean reading;
  private boolean news;
  private boolean ended;
  private Runnable unregister = () -> {};
  private long heartbeat = -1;

  Tail(
      Vertx vertx,
      HttpServerResponse response,
      ReplayableSink log,
      ReadTurns turns,
      @Nullable EventFilter filter,
      BooleanSupplier allowed,
      Duration idleTimeout,
      Runnable onEnd) {
    // Else it would end as idle while there is nothing new.
    heartbeatMillis = Math.min(MAX_HEARTBEAT_MILLIS, idleTimeout.toMillis() / 2);
    this.onEnd = onEnd;
    this.allowed = allowed;
    this.vertx = vertx;
    this.filter = filter;
    this.response = response;
    this.log = log;
    this.turns = turns;
  }

  /** From the cursor; if there is none, from the oldest event or from now on. */
  void begin(@Nullable String from, boolean fromStart) {
    Runnable wake = new DeferredTask(vertx.getOrCreateContext(), this::wake);
    response.closeHandler(closed -> end());
    response.exceptionHandler(e -> end());
    unregister = log.onAppend(wake);
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
    EventQuery query = EventQuery.of(from, PAGE).withFilter(filter);
    return turns.take(() -> log.read(query), () -> ended);
  }

  private void begun() {
    response
        .setChunked(true)
        .putHeader(HttpHeaders.CONTENT_TYPE, "text/event-stream")
        .putHeader(HttpHeaders.CACHE_CONTROL, "no-store");
    response.write(": shardbus tail\n\n");
    heartbeat =
        vertx.setPeriodic(
            heartbeatMillis,
            id -> {
              if (!ended && !endIfForbidden() && !response.writeQueueFull()) {
                response.write(":\n\n");
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
    response.end("event: error\ndata: " + why + "\n\n");
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
    cursor = page.cursor();
    if (page.more()) {
      news = true;
    }
    if (!page.events().isEmpty()) {
      Buffer out = Buffer.buffer();
      for (StoredEvent stored : page.events()) {
        Buffer json = Buffer.buffer();
        EventJson.append(json, stored);
        out.appendString("data: ");
        appendLines(out, json);
        out.appendString("\n\n");
      }
      // The id goes with a message of its own: a client that resumes from it has had the whole
      // page.
      out.appendString("id: ")
          .appendString(page.cursor())
          .appendString("\nevent: cursor\ndata:\n\n");
      response.write(out);
    }
    if (response.writeQueueFull()) {
      response.drainHandler(drained -> read());
    } else {
      read();
    }
  }

  /**
   * An event that spans lines is sent as several data lines; the client puts them together again.
   */
  private static void appendLines(Buffer out, Buffer json) {
    int start = 0;
    for (int i = 0; i < json.length(); i++) {
      byte b = json.getByte(i);
      if (b == '\n' || b == '\r') {
        out.appendBuffer(json, start, i - start).appendString("\ndata: ");
        if (b == '\r' && i + 1 < json.length() && json.getByte(i + 1) == '\n') {
          i++;
        }
        start = i + 1;
      }
    }
    out.appendBuffer(json, start, json.length() - start);
  }

  private void end() {
    if (!ended) {
      ended = true;
      unregister.run();
      onEnd.run();
      if (heartbeat >= 0) {
        vertx.cancelTimer(heartbeat);
      }
    }
  }
}
