package io.shardbus.net;

import io.vertx.core.Vertx;
import java.time.Duration;

/** A timer that runs or not. For one event loop. */
public final class Deadline {

  private final Vertx vertx;
  private final Runnable task;
  private long timer = -1;

  /**
   * @param vertx whose timer it is
   * @param task what is run when the time is up
   */
  public Deadline(Vertx vertx, Runnable task) {
    this.vertx = vertx;
    this.task = task;
  }

  /** {@return whether it runs} */
  public boolean running() {
    return timer >= 0;
  }

  /**
   * Does nothing if it runs already.
   *
   * @param time from now on; 1 ms at least
   */
  public void begin(Duration time) {
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

  /** Stops it, if it runs. */
  public void cancel() {
    if (timer >= 0) {
      vertx.cancelTimer(timer);
      timer = -1;
    }
  }
}
