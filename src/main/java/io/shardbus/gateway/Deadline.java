package io.shardbus.gateway;

import io.vertx.core.Vertx;
import java.time.Duration;

/** A timer that runs or not. For one event loop. */
final class Deadline {

  private final Vertx vertx;
  private final Runnable task;
  private long timer = -1;

  Deadline(Vertx vertx, Runnable task) {
    this.vertx = vertx;
    this.task = task;
  }

  boolean running() {
    return timer >= 0;
  }

  /** Does nothing if it runs already. */
  void begin(Duration time) {
    if (timer < 0) {
      timer =
          vertx.setTimer(
              Math.max(1, time.toMillis()),
              id -> {
                timer = -1;
                task.run();
              });
    }
  }

  void cancel() {
    if (timer >= 0) {
      vertx.cancelTimer(timer);
      timer = -1;
    }
  }
}
