package io.shardbus;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** Answers for which callers wait. Once the bus is closed, none stays open. Safe for any thread. */
final class OpenAnswers {

  private final Set<Runnable> open = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  /** The same answer, or a failure if the bus closes first. */
  <T> Future<T> end(Future<T> answer) {
    if (answer.isComplete()) {
      return answer;
    }
    Promise<T> promise = Promise.promise();
    Runnable fail = () -> promise.tryFail(new IllegalStateException("the bus is closed"));
    open.add(fail);
    answer.onComplete(
        end -> {
          open.remove(fail);
          if (end.succeeded()) {
            promise.tryComplete(end.result());
          } else {
            promise.tryFail(end.cause());
          }
        });
    if (closed) { // perhaps after the others were told
      fail.run();
    }
    return promise.future();
  }

  void close() {
    closed = true;
    open.forEach(Runnable::run);
  }
}
