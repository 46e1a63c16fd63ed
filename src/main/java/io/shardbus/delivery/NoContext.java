package io.shardbus.delivery;

import io.vertx.core.AsyncResult;
import io.vertx.core.Deployable;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.util.concurrent.Callable;
import java.util.concurrent.Executor;
import java.util.concurrent.Executors;
import java.util.function.Supplier;

/**
 * Threads without a Vert.x context, for the control work of buses and gateways. Anything deployed
 * or made in the context of a verticle belongs to that verticle and ends with it. Here it does not.
 * The threads may block: others cannot fill this pool, because each task has a thread to itself. A
 * thread without work for a minute ends.
 */
public final class NoContext {

  static final Executor THREADS =
      Executors.newCachedThreadPool(
          task -> {
            Thread thread = new Thread(task, "shardbus-no-context");
            thread.setDaemon(true);
            return thread;
          });

  private NoContext() {}

  /**
   * Runs a task that may block.
   *
   * @param task the task
   * @param <T> of its result
   * @return what it returned or threw, on any thread
   */
  public static <T> Future<T> call(Callable<T> task) {
    return async(() -> Future.succeededFuture(task.call()));
  }

  /**
   * Begins something.
   *
   * @param task begins it; may block
   * @param <T> of the result
   * @return the result, on any thread; fails if the task throws
   */
  public static <T> Future<T> async(Callable<Future<T>> task) {
    Promise<T> promise = Promise.promise();
    THREADS.execute(() -> begin(task, promise));
    return promise.future();
  }

  /**
   * Begins something on this thread, and turns every kind of failure into a result.
   *
   * @param task begins it
   * @param result told the result; a task that throws or returns null counts as failed
   * @param <T> of the result
   */
  public static <T> void begin(Callable<Future<T>> task, Promise<T> result) {
    try {
      Handler<AsyncResult<T>> tell = // made before the task: memory may run out
          end -> {
            if (end.succeeded()) {
              result.tryComplete(end.result());
            } else {
              result.tryFail(end.cause());
            }
          };
      Future<T> answer = task.call();
      if (answer == null) {
        throw new IllegalStateException("it returned null in place of a future");
      }
      answer.onComplete(tell);
    } catch (Throwable e) { // also an Error: a caller waits for the result
      result.tryFail(e);
    }
  }

  /**
   * Deploys verticles that do not become children of a calling verticle.
   *
   * @param vertx where
   * @param verticle makes one
   * @param options how, and how many
   * @return the deployment's id, on any thread
   */
  public static Future<String> deploy(
      Vertx vertx, Supplier<? extends Deployable> verticle, DeploymentOptions options) {
    return async(() -> vertx.deployVerticle(verticle, options));
  }
}
