package io.shardbus.app.soak;

import io.shardbus.app.soak.Violations.Kind;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** Closes the bus once, for the first caller. Safe for any thread. */
final class SoakEnd {

  /** After this it must refuse; it is asked to at once. */
  static final long PATIENCE_NANOS = TimeUnit.SECONDS.toNanos(2);

  private static final int WORKERS = 20; // of a Vert.x, by default

  private final Vertx vertx;
  private final Supplier<Future<Void>> close;
  private final SoakPlan plan;
  private final SoakAnswers answers;
  private final Violations violations;
  private final AtomicBoolean begun = new AtomicBoolean();
  private volatile long since;
  private volatile @Nullable Future<Void> closed;

  SoakEnd(
      Vertx vertx,
      Supplier<Future<Void>> close,
      SoakPlan plan,
      SoakAnswers answers,
      Violations violations) {
    this.vertx = vertx;
    this.close = close;
    this.plan = plan;
    this.answers = answers;
    this.violations = violations;
  }

  boolean begun() {
    return begun.get();
  }

  void begin() {
    if (!begun.compareAndSet(false, true)) {
      return;
    }
    if (plan.ending == SoakPlan.Ending.WITH_WORKERS_BLOCKED) {
      blockWorkers(vertx, plan.options.getCloseTimeout().toMillis() * 5 / 4);
    }
    since = System.nanoTime();
    closed =
        answers
            .watch("close", close.get())
            .onFailure(e -> violations.check(false, Kind.OTHER, "close failed: %s", e));
  }

  /** An event was accepted: it must not be long after closing began. */
  void accepted() {
    long start = since;
    if (start != 0) {
      long late = System.nanoTime() - start - PATIENCE_NANOS;
      violations.check(
          late <= 0, Kind.OTHER, "an event was accepted long after the bus was closed");
    }
  }

  Future<Void> closed() {
    Future<Void> end = closed;
    return end == null ? Future.failedFuture("not begun") : end;
  }

  /** Keeps all workers of a Vert.x busy for a while, except those of the bus. */
  static Future<?> blockWorkers(Vertx vertx, long millis) {
    Future<?> last = Future.succeededFuture();
    for (int i = 0; i < WORKERS; i++) {
      last =
          vertx.executeBlocking(
              () -> {
                LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(millis));
                return true;
              },
              false);
    }
    return last;
  }
}
