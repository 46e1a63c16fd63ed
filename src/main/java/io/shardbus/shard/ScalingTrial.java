package io.shardbus.shard;

import java.util.Locale;

/*
 * More shards do not help where something that they share is the limit: one disk, one connection, the processors. Then
 * each new shard slows down the others, and they ask for still more. So scaling up is a trial:
 *
 *   begun    The number of shards is noted, and what they drain. Until the trial is judged, each shard is held to drain
 *            at least half of what one drained before it: a trial cannot feed itself.
 *   judged   By two windows in a row in which all shards were active and overloaded, by more if writes take long. The
 *            gain must be a quarter of what was hoped for.
 *   repeated What the shards drained before was an estimate, made under less load. Where it may have been wrong, since
 *            there are not yet three times as many shards, the trial goes on from what was measured now, in small steps.
 *   failed   There may be no more shards than before the trial, for scaleDownDelay, and for twice as long after each
 *            further failure, up to 16 times. If fewer shards drain less after all, the verdict was wrong, and is taken
 *            back.
 */
/** Finds out whether more shards bring more. Not safe for threads. */
final class ScalingTrial {

  /** Which part of the gain that was hoped for must come true. */
  private static final double LEAST_GAIN = 0.25;

  /** An estimate is not wrong by such a factor. */
  private static final int SURE = 3;

  /** So many windows in a row are judged together. */
  private static final int WINDOWS = 2;

  /** They must be as long as so many writes: a write settles all of its events at once. */
  private static final int WRITES = 3;

  /** How many times scaleDownDelay the next trial is put off at the most. */
  private static final int MOST_PATIENCE = 16;

  /** Throughput that differs by less is the same. */
  private static final double TOLERANCE = 0.1;

  /** Shards before the trial; 0 if there is none. */
  private int before;

  /** Shards that drained {@code drained}. */
  private int base;

  private double drained;
  private double perShard;
  private boolean measured;

  /** The windows in a row in which so many shards were overloaded. */
  private int seenWith;

  private int windows;
  private double sumDemand;
  private double sumSettled;

  /** The most shards that helped; 0 while there is no such limit. */
  private int ceiling;

  private double drainedWithMore;
  private int triedWith;
  private long retryAt;
  private int patience = 1;

  /** Shards are about to be added. */
  void begin(int shards, double drainedNow, double perShardNow) {
    if (before == 0) {
      before = shards;
      measured = false;
      rebase(shards, drainedNow, perShardNow);
    }
  }

  private void rebase(int shards, double drainedNow, double perShardNow) {
    base = shards;
    drained = drainedNow;
    perShard = perShardNow;
  }

  /** What each shard is held to drain at least, in events per second; 0 without a trial. */
  double leastPerShard() {
    return before > 0 ? perShard / 2 : 0;
  }

  /** How many of the shards that are needed may be added now. */
  int step(int needed) {
    return before > 0 && measured ? Math.min(needed, (base + 1) / 2) : needed;
  }

  /** The most shards that help, or may do so. */
  int most() {
    return ceiling == 0 ? Integer.MAX_VALUE : ceiling;
  }

  /**
   * Takes note of a window in which all shards were active throughout.
   *
   * @param writeWindows how many windows a write takes
   * @param mayGrow whether there may be more shards
   * @param overloaded whether more came than could be drained
   * @param demand events per second that came; infinite where full rings held producers up
   * @param settled events per second whose fate was decided
   * @param patienceNanos after which a trial that failed is made once more
   */
  void windowEnded(
      int shards,
      double writeWindows,
      boolean mayGrow,
      boolean overloaded,
      double demand,
      double settled,
      long nowNanos,
      long patienceNanos) {
    if (ceiling > 0 && nowNanos - retryAt >= 0) {
      end();
    }
    if (!overloaded || shards != seenWith) {
      seenWith = shards;
      forgetWindows();
    }
    if (!overloaded) {
      if (ceiling == 0 && before > 0) {
        end();
        patience = 1;
      }
      return;
    }
    windows++;
    sumDemand += demand;
    sumSettled += settled;
    if (windows < Math.max(WINDOWS, WRITES * writeWindows)) {
      return;
    }
    judge(shards, mayGrow, sumDemand / windows, sumSettled / windows, nowNanos, patienceNanos);
    forgetWindows();
  }

  private void judge(
      int shards, boolean mayGrow, double demand, double settled, long now, long patienceNanos) {
    if (ceiling > 0) {
      boolean wrong =
          shards <= ceiling
              ? settled < (1 - TOLERANCE) * drainedWithMore
              : helps(shards, demand, settled);
      if (wrong) {
        end();
        patience = 1;
      }
    } else if (before > 0 && helps(shards, demand, settled)) {
      end();
      patience = 1;
    } else if (before > 0 && (shards > base || !mayGrow)) {
      if (measured || !mayGrow || shards >= SURE * base) {
        fail(shards, settled, now, patienceNanos);
      } else {
        measured = true;
        rebase(shards, settled, settled / shards);
      }
    }
  }

  private void forgetWindows() {
    windows = 0;
    sumDemand = 0;
    sumSettled = 0;
  }

  private void end() {
    ceiling = 0;
    before = 0;
  }

  private void fail(int shards, double settled, long nowNanos, long patienceNanos) {
    ceiling = before;
    triedWith = shards;
    drainedWithMore = settled;
    retryAt = nowNanos + patience * patienceNanos;
    patience = Math.min(MOST_PATIENCE, 2 * patience);
  }

  private boolean helps(int shards, double demand, double settled) {
    double hoped = Math.min(demand, drained * shards / base) - drained;
    return shards > base && hoped > 0 && settled - drained >= LEAST_GAIN * hoped;
  }

  /** Why there may be no more; empty if there may. */
  String reason() {
    return ceiling == 0
        ? ""
        : String.format(
            Locale.ROOT,
            "%d shards drain no more than %d, %.0f events/s: the sink, or the machine, is the"
                + " limit",
            triedWith,
            ceiling,
            drainedWithMore);
  }
}
