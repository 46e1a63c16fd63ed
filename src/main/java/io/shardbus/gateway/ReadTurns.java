package io.shardbus.gateway;

import io.shardbus.delivery.NoContext;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.util.ArrayDeque;
import java.util.Queue;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Lets a few pages be read at once, because each takes a thread and memory. Other requests wait for
 * their turn in order, and are dropped if their client has gone. Safe for any thread.
 */
final class ReadTurns {

  private static final int AT_ONCE = 16;

  /** The number of waiting requests at which those of absent clients are removed. */
  private static final int FEW = 1_000;

  private final Vertx vertx;
  private final Queue<Turn> waiting = new ArrayDeque<>();
  private int lookAt = FEW;
  private int underWay;

  private record Turn(Runnable begin, BooleanSupplier gone) {}

  ReadTurns(Vertx vertx) {
    this.vertx = vertx;
  }

  /**
   * Reads something when it is its turn.
   *
   * @param gone whether the client has gone
   * @return the result, on the context of the caller; fails, or never comes, if the client has gone
   */
  <T> Future<T> take(Supplier<Future<T>> read, BooleanSupplier gone) {
    Context context = vertx.getOrCreateContext();
    Promise<T> promise = Promise.promise();
    Runnable begin =
        () ->
            context.runOnContext(
                now -> {
                  Promise<T> end = Promise.promise();
                  NoContext.begin(
                      () ->
                          gone.getAsBoolean()
                              ? Future.failedFuture("the client has gone")
                              : read.get(),
                      end);
                  end.future()
                      .onComplete(
                          done -> {
                            next();
                            promise.handle(done);
                          });
                });
    synchronized (this) {
      if (underWay == AT_ONCE) {
        if (waiting.size() >= lookAt) {
          waiting.removeIf(turn -> turn.gone().getAsBoolean());
          lookAt = Math.max(FEW, 2 * waiting.size());
        }
        waiting.add(new Turn(begin, gone));
        return promise.future();
      }
      underWay++;
    }
    begin.run();
    return promise.future();
  }

  private void next() {
    @Nullable Turn turn;
    synchronized (this) {
      turn = waiting.poll();
      if (turn == null) {
        underWay--;
      }
    }
    if (turn != null) {
      turn.begin().run();
    }
  }
}
