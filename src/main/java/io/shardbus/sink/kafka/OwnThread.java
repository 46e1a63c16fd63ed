package io.shardbus.sink.kafka;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/** A thread that may block. */
final class OwnThread {

  private final ExecutorService executor;

  OwnThread(String name) {
    executor =
        Executors.newSingleThreadExecutor(
            task -> {
              Thread thread = new Thread(task, name);
              thread.setDaemon(true);
              return thread;
            });
  }

  /** Whether the task will run: it will not once the thread was ended. */
  boolean execute(Runnable task) {
    try {
      executor.execute(task);
      return true;
    } catch (RejectedExecutionException e) {
      return false;
    }
  }

  /** The answer comes on the context of the caller, if there is one. */
  <T> Future<T> call(Callable<T> task) {
    Promise<T> promise = Promise.promise();
    Context caller = Vertx.currentContext();
    boolean taken =
        execute(
            () -> {
              Future<T> answer = answer(task);
              if (caller == null) {
                answer.onComplete(promise);
              } else {
                caller.runOnContext(now -> answer.onComplete(promise));
              }
            });
    return taken
        ? promise.future()
        : Future.failedFuture(new IllegalStateException("the sink is closed"));
  }

  private static <T> Future<T> answer(Callable<T> task) {
    try {
      return Future.succeededFuture(task.call());
    } catch (Exception e) {
      return Future.failedFuture(e);
    }
  }

  /** Runs one last task after those that wait, and takes no more. */
  <T> Future<@Nullable T> end(Callable<@Nullable T> last) {
    Future<@Nullable T> ended = call(last);
    executor.shutdown();
    return ended;
  }
}
