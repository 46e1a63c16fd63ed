package io.shardbus.delivery;

import io.vertx.core.Context;
import io.vertx.core.Vertx;
import java.time.Duration;

/** A Vert.x event-loop context as a shard's loop. */
final class VertxLoop implements ShardLoop {

  private final Vertx vertx;
  private final Context context;

  VertxLoop(Vertx vertx, Context context) {
    this.vertx = vertx;
    this.context = context;
  }

  @Override
  public void execute(Runnable task) {
    context.runOnContext(ignored -> task.run());
  }

  @Override
  public long setTimer(Duration delay, Runnable task) {
    // Vert.x counts in whole milliseconds, from 1.
    return vertx.setTimer(Math.max(1, delay.plusNanos(999_999).toMillis()), id -> task.run());
  }

  @Override
  public void cancelTimer(long id) {
    vertx.cancelTimer(id);
  }

  @Override
  public long nanoTime() {
    return System.nanoTime();
  }
}
