package io.shardbus.gateway;

import io.shardbus.sink.EventPage;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.ReplayableSink;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Lets a few pages be read at once, as each takes a thread and memory; the others wait for their
 * turn, in the order in which they came, and are passed over if their client has gone. For any
 * thread.
 */
final class ReadTurns {

  private static final int AT_ONCE = 16;

  private final Vertx vertx;
  private final Queue<Runnable> waiting = new ArrayDeque<>();
  private int underWay;

  ReadTurns(Vertx vertx) {
    this.vertx = vertx;
  }

  /**
   * Reads a page.
   *
   * @param gone whether nobody waits for it any more
   * @return the page, on the caller's context; fails if nobody waited for it
   */
  Future<EventPage> read(ReplayableSink log, EventQuery query, BooleanSupplier gone) {
    Context context = vertx.getOrCreateContext();
    Promise<EventPage> promise = Promise.promise();
    Runnable turn =
        () ->
            context.runOnContext(
                now ->
                    page(log, query, gone)
                        .onComplete(
                            done -> {
                              next();
                              promise.handle(done);
                            }));
    synchronized (this) {
      if (underWay == AT_ONCE) {
        waiting.add(turn);
        return promise.future();
      }
      underWay++;
    }
    turn.run();
    return promise.future();
  }

  private static Future<EventPage> page(
      ReplayableSink log, EventQuery query, BooleanSupplier gone) {
    if (gone.getAsBoolean()) {
      return Future.failedFuture("the client has gone");
    }
    try {
      return log.read(query);
    } catch (RuntimeException e) {
      return Future.failedFuture(e);
    }
  }

  private void next() {
    @Nullable Runnable turn;
    synchronized (this) {
      turn = waiting.poll();
      if (turn == null) {
        underWay--;
      }
    }
    if (turn != null) {
      turn.run();
    }
  }
}
