package io.shardbus;

import io.vertx.core.Future;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;

/** A time by which something should be done, for a thread that may block. */
final class Within {

  private final long end;

  private Within(long end) {
    this.end = end;
  }

  static Within millis(long millis) {
    return new Within(System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis));
  }

  /** The earlier one. */
  Within atMost(long millis) {
    Within other = millis(millis);
    return other.end - end < 0 ? other : this;
  }

  boolean over() {
    return end - System.nanoTime() <= 0;
  }

  /** Waits for a future. The same, complete; or one that failed with a {@link TimeoutException}. */
  <T> Future<T> await(Future<T> future) {
    CountDownLatch done = new CountDownLatch(1);
    future.onComplete(end -> done.countDown());
    try {
      if (done.await(end - System.nanoTime(), TimeUnit.NANOSECONDS)) {
        return future;
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    return Future.failedFuture(new TimeoutException());
  }
}
