package io.shardbus.shard;

import java.util.Locale;

/*
 * More shards do not help where something that they share is the limit: one disk, one connection, the processors. What
 * one shard drains sinks then with each one more, and asks for still more. So scaling up is a trial:
 *
 *   began    as many shards as there were, and what they drained, are noted. What one shard drained then is held to be
 *            what one more will drain, so that a trial cannot feed itself.
 *   judged   at the end of each window in which all shards were active and overloaded, by the part of the hoped-for
 *            gain that came true. Two windows in a row with less than LEAST_GAIN are a failure.
 *   failed   there may be no more shards than before the trial, for a while that doubles with each failure in a row, from
 *            scaleDownDelay to MOST_PATIENCE times as much. If fewer shards then drain less after all, the verdict was
 *            wrong, and is taken back.
 */
/** Finds out whether more shards bring more. Not safe for threads. */
final class ScalingTrial {

  /** Which part of the gain that was hoped for must come true. */
  private static final double LEAST_GAIN = 0.25;

  /** Windows in a row that must say the same. */
  private static final int WINDOWS = 2;

  /** How many times scaleDownDelay the next trial is put off at the most. */
  private static final int MOST_PATIENCE = 16;

  /** Throughput that differs by less is the same. */
  private static final double TOLERANCE = 0.1;

  private int before;
  private double drainedBefore;
  private double perShardBefore;
  private int failedWindows;

  /** The most shards that helped; 0 while there is no such limit. */
  private int ceiling;

  private double drainedWithMore;
  private int triedWith;
  private long retryAt;
  private int patience = 1;

  /** Shards are about to be added. */
  void begin(int shards, double drained, double perShard) {
    if (before == 0) {
      before = shards;
      drainedBefore = drained;
      perShardBefore = perShard;
      failedWindows = 0;
    }
  }

  /**
   * What each shard is held to drain at least: what one drained before the trial; 0 without one.
   */
  double leastPerShard() {
    return before > 0 || ceiling > 0 ? perShardBefore : 0;
  }

  /** The most shards that help, or may do so. */
  int most() {
    return ceiling == 0 ? Integer.MAX_VALUE : ceiling;
  }

  /**
   * Takes note of a window in which all shards were active throughout.
   *
   * @param overloaded whether more came than could be drained
   * @param demand events per second that came; infinite where full rings held producers up
   * @param settled events per second whose fate was decided
   * @param patienceNanos after which a trial that failed is made once more
   */
  void windowEnded(
      int shards,
      boolean overloaded,
      double demand,
      double settled,
      long nowNanos,
      long patienceNanos) {
    if (ceiling > 0) {
      boolean wrong =
          overloaded
              && (shards <= ceiling
                  ? settled < (1 - TOLERANCE) * drainedWithMore
                  : helps(shards, demand, settled));
      if (wrong || nowNanos - retryAt >= 0) {
        ceiling = 0;
        before = 0;
        patience = wrong ? 1 : patience;
      }
      return;
    }
    if (before == 0 || shards <= before) {
      return;
    }
    if (!overloaded || helps(shards, demand, settled)) {
      before = 0;
      patience = 1;
    } else if (++failedWindows >= WINDOWS) {
      ceiling = before;
      triedWith = shards;
      drainedWithMore = settled;
      retryAt = nowNanos + patience * patienceNanos;
      patience = Math.min(MOST_PATIENCE, 2 * patience);
    }
  }

  private boolean helps(int shards, double demand, double settled) {
    double hoped = Math.min(demand, drainedBefore * shards / before) - drainedBefore;
    return settled - drainedBefore >= LEAST_GAIN * hoped;
  }

  /** Why there may be no more; empty if there may. */
  String reason() {
    return ceiling == 0
        ? ""
        : String.format(
            Locale.ROOT,
            "%d shards drained %.0f events/s, and %d drained %.0f: the sink, or the machine, gives"
                + " no more",
            ceiling,
            drainedBefore,
            triedWith,
            drainedWithMore);
  }
}
