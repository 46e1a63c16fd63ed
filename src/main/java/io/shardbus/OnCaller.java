package io.shardbus;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;

/**
 * Answers on the context of whoever asked, as Vert.x's own futures do: else handlers would run on a
 * shard's event loop, hold up its consumer, and have their timers end with its verticle.
 */
final class OnCaller {

  private OnCaller() {}

  static <T> Future<T> answer(Vertx vertx, Future<T> answer) {
    return answer.isComplete() ? answer : answer(vertx.getOrCreateContext(), answer);
  }

  static <T> Future<T> answer(Context caller, Future<T> answer) {
    if (answer.isComplete()) {
      return answer;
    }
    Promise<T> promise = Promise.promise();
    answer.onComplete(result -> caller.runOnContext(now -> promise.handle(result)));
    return promise.future();
  }
}
