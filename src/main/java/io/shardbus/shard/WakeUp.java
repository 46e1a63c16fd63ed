package io.shardbus.shard;

import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.function.IntPredicate;

/*
 * `wakeAt` is 0 while the consumer is awake, else the number of events in the ring at which it wants to be woken: 1 if
 * it has nothing to do, more while it forms a batch. A producer pushes, then reads `wakeAt`, and runs the wake-up if
 * that many are there and it turned `wakeAt` to 0. The consumer writes `wakeAt`, then looks by the indices whether so
 * many are there already. A push contains a compare-and-set of the producer index, and the consumer's write is
 * volatile, so of the two, at least one sees the other; of several producers it is the one with the last index that
 * sees them all. An element that is claimed but not stored yet counts by index, so a null from a poll never puts the
 * consumer to sleep beside it.
 */
/** The bell between the producers of a shard and its consumer. */
final class WakeUp {

  private static final Logger LOG = LoggerFactory.getLogger(WakeUp.class);
  private static final VarHandle WAKE_AT;

  static {
    try {
      WAKE_AT = MethodHandles.lookup().findVarHandle(WakeUp.class, "wakeAt", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final IntPredicate holds;
  private final int most;
  private volatile int wakeAt;
  private volatile Runnable action = () -> {};

  /**
   * @param holds whether so many events can be drained
   * @param most the number of events at which a consumer is woken in any case
   */
  WakeUp(IntPredicate holds, int most) {
    this.holds = holds;
    this.most = most;
  }

  /** A producer has pushed. */
  void signal() {
    int events = wakeAt;
    if (events != 0
        && (events == 1 || holds.test(events))
        && WAKE_AT.compareAndSet(this, events, 0)) {
      ring(events);
    }
  }

  /**
   * The event is in the ring: whatever the action throws, its producer is not told of a failure.
   */
  private void ring(int sleptUntil) {
    try {
      action.run();
    } catch (Throwable e) {
      WAKE_AT.compareAndSet(this, 0, sleptUntil);
      SafeLog.error(LOG, "a shard's consumer could not be woken; the next push tries again", e);
    }
  }

  /** Sets what wakes the consumer, and wakes it. */
  void attach(Runnable next) {
    action = next;
    wake();
  }

  void detach() {
    action = () -> {};
  }

  /** Wakes the consumer whatever it does. */
  void wake() {
    wakeAt = 0;
    ring(1);
  }

  /** Whether the consumer may sleep: it will be woken. */
  boolean trySleep(int events) {
    int enough = Math.min(events, most);
    wakeAt = enough;
    return !holds.test(enough) || !WAKE_AT.compareAndSet(this, enough, 0);
  }
}
