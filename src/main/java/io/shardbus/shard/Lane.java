package io.shardbus.shard;

import java.util.Arrays;
import java.util.function.Consumer;

/*
 * The routing table holds lanes, not shards: a producer that holds an old table must never reach a new ring.
 *
 * A shard begins with one lane, its main lane. When keys leave a shard it is turned over: a fresh main lane takes the
 * place of its open lanes, which are sealed. Each shard that gets some of the keys gets a lane for them, which is
 * fenced on the sealed ones. So the events of a key from before the move are settled before later ones leave their
 * ring. Keys that have not moved do not wait.
 *
 * A lane goes through: closed (it takes events and is not drained) -> open -> sealed (it takes no more) -> settled (it
 * is empty, and all its events are delivered or dead-lettered). A lane that is fenced on none, and follows none, is
 * open from the start.
 *
 * Ownership: producers offer. All else is done with the owner's consumer lock, but for `requestSeal`, and for what is
 * set before the lane is published: `fences`, `before`, `waiters`.
 *
 * Ordering: a producer pushes, then reads `open`, and wakes the owner only if it is. To open a lane, the consumer
 * writes `open` and then drains the lane. Both are sequentially consistent: if a producer woke no consumer for its
 * event, that drain sees the event.
 *
 * Why it is safe: a lane waits for lanes of earlier tables only, so that waits form no circle. It is published only
 * after its owner has it, so that whatever is pushed into it is drained.
 */
/** A generation of a shard's ring, and what it waits for. */
final class Lane {

  private static final Lane[] NONE = {};
  private static final LaneOwner[] NOBODY = {};

  private final LaneOwner owner;
  private final EventRing ring;
  private final ShardLedger ledger;
  private final WakeUp wakeUp;
  private final long madeNanos = System.nanoTime();

  /** Lanes of other shards that must be settled first. */
  private Lane[] fences;

  /** Lanes of the same shard that must be empty first. */
  private Lane[] before;

  /**
   * Shards with lanes that are fenced on this one. They are woken once too often if there was no
   * memory to put such a lane into a table.
   */
  private LaneOwner[] waiters = NOBODY;

  private volatile boolean open;
  private volatile boolean sealRequested;
  private volatile boolean settled;

  /** All of its events have sequences below; -1 until that is known. */
  private long endSequence = -1;

  Lane(
      LaneOwner owner,
      EventRing ring,
      ShardLedger ledger,
      WakeUp wakeUp,
      Lane[] fences,
      Lane[] before) {
    this.owner = owner;
    this.ring = ring;
    this.ledger = ledger;
    this.wakeUp = wakeUp;
    this.fences = fences;
    this.before = before;
    open = fences.length == 0 && before.length == 0;
    for (Lane fence : fences) {
      fence.waiters = with(fence.waiters, owner);
    }
  }

  private static LaneOwner[] with(LaneOwner[] some, LaneOwner more) {
    if (Arrays.asList(some).contains(more)) {
      return some;
    }
    LaneOwner[] next = Arrays.copyOf(some, some.length + 1);
    next[some.length] = more;
    return next;
  }

  LaneOwner owner() {
    return owner;
  }

  EventRing ring() {
    return ring;
  }

  // ---------------------------------------------------------------- producers

  /**
   * @param countRefusal false if the caller will try again, so that the event is not counted twice
   */
  Push offer(QueuedEvent event, boolean countRefusal) {
    return offer(event, countRefusal, Acks::tellEvicted);
  }

  /**
   * @param onEviction told of the acks of events that had to make room
   */
  Push offer(QueuedEvent event, boolean countRefusal, Consumer<DeliveryAck> onEviction) {
    Push result = ring.offer(event, onEviction);
    if (result == Push.ACCEPTED) {
      signal();
    } else if (countRefusal && result == Push.BACKPRESSURE) {
      ledger.backpressure.increment();
    } else if (countRefusal && result == Push.SAMPLED) {
      ledger.sampled.increment();
    }
    return result;
  }

  /** Counts an event that is not offered again. */
  void refuse() {
    ledger.backpressure.increment();
  }

  /**
   * Pushes as many as fit, from the front.
   *
   * @return how many were accepted; the others have not been counted
   */
  int offerMany(QueuedEvent[] events, int count) {
    int accepted = ring.offerMany(events, count);
    if (accepted > 0) {
      signal();
    }
    return accepted;
  }

  private void signal() {
    if (open) {
      wakeUp.signal();
    }
  }

  // ---------------------------------------------------------------- any thread

  boolean isOpen() {
    return open;
  }

  boolean isSettled() {
    return settled;
  }

  boolean isSealRequested() {
    return sealRequested;
  }

  /** Since when it is there, by the monotonic clock. */
  long madeNanos() {
    return madeNanos;
  }

  /** The lanes of other shards that must be settled first; empty once it is open. */
  Lane[] fences() {
    return open ? NONE : fences;
  }

  /** Closes it to producers as soon as the consumer side is free. It must have left the table. */
  void requestSeal() {
    sealRequested = true;
    owner.tend();
  }

  // ---------------------------------------------------------------- with the consumer lock

  /** Whether it may be drained. */
  boolean tryOpen() {
    if (open) {
      return true;
    }
    for (Lane fence : fences) {
      if (!fence.settled) {
        return false;
      }
    }
    for (Lane earlier : before) {
      if (earlier.endSequence < 0) {
        return false;
      }
    }
    forceOpen();
    return true;
  }

  void forceOpen() {
    open = true;
    fences = NONE;
    before = NONE;
  }

  /**
   * Notes that all of it has been taken, if so.
   *
   * @param nextSequence the owner's next sequence
   */
  void noteEnd(long nextSequence) {
    if (endSequence < 0 && open && ring.isFrozen() && ring.isEmpty()) {
      endSequence = nextSequence;
    }
  }

  /**
   * Whether all of it has been taken and settled.
   *
   * @param oldestUnsettled the owner's lowest sequence that is not settled
   */
  boolean isDone(long oldestUnsettled) {
    return endSequence >= 0 && oldestUnsettled >= endSequence;
  }

  /** Opens the fences that wait on it. */
  void settle() {
    settled = true;
    for (LaneOwner waiter : waiters) {
      waiter.wake();
    }
  }

  @Override
  public String toString() {
    return "lane of shard "
        + owner.id()
        + (settled ? " (settled)" : sealRequested ? " (sealed)" : open ? "" : " (fenced)");
  }
}
