package io.shardbus.app.soak;

import io.shardbus.app.soak.Violations.Kind;
import io.vertx.core.Future;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;

/** The futures that a bus gave and that have not ended. Safe for any thread. */
final class SoakAnswers {

  /** By what was asked. */
  private final Map<String, Integer> open = new TreeMap<>();

  private int total;

  <T> Future<T> watch(String what, Future<T> answer) {
    synchronized (this) {
      open.merge(what, 1, Integer::sum);
      total++;
    }
    return answer.onComplete(end -> ended(what));
  }

  private synchronized void ended(String what) {
    open.merge(what, -1, Integer::sum);
    if (--total == 0) {
      notifyAll();
    }
  }

  /** Waits until all have ended; a future that does not end is a violation. */
  synchronized void await(long seconds, Violations violations) throws InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
    while (total > 0 && System.nanoTime() < end) {
      TimeUnit.NANOSECONDS.timedWait(this, Math.max(1, end - System.nanoTime()));
    }
    open.forEach(
        (what, count) ->
            violations.count(Kind.UNANSWERED, count, "futures of %s have not ended", what));
  }
}
