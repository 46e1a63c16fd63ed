package io.shardbus.shard;

import io.shardbus.event.Outcome;
import io.shardbus.event.ShardEvent;
import java.util.List;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongSupplier;

/*
 * Ownership: the consumer side belongs to the thread that holds the lock. Producers push into the lanes without it. The
 * mapper adds lanes, and the consumer takes settled ones out.
 *
 * Ordering: a thread that cannot wait for the lock may need work on the consumer side (to seal a lane, to note that one
 * is settled). It writes the request to `work` before it tries the lock. A thread that releases the lock reads `work`
 * afterwards. So one of the two does the work.
 *
 * Why it is safe: a lane is settled when its last event's sequence is below `oldestHeld`, the lowest sequence that was
 * taken and is not settled. Only the one consumer that uses `tryDrain` holds events. Events that other methods take
 * belong to their caller at once, and count as settled.
 */
/** The consumer side of one shard: takes events out of its lanes and gives them sequences. */
final class ShardConsumer {

  private static final int ABANDON_AT_ONCE = 1024;

  /** Events that one lane may give before it is the next one's turn. */
  private static final int LANE_QUOTA = 1024;

  private static final long NONE_HELD = Long.MAX_VALUE;

  private final int shard;
  private final LaneSet lanes;
  private final ShardLedger ledger;
  private final WakeUp wakeUp;
  private final LongSupplier clock;

  private final ReentrantLock lock = new ReentrantLock();
  private volatile boolean cameInVain;
  private volatile boolean work;
  private volatile boolean sealing;

  // Written with the lock. What was drained is also the next sequence.
  private volatile long drained;
  private long lastTimestamp = Long.MIN_VALUE;
  private int nextLane;

  /** The lowest sequence that {@link #tryDrain} gave and that is not settled. */
  private volatile long oldestHeld = NONE_HELD;

  ShardConsumer(int shard, LaneSet lanes, ShardLedger ledger, WakeUp wakeUp, LongSupplier clock) {
    this.shard = shard;
    this.lanes = lanes;
    this.ledger = ledger;
    this.wakeUp = wakeUp;
    this.clock = clock;
  }

  /** How many events were taken since the start. */
  long drained() {
    return drained;
  }

  // ---------------------------------------------------------------- the lock

  void lock() {
    lock.lock();
  }

  boolean tryLock() {
    return lock.tryLock();
  }

  void unlock() {
    lock.unlock();
    if (!lock.isHeldByCurrentThread()) {
      doWork();
      wakeWhoCameInVain();
    }
  }

  /** See {@link LaneOwner#tend}. */
  void tend() {
    work = true;
    doWork();
  }

  private void doWork() {
    while (work && lock.tryLock()) {
      boolean noMemory = false;
      try {
        work = false;
        tendLanes();
      } catch (OutOfMemoryError e) {
        work = true;
        noMemory = true;
      } finally {
        lock.unlock();
      }
      if (noMemory) {
        wakeUp.wake(); // the consumer's next turn tries again
        return;
      }
      wakeWhoCameInVain();
    }
  }

  private void wakeWhoCameInVain() {
    if (cameInVain) {
      cameInVain = false;
      wakeUp.wake();
    }
  }

  // ---------------------------------------------------------------- lanes

  /** With the lock. */
  private void tendLanes() {
    boolean sealed = false;
    for (Lane lane : lanes.all()) {
      if (lane.isSealRequested() && !lane.ring().isFrozen()) {
        sealing = true;
        lane.ring().seal();
        sealed = true;
      }
    }
    if (sealing) {
      retireSettled();
    }
    if (sealed) {
      wakeUp.wake();
    }
  }

  /** With the lock. */
  private void retireSettled() {
    boolean left = false;
    for (Lane lane : lanes.all()) {
      lane.tryOpen();
      lane.noteEnd(drained);
      if (lane.isDone(oldestHeld)) {
        lanes.retire(lane);
        lane.settle();
      } else {
        left |= lane.isSealRequested();
      }
    }
    sealing = left;
  }

  /** See {@link Shard#settledBelow}. */
  void settledBelow(long sequence) {
    oldestHeld = sequence;
    if (sealing) {
      tend();
    }
  }

  // ---------------------------------------------------------------- taking events

  /** See {@link Shard#tryDrain}. */
  int tryDrain(DrainBuffer buffer, int max, long maxBytes) {
    if (!lock.tryLock()) {
      cameInVain = true;
      // Once more: a thread that releases the lock from here on sees the flag.
      if (!lock.tryLock()) {
        return -1;
      }
    }
    try {
      cameInVain = false;
      long first = drained;
      boolean nothingHeld = oldestHeld == NONE_HELD;
      if (nothingHeld) {
        oldestHeld = first; // before a lane can be found empty
      }
      try {
        return drain(buffer, max, maxBytes);
      } finally {
        if (nothingHeld && drained == first) {
          oldestHeld = NONE_HELD;
        }
      }
    } finally {
      unlock();
    }
  }

  private int drain(DrainBuffer buffer, int max, long maxBytes) {
    if (!buffer.takes(drained)) {
      return 0;
    }
    Lane[] all = lanes.all();
    int total = 0;
    if (all.length == 1) {
      total = all[0].tryOpen() ? drain(all[0].ring(), buffer, max, maxBytes) : 0;
    } else {
      for (int i = 0; i < all.length && total < max && buffer.bytes() < maxBytes; i++) {
        nextLane = nextLane < all.length - 1 ? nextLane + 1 : 0;
        Lane lane = all[nextLane];
        if (lane.tryOpen()) {
          total += drain(lane.ring(), buffer, Math.min(LANE_QUOTA, max - total), maxBytes);
          lane.noteEnd(drained);
        }
      }
    }
    if (sealing) {
      retireSettled();
    }
    return total;
  }

  private int drain(EventRing ring, DrainBuffer buffer, int max, long maxBytes) {
    long sequence = drained;
    int taken = 0;
    long last = lastTimestamp;
    try {
      while (taken < max && buffer.bytes() < maxBytes) {
        buffer.reserve(); // between taking an event and owning it nothing may fail
        QueuedEvent event = ring.poll();
        if (event == null) {
          break;
        }
        long own = event.timestamp;
        if (own <= last && !clockWentBack(own, last)) {
          event.timestamp = last + 1;
        }
        last = event.timestamp;
        buffer.add(event, own);
        taken++;
      }
    } finally {
      lastTimestamp = last;
      drained = sequence + taken;
    }
    return taken;
  }

  /** Whether the last event's time has yet to come, so that waiting for it would take too long. */
  private boolean clockWentBack(long timestamp, long last) {
    return last - timestamp > MonotonicClock.LONGEST_STANDSTILL_NANOS
        && last - clock.getAsLong() > MonotonicClock.LONGEST_STANDSTILL_NANOS;
  }

  /** See {@link Shard#popBatch}. */
  List<ShardEvent> pop(int max) {
    DrainBuffer buffer = new DrainBuffer(shard, Math.min(max, 1024));
    lock();
    try {
      pop(buffer, max);
    } finally {
      unlock();
    }
    buffer.acknowledgeAll(null);
    return buffer.events();
  }

  /** With the lock. Throws only if it takes nothing. */
  private void pop(DrainBuffer buffer, int max) {
    int before = buffer.size();
    try {
      retireSettled(); // opens lanes; an empty one may have been waited for
      // One null is no end: a producer may be between claim and store.
      while (buffer.size() < max && lanes.holds(1)) {
        if (drain(buffer, max - buffer.size(), Long.MAX_VALUE) == 0) {
          Thread.onSpinWait();
        }
      }
    } catch (OutOfMemoryError e) {
      work = true; // lanes may have been left to be settled
      if (buffer.size() == before) {
        throw e;
      } // else the caller gets those for which there was memory
    }
    if (buffer.size() > before) {
      ledger.delivered.addAndGet(buffer.size() - before);
      ledger.batches.incrementAndGet();
    }
  }

  /** See {@link Shard#abandon}. */
  void abandon() {
    oldestHeld = NONE_HELD;
    boolean left = true;
    while (left) {
      DrainBuffer some = new DrainBuffer(shard, ABANDON_AT_ONCE);
      lock();
      try {
        for (Lane lane : lanes.all()) {
          lane.forceOpen();
        }
        if (drain(some, ABANDON_AT_ONCE, Long.MAX_VALUE) == 0) {
          Thread.onSpinWait(); // a producer is between claim and store
        }
        left = !lanes.isEmpty();
      } finally {
        unlock();
      }
      some.acknowledgeAll(Outcome.UNKNOWN);
    }
  }

  /**
   * Takes the remaining events, or throws. The caller has the lock, has requested the seal, and
   * unmaps the shard. The acks are not told.
   */
  @SuppressWarnings("ThreadPriorityCheck") // waits only for the garbage collector
  DrainBuffer takeLeftovers() {
    tendLanes();
    DrainBuffer leftovers =
        new DrainBuffer(shard, lanes.size()); // no more memory is needed for events
    while (!lanes.isEmpty()) {
      pop(leftovers, Integer.MAX_VALUE);
    }
    while (true) {
      try {
        retireSettled(); // nobody comes again
        return leftovers;
      } catch (OutOfMemoryError e) {
        Thread.yield();
      }
    }
  }
}
