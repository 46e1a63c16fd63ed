package io.shardbus.sink.support;

import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * One thread that may block, for tasks that must run one after the other, or several threads for
 * independent tasks. It depends on no pool that others could fill. Safe for any thread.
 */
public final class OwnThread {

  private final ExecutorService executor;
  private final String whatIs;

  /**
   * @param name the name of the thread
   * @param whatIs begins the message of a failure if a task comes too late, such as "the sink is"
   */
  public OwnThread(String name, String whatIs) {
    this(name, whatIs, 1);
  }

  /**
   * @param name the name of the threads
   * @param whatIs begins the message of a failure if a task comes too late, such as "the sink is"
   * @param threads how many tasks run at once, at least 1; they are taken up in order
   */
  public OwnThread(String name, String whatIs, int threads) {
    this.whatIs = whatIs;
    executor =
        Executors.newFixedThreadPool(
            threads,
            task -> {
              Thread thread = new Thread(task, name);
              thread.setDaemon(true);
              return thread;
            });
  }

  /**
   * Runs a task after those that wait.
   *
   * @param task the task
   * @return whether it will run: it will not once the thread was ended
   */
  public boolean execute(Runnable task) {
    try {
      executor.execute(task);
      return true;
    } catch (RejectedExecutionException e) {
      return false;
    }
  }

  /**
   * Runs a task after those that wait.
   *
   * @param task the task
   * @return its result, on the context of the caller, if there is one
   * @param <T> of the result
   */
  public <T> Future<T> call(Callable<T> task) {
    Promise<T> promise = Promise.promise();
    Context caller = Vertx.currentContext();
    boolean taken =
        execute(
            () -> {
              Future<T> answer = answer(task);
              try {
                if (caller != null) {
                  caller.runOnContext(now -> answer.onComplete(promise));
                  return;
                }
              } catch (RejectedExecutionException e) {
                // Its Vert.x is closed. Others may wait for the answer.
              }
              answer.onComplete(promise);
            });
    return taken
        ? promise.future()
        : Future.failedFuture(new IllegalStateException(whatIs + " closed"));
  }

  private static <T> Future<T> answer(Callable<T> task) {
    try {
      return Future.succeededFuture(task.call());
    } catch (Throwable e) { // whatever it is, a caller waits for the answer
      return Future.failedFuture(e);
    }
  }

  /**
   * Runs one last task after the waiting ones, and takes no more tasks.
   *
   * @param last the task
   * @return its result
   * @param <T> of the result
   */
  public <T> Future<@Nullable T> end(Callable<@Nullable T> last) {
    Future<@Nullable T> ended = call(last);
    executor.shutdown();
    return ended;
  }
}
