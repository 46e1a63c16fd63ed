package io.shardbus;

import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/** Answers for which callers wait. Once the bus is closed, none stays open. Safe for any thread. */
final class OpenAnswers {

  private final Set<Runnable> open = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  /**
   * The same answer, or a failure if the bus closes first.
   *
   * @param ifClosed makes the failure that says so
   */
  <T> Future<T> end(Future<T> answer, Function<String, RuntimeException> ifClosed) {
    if (answer.isComplete()) {
      return answer;
    }
    Promise<T> promise = Promise.promise();
    Runnable fail = () -> promise.tryFail(ifClosed.apply("the bus is closed"));
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
