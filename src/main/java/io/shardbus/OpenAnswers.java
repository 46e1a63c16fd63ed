package io.shardbus;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Answers that somebody waits for: none stays open once the bus is closed. Any thread. */
final class OpenAnswers {

  private final Set<Promise<?>> open = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  /** The same answer, or that the bus was closed before it came. */
  <T> Future<T> end(Future<T> answer) {
    if (answer.isComplete()) {
      return answer;
    }
    Promise<T> promise = Promise.promise();
    open.add(promise);
    answer.onComplete(
        end -> {
          open.remove(promise);
          if (end.succeeded()) {
            promise.tryComplete(end.result());
          } else {
            promise.tryFail(end.cause());
          }
        });
    if (closed) { // perhaps after the others were told
      fail(promise);
    }
    return promise.future();
  }

  void close() {
    closed = true;
    open.forEach(OpenAnswers::fail);
  }

  private static void fail(Promise<?> promise) {
    promise.tryFail(new IllegalStateException("the bus is closed"));
  }
}
