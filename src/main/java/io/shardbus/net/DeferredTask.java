package io.shardbus.net;

import io.vertx.core.Context;
import java.util.concurrent.atomic.AtomicBoolean;

/** A task that runs on a context, once for all requests since its last run. */
public final class DeferredTask implements Runnable {

  private final Context context;
  private final Runnable task;
  private final AtomicBoolean asked = new AtomicBoolean();

  /**
   * @param context where the task runs
   * @param task what is run
   */
  public DeferredTask(Context context, Runnable task) {
    this.context = context;
    this.task = task;
  }

  @Override
  public void run() {
    if (asked.compareAndSet(false, true)) {
      context.runOnContext(
          ignored -> {
            asked.set(false);
            task.run();
          });
    }
  }
}
