package io.shardbus.verticle;

import java.util.concurrent.Executor;
import java.util.concurrent.Executors;

/**
 * Threads without a Vert.x context. What is deployed, or waited for, from the context of a verticle
 * belongs to that verticle and ends with it. The threads are of no pool that others could fill.
 */
public final class NoContext {

  /** For tasks that may wait. */
  public static final Executor THREADS =
      Executors.newCachedThreadPool(
          task -> {
            Thread thread = new Thread(task, "shardbus-no-context");
            thread.setDaemon(true);
            return thread;
          });

  private NoContext() {}
}
