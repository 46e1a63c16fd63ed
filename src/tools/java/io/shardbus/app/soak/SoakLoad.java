package io.shardbus.app.soak;

import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;

/**
 * A load that rises and falls at random, for all producers at once. It has no state: the seed and
 * the time say whether it is low. Safe for any thread.
 *
 * @param seed of the round
 * @param varies whether it ever falls
 */
record SoakLoad(long seed, boolean varies) {

  private static final long PHASE_NANOS = TimeUnit.MILLISECONDS.toNanos(50);
  private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

  /** Takes a millisecond while the load is low, else no time. */
  void pauseIfLow() {
    if (varies && new SplittableRandom(seed + System.nanoTime() / PHASE_NANOS).nextInt(3) == 0) {
      LockSupport.parkNanos(PAUSE_NANOS);
    }
  }
}
