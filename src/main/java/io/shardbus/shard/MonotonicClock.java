package io.shardbus.shard;

import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/*
 * An event costs one reading of the monotonic clock. The offset to the wall clock is looked at again when an event
 * comes a millisecond or more after the last look, so an idle bus does nothing, and a busy one reads the wall clock a
 * thousand times a second at most.
 *
 * Ownership: whoever raises `lastLook` looks, one thread at a time as a rule; two threads that look at the same moment
 * measure the same. `state` is replaced as a whole.
 *
 * Ordering: where the wall clock went forward, so does this one, at once. Where it went back by up to a minute this
 * clock stands still until the wall clock has caught up: ties are raised by the shard's consumer. Where it went back
 * by more, nobody wants to wait for it: this clock goes back too, says so once and counts it.
 *
 * Why it is safe: a thread that still has the old state gives a time of before the change, as if it had read the clock
 * a moment earlier. Within a shard the consumer has the last word on what is later.
 */
/** Nanoseconds since the epoch, by the wall clock, that go back only if that went back by far. */
final class MonotonicClock implements LongSupplier {

  private static final Logger LOG = LoggerFactory.getLogger(MonotonicClock.class);

  /** The farthest that time may be held up for the wall clock to catch up, in nanoseconds. */
  static final long LONGEST_STANDSTILL_NANOS = TimeUnit.MINUTES.toNanos(1);

  private static final long LOOK_EVERY_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

  /** Smaller differences come from reading two clocks one after the other. */
  private static final long LEAST_ERROR_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

  /** A thread that was held up between its two readings has measured nothing. */
  private static final long LONGEST_LOOK_NANOS = TimeUnit.MICROSECONDS.toNanos(100);

  private final LongSupplier nanoTime;
  private final LongSupplier wallNanos;
  private final AtomicLong lastLook = new AtomicLong();
  private final AtomicLong stepsBack = new AtomicLong();
  private volatile State state;

  /**
   * @param offset from the monotonic clock to the wall clock
   * @param floor the time that stands still until the wall clock has caught up with it
   */
  private record State(long offset, long floor) {}

  MonotonicClock() {
    this(System::nanoTime, () -> ChronoUnit.NANOS.between(Instant.EPOCH, Instant.now()));
  }

  MonotonicClock(LongSupplier nanoTime, LongSupplier wallNanos) {
    this.nanoTime = nanoTime;
    this.wallNanos = wallNanos;
    long now = nanoTime.getAsLong();
    lastLook.set(now);
    state = new State(wallNanos.getAsLong() - now, Long.MIN_VALUE);
  }

  @Override
  public long getAsLong() {
    long now = nanoTime.getAsLong();
    long last = lastLook.getPlain();
    if (now - last >= LOOK_EVERY_NANOS && lastLook.compareAndSet(last, now)) {
      look(now);
    }
    State current = state;
    return Math.max(current.floor, now + current.offset);
  }

  /** How often the wall clock went back too far to wait for it. */
  long stepsBack() {
    return stepsBack.get();
  }

  private void look(long now) {
    long wall = wallNanos.getAsLong();
    if (nanoTime.getAsLong() - now > LONGEST_LOOK_NANOS) {
      return;
    }
    State before = state;
    long time = Math.max(before.floor, now + before.offset);
    long error = wall - (now + before.offset);
    if (Math.abs(error) < LEAST_ERROR_NANOS) {
      return;
    }
    boolean tooFarBack = time - wall > LONGEST_STANDSTILL_NANOS;
    state = new State(wall - now, tooFarBack ? Long.MIN_VALUE : time);
    if (tooFarBack) {
      stepsBack.incrementAndGet();
      LOG.warn(
          "the wall clock went back by "
              + TimeUnit.NANOSECONDS.toSeconds(time - wall)
              + " s: events are stamped earlier than those before them; their sequence tells the"
              + " order");
    }
  }
}
