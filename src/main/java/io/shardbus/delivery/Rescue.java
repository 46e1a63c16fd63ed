package io.shardbus.delivery;

import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.WeakHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/*
 * A shard goes on by tasks and timers of its event loop, and these are objects: with no memory left none can be made.
 * Asking for help here makes none. Each call has its place in the list of calls in itself, and one thread, which is
 * there from the start, runs the calls again and again until they succeed.
 *
 * Vert.x may run out of memory too, and lose a task or a timer that it had taken. So for a minute after a call for help,
 * every possible caller is helped once a second, and otherwise once in ten seconds.
 *
 * Ownership: `next` belongs to the thread that put the call into the list, then to the thread of this class. `waiting`
 * is true while the call is in the list, so that it is there once at most.
 */
/** Runs what could not be handed to an event loop, a little later. Safe for any thread. */
final class Rescue {

  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(10);
  private static final long ROUND_NANOS = TimeUnit.SECONDS.toNanos(1);
  private static final long ALERT_NANOS = TimeUnit.MINUTES.toNanos(1);
  private static final long QUIET_ROUND_NANOS = TimeUnit.SECONDS.toNanos(10);

  private static final AtomicReference<@Nullable Call> CALLS = new AtomicReference<>();
  private static final Set<Call> ALL =
      Collections.synchronizedSet(Collections.newSetFromMap(new WeakHashMap<>()));

  /** The thread's own. */
  private static @Nullable Call underWay;

  private static long lastCall = System.nanoTime() - ALERT_NANOS;
  private static long lastRound = lastCall;

  private static final Thread THREAD = new Thread(Rescue::serve, "shardbus-rescue");

  static {
    THREAD.setDaemon(true);
    THREAD.start();
  }

  private Rescue() {}

  /** A possible caller. Made while there is memory. */
  static final class Call {

    private final Runnable action;
    private final AtomicBoolean waiting = new AtomicBoolean();
    private @Nullable Call next;

    /**
     * @param action runs on the thread for help, also unasked; is run again if it throws
     */
    Call(Runnable action) {
      this.action = action;
      ALL.add(this);
    }

    /** Asks for help. Allocates nothing and does not throw. */
    void ask() {
      if (enqueue()) {
        LockSupport.unpark(THREAD);
      }
    }

    /** Whether it was not in the list. */
    private boolean enqueue() {
      if (!waiting.compareAndSet(false, true)) {
        return false;
      }
      do {
        next = CALLS.get();
      } while (!CALLS.compareAndSet(next, this));
      return true;
    }

    private void answer() {
      try {
        action.run();
      } catch (Throwable e) {
        enqueue(); // after the pause: an unpark would end it at once
      }
    }
  }

  private static void serve() {
    while (true) {
      try {
        serveOnce();
      } catch (Throwable e) {
        // No memory, not even here. The fields show where to go on.
      }
    }
  }

  private static void serveOnce() {
    boolean quiet =
        CALLS.get() == null && underWay == null && System.nanoTime() - lastCall >= ALERT_NANOS;
    if (quiet) {
      LockSupport.parkNanos(QUIET_ROUND_NANOS); // until a call comes
    }
    LockSupport.parkNanos(PAUSE_NANOS);
    long now = System.nanoTime();
    if (underWay == null) {
      underWay = CALLS.getAndSet(null);
    }
    if (underWay != null) {
      lastCall = now;
    } else if (now - lastRound >= (quiet ? QUIET_ROUND_NANOS : ROUND_NANOS)) {
      lastRound = now;
      List.copyOf(ALL).forEach(Call::answer);
    }
    for (Call call = underWay; call != null; call = underWay) {
      underWay = call.next;
      call.next = null;
      call.waiting.set(false);
      call.answer();
    }
  }
}
