package io.shardbus.shard;

/*
 * What one shard can drain, estimated from what it did in each metrics window.
 *
 * The rate is what Flink's autoscaler calls the true processing rate (FLIP-271): events settled / time busy. Settled,
 * not drained: what a shard took into a batch and never gets rid of is no progress. As in Kafka's partitioner (KIP-794)
 * a queue that grows counts against a shard even where no write is slow.
 *
 *   busy = max(time of the writes answered in the window, time stalled before it + window * waiting share)
 *   waiting share = the larger of (time it takes to settle what waits, 1 s or more counting as 1) and (fill of the ring)
 *
 * Each of the two is the smaller of its values at both ends of the window: what came or went in between is no backlog.
 * The waiting share is for a shard without writes, which popBatch drains, and for one that something other than its
 * sink holds up. What waits is what was accepted and is not settled: in the ring and in flight.
 *
 * Hung is a shard that had something waiting at both ends of a window and settled nothing in it. A sink whose writes
 * take longer than a window has twice the time of its last writes. A hung shard can drain nothing. It gets back what
 * was known of it in the second window in which it settles something without a stall before it, or with a stall no longer
 * than twice the write before. One write that gets through is no cure, and what it does with next to no load, in small
 * batches, says little. A batch that is given up is no write.
 *
 * A shard that is hardly busy shows only what it can drain at least. So does one that writes nearly all the time though
 * no more waits than it is about to write: where a write takes its time whatever its size, larger ones bring more. How
 * much more is not known, and where its size counts it is nothing: so it is trusted with less.
 *
 * Without writes a shard with an empty ring shows nothing: it looks idle as soon as it has lost its load. So the estimate
 * keeps what was measured while events waited: the limit. The shard disproves its limit when it settles twice as much as
 * then. Otherwise the limit is forgotten after a minute, so that the shard is tried again, and the next one is kept for
 * twice as long.
 */
/** Estimates what one shard can drain, once for balancing and scaling. Not safe for threads. */
final class DrainCapacity {

  /** Below this share of the window the busy time is no measure: so much is assumed. */
  private static final double LEAST_BUSY = 0.01;

  /** A shard that is busy for less of the window shows only a lower bound. */
  private static final double HARDLY_BUSY = 0.1;

  /** A shard that is busy for more of the window writes nearly all the time. */
  private static final double NEARLY_ALWAYS_BUSY = 0.8;

  /**
   * What a shard that is hardly busy is trusted with, as a multiple of what it has shown. Since it
   * is busy for less than a tenth of the time, that brings it to no pressure worth relief.
   */
  private static final double HARDLY_BUSY_TRUST = 4;

  /** The same if it writes nearly all the time, and nothing waits: so it is not near its limit. */
  private static final double LARGER_BATCHES_TRUST = 1.25;

  /** Batches that are no backlog: one is being written, one forms, and they differ. */
  private static final double BATCHES_UNDER_WAY = 2.5;

  /** While one is being written, a ring is left alone up to this fill. */
  private static final double LEFT_ALONE = 0.5;

  private static final double WEIGHT_OF_LATEST = 0.5;

  /** Delay, in seconds, from which on a shard counts as busy throughout. */
  private static final double LONG_DELAY = 1;

  /** How often the time of the last writes has to pass without an answer. */
  private static final double PATIENCE = 2;

  /** What a shard that is below its limit is trusted with, as a multiple of the limit. */
  private static final double LIMIT_TRUST = 1.25;

  /** A limit is disproved by so many times what was settled then. */
  private static final double DISPROVED = 2;

  private static final double LEAST_MEMORY_SECONDS = 60;

  private final double leastStallSeconds;
  private Estimate known = Estimate.UNKNOWN;

  /** What was known before the latest window with progress, in which it may have begun to hang. */
  private Estimate knownBefore = Estimate.UNKNOWN;

  private boolean hung;
  private double stalledSeconds;
  private double lastWriteSeconds;

  /** The capacity of a shard without writes, measured while events waited; 0 if there is none. */
  private double limit;

  /** Events per second that the shard settled then. */
  private double shownAtLimit;

  private double secondsSinceLimit;
  private double memorySeconds = LEAST_MEMORY_SECONDS;

  /**
   * @param leastStallSeconds without progress that are no hang
   */
  DrainCapacity(double leastStallSeconds) {
    this.leastStallSeconds = leastStallSeconds;
  }

  /**
   * @param perSecond events per second that the shard can settle when it is busy throughout; 0 if
   *     it hangs
   * @param trust how many times as much it may well be; 1 if that was measured
   */
  record Estimate(double perSecond, double trust) {

    static final Estimate UNKNOWN = new Estimate(0, HARDLY_BUSY_TRUST);
    static final Estimate HUNG = new Estimate(0, 1);

    boolean atLeast() {
      return trust > 1;
    }

    boolean unknown() {
      return perSecond == 0 && atLeast();
    }

    /** Events per second that the shard is trusted with. */
    double trusted() {
      return trust * perSecond;
    }

    boolean hung() {
      return perSecond == 0 && !atLeast();
    }
  }

  /**
   * What the shard did in one window.
   *
   * @param seconds how long it was
   * @param settled events whose fate was decided
   * @param waitingBefore events accepted and not settled when it began
   * @param waitingAfter events accepted and not settled when it ended
   * @param fillRatio how full the ring was at both ends at least, 0 to 1
   * @param writeSeconds the time of all writes that were answered in it
   * @param meanWriteSeconds the time of one; 0 if there was none
   */
  record Window(
      double seconds,
      long settled,
      long waitingBefore,
      long waitingAfter,
      double fillRatio,
      double writeSeconds,
      double meanWriteSeconds) {

    double busySeconds(double stalledBefore) {
      return Math.max(writeSeconds, stalledBefore + seconds * waitingShare());
    }

    private double waitingShare() {
      double delay = Math.min(waitingBefore, waitingAfter) * seconds / settled;
      return Math.min(1, Math.max(delay / LONG_DELAY, fillRatio));
    }

    /** Whether larger batches could have been written. */
    boolean hasNoBacklog() {
      if (writeSeconds == 0 || fillRatio >= LEFT_ALONE) {
        return false;
      }
      double batch = settled * meanWriteSeconds / writeSeconds;
      return Math.min(waitingBefore, waitingAfter) <= BATCHES_UNDER_WAY * batch;
    }
  }

  Estimate update(Window window) {
    secondsSinceLimit += window.seconds();
    if (window.settled() > 0) {
      progressed(window);
    } else if (window.waitingBefore() > 0 && window.waitingAfter() > 0) {
      stalledSeconds += window.seconds();
      if (!hung && stalledSeconds >= Math.max(leastStallSeconds, PATIENCE * lastWriteSeconds)) {
        hung = true;
        known = knownBefore;
      }
    } else {
      stalledSeconds = 0;
    }
    forgetOldLimit();
    return hung ? Estimate.HUNG : known;
  }

  private void progressed(Window window) {
    double stalledBefore = stalledSeconds;
    double patience = PATIENCE * lastWriteSeconds;
    stalledSeconds = 0;
    lastWriteSeconds = window.meanWriteSeconds();
    if (hung) {
      hung = stalledBefore > 0 && stalledBefore >= patience;
      return;
    }
    knownBefore = known;
    if (window.writeSeconds() == 0) {
      noteLimit(window, stalledBefore);
    } else {
      limit = 0;
    }
    known =
        limit > 0
            ? new Estimate(limit, secondsSinceLimit == 0 ? 1 : LIMIT_TRUST)
            : merge(measure(window, stalledBefore));
  }

  private void forgetOldLimit() {
    if (limit > 0 && secondsSinceLimit > memorySeconds) {
      limit = 0;
      memorySeconds *= 2;
      known = Estimate.UNKNOWN;
    }
  }

  /** An estimate from a short delay is too high if a backlog ends, so only a lower one counts. */
  private void noteLimit(Window window, double stalledBefore) {
    double share = window.waitingShare();
    double shown = window.settled() / window.seconds();
    double measured = window.settled() / window.busySeconds(stalledBefore);
    if (share > NEARLY_ALWAYS_BUSY || (share > HARDLY_BUSY && (limit == 0 || measured < limit))) {
      limit = measured;
      shownAtLimit = shown;
    } else if (shown > DISPROVED * shownAtLimit) {
      limit = 0;
      memorySeconds = LEAST_MEMORY_SECONDS;
    }
    if (share > HARDLY_BUSY) {
      secondsSinceLimit = 0;
    }
  }

  private static Estimate measure(Window window, double stalledBefore) {
    double busy = window.busySeconds(stalledBefore);
    double trust = 1;
    if (busy < HARDLY_BUSY * window.seconds()) {
      trust = HARDLY_BUSY_TRUST;
    } else if (busy > NEARLY_ALWAYS_BUSY * window.seconds() && window.hasNoBacklog()) {
      trust = LARGER_BATCHES_TRUST;
    }
    return new Estimate(window.settled() / Math.max(LEAST_BUSY * window.seconds(), busy), trust);
  }

  private Estimate merge(Estimate latest) {
    if (latest.atLeast()) {
      return new Estimate(Math.max(known.perSecond(), latest.perSecond()), latest.trust());
    }
    double before = known.atLeast() ? latest.perSecond() : known.perSecond();
    return new Estimate(before + WEIGHT_OF_LATEST * (latest.perSecond() - before), 1);
  }
}
