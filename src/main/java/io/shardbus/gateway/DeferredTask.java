package io.shardbus.gateway;

import io.vertx.core.Context;
import java.util.concurrent.atomic.AtomicBoolean;

/** A task that runs on a context, once for all requests since its last run. */
final class DeferredTask implements Runnable {

  private final Context context;
  private final Runnable task;
  private final AtomicBoolean asked = new AtomicBoolean();

  DeferredTask(Context context, Runnable task) {
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
