package io.shardbus;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;

/**
 * Answers on the context of the caller, as Vert.x's own futures do. Otherwise handlers would run on
 * the event loop of a shard: they would hold up its consumer, and their timers would end with its
 * verticle.
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
    Handler<Void> tell = // made now: memory may run out
        now -> {
          if (answer.succeeded()) {
            promise.complete(answer.result());
          } else {
            promise.fail(answer.cause());
          }
        };
    answer.onComplete(result -> caller.runOnContext(tell));
    return promise.future();
  }
}
