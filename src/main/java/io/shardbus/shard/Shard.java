package io.shardbus.shard;

import io.shardbus.event.ShardEvent;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * A bounded ring of events with its consumer, counters and state. The consumer side ({@link #pop},
 * {@link #popBatch}, {@link #tryDrain}) takes the shard's consumer lock, so that it never runs on
 * two threads at once; everything else may be called from any thread and does not wait.
 */
public final class Shard {

  private static final int ABANDON_AT_ONCE = 1024;

  private final int id;
  private final EventRing ring;
  private final WakeUp wakeUp;
  private final ShardLedger ledger;
  private final LongSupplier clock;
  private final WindowMeter pushLatency = new WindowMeter();
  private final WindowMeter flushLatency = new WindowMeter();

  private volatile ShardState state = ShardState.PROVISIONING;

  private final ReentrantLock consumer = new ReentrantLock();
  private volatile boolean cameInVain;

  // Written under the consumer lock. What was drained is also the next sequence.
  private volatile long drained;
  private long lastTimestamp = Long.MIN_VALUE;

  /**
   * @param clock what gives events their timestamps
   */
  Shard(
      int id,
      int capacity,
      BackpressureMode mode,
      long maxLargeBytes,
      ShardLedger ledger,
      LongSupplier clock) {
    this.id = id;
    this.clock = clock;
    this.ledger = ledger;
    ring = new EventRing(capacity, mode, maxLargeBytes, ledger.evicted);
    wakeUp = new WakeUp(ring);
    ledger.open(this);
  }

  // ---------------------------------------------------------------- any thread

  /**
   * The shard's id.
   *
   * @return 0 to 65534
   */
  public int id() {
    return id;
  }

  /**
   * Events waiting to be drained. An estimate while producers push.
   *
   * @return 0 to {@link #capacity()}
   */
  public int size() {
    return ring.size();
  }

  /**
   * The ring's size.
   *
   * @return events, a power of two
   */
  public int capacity() {
    return ring.capacity();
  }

  /**
   * Whether nothing waits. Includes events whose push is under way.
   *
   * @return true if the ring is empty
   */
  public boolean isEmpty() {
    return ring.isEmpty();
  }

  /**
   * How full the ring is.
   *
   * @return 0 to 1
   */
  public double fillRatio() {
    return (double) size() / capacity();
  }

  /**
   * Whether there is no room, be it in events or in bytes. Room in bytes depends on the event: what
   * counts is the last one for which there was none.
   *
   * @return true if the like of it would be refused again
   */
  public boolean isFull() {
    return ring.isFull();
  }

  /**
   * The shard's state.
   *
   * @return where it is in its life
   */
  public ShardState state() {
    return state;
  }

  /**
   * Counts since the shard was made.
   *
   * @return the counts; unrouted is always 0
   */
  public ShardStats stats() {
    return ledger.stats();
  }

  /**
   * Where the shard's events went.
   *
   * @return the account
   */
  public ShardAccounting accounting() {
    return ledger.accounting();
  }

  /**
   * Bytes of the queued events that are larger than 1 KiB, which alone count against the ring's
   * limit in bytes.
   *
   * @return bytes
   */
  public long largeEventBytes() {
    return ring.largeBytes();
  }

  long accepted() {
    return ring.accepted();
  }

  long drained() {
    return drained;
  }

  void state(ShardState next) {
    state = next;
  }

  WindowMeter pushLatency() {
    return pushLatency;
  }

  WindowMeter flushLatency() {
    return flushLatency;
  }

  ShardLedger ledger() {
    return ledger;
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
      wakeUp.signal();
    } else if (countRefusal && result == Push.BACKPRESSURE) {
      ledger.backpressure.increment();
    } else if (countRefusal && result == Push.SAMPLED) {
      ledger.sampled.increment();
    }
    return result;
  }

  /** Counts an event that nobody offers any more. */
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
      wakeUp.signal();
    }
    return accepted;
  }

  // ---------------------------------------------------------------- the consumer

  /**
   * Sets what wakes the consumer, and wakes it once. The wake-up runs on a producer's thread when
   * the ring holds what a sleeping consumer waits for, so it must be quick. If it throws, the next
   * push tries again.
   *
   * @param action usually to run the drain on the consumer's context
   */
  public void attachConsumer(Runnable action) {
    wakeUp.attach(action);
  }

  /** Takes the consumer away: events stay in the ring until another one is attached. */
  public void detachConsumer() {
    wakeUp.detach();
  }

  /**
   * Declares the consumer asleep, unless there is work.
   *
   * @param events how many must wait for it to be woken, at least 1; more than half of the ring
   *     counts as that. With more than 1 the consumer must see to it that it comes back by itself
   * @return true if it may sleep: a wake-up will come; false if it must drain again
   */
  public boolean trySleep(int events) {
    return wakeUp.trySleep(events);
  }

  /**
   * Takes events without waiting for the consumer lock. They count as in flight until they are
   * settled by {@link #settle}.
   *
   * @param buffer to which they are added, in order; none if it would not be without a gap
   * @param max how many at the most
   * @param maxBytes no more are taken once the buffer holds this many bytes of payload
   * @return how many were taken; -1 if another thread has the consumer side, in which case the
   *     consumer is woken when that thread lets go
   */
  public int tryDrain(DrainBuffer buffer, int max, long maxBytes) {
    if (!consumer.tryLock()) {
      cameInVain = true;
      // Once more: whoever lets go from here on sees the flag.
      if (!consumer.tryLock()) {
        return -1;
      }
    }
    try {
      cameInVain = false;
      return drain(buffer, max, maxBytes);
    } finally {
      consumer.unlock();
    }
  }

  /**
   * Counts the fate of events that {@link #tryDrain} took.
   *
   * @param delivered how many the sink confirmed
   * @param deadLettered how many it refused for good
   */
  public void settle(int delivered, int deadLettered) {
    ledger.delivered.addAndGet(delivered);
    ledger.deadLettered.addAndGet(deadLettered);
  }

  /**
   * Counts a batch that the sink took.
   *
   * @param nanos from the hand-over to the answer
   */
  public void recordFlush(long nanos) {
    ledger.batches.incrementAndGet();
    flushLatency.add(nanos);
  }

  /**
   * Takes up to {@code max} events. They count as delivered: they are the caller's now. Waits for
   * the consumer lock.
   *
   * @param max how many at the most, at least 1
   * @return the events in order; empty if there are none
   */
  public List<ShardEvent> popBatch(int max) {
    if (max < 1) {
      throw new IllegalArgumentException("max: " + max + " must be at least 1");
    }
    DrainBuffer buffer = new DrainBuffer(id, Math.min(max, 1024));
    lockConsumer();
    try {
      // One null is no end: a producer may be between claim and store.
      while (buffer.size() < max && !isEmpty()) {
        if (drain(buffer, max - buffer.size(), Long.MAX_VALUE) == 0) {
          Thread.onSpinWait();
        }
      }
    } catch (OutOfMemoryError e) {
      if (buffer.size() == 0) {
        throw e;
      } // else the caller gets those for which there was memory
    } finally {
      unlockConsumer();
    }
    if (buffer.size() > 0) {
      settle(buffer.size(), 0);
      ledger.batches.incrementAndGet();
      buffer.acknowledgeAll(null);
    }
    return buffer.events();
  }

  /**
   * Gives up what is in the ring: whoever asked is told, and the events stay in flight for good.
   * Waits for the consumer lock.
   */
  public void abandon() {
    while (!isEmpty()) {
      DrainBuffer some = new DrainBuffer(id, ABANDON_AT_ONCE);
      lockConsumer();
      try {
        if (drain(some, ABANDON_AT_ONCE, Long.MAX_VALUE) == 0) {
          Thread.onSpinWait(); // a producer is between claim and store
        }
      } finally {
        unlockConsumer();
      }
      some.acknowledgeAll(DeliveryAck.Failure.ABANDONED);
    }
  }

  /**
   * Takes one event, as {@link #popBatch} does.
   *
   * @return the oldest event, or empty
   */
  public Optional<ShardEvent> pop() {
    List<ShardEvent> one = popBatch(1);
    return one.isEmpty() ? Optional.empty() : Optional.of(one.get(0));
  }

  void lockConsumer() {
    consumer.lock();
  }

  boolean tryLockConsumer() {
    return consumer.tryLock();
  }

  void unlockConsumer() {
    consumer.unlock();
    if (!consumer.isHeldByCurrentThread() && cameInVain) {
      cameInVain = false;
      wakeUp.wake();
    }
  }

  private int drain(DrainBuffer buffer, int max, long maxBytes) {
    long sequence = drained;
    if (!buffer.takes(sequence)) {
      return 0;
    }
    int taken = 0;
    long last = lastTimestamp;
    try {
      while (taken < max && buffer.bytes() < maxBytes) {
        buffer.reserve(); // between taking an event and owning it nothing may fail
        QueuedEvent event = ring.poll();
        if (event == null) {
          break;
        }
        if (event.timestamp <= last && !clockWentBack(event.timestamp, last)) {
          event.timestamp = last + 1;
        }
        last = event.timestamp;
        buffer.add(event);
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

  // ---------------------------------------------------------------- the end

  /**
   * Closes the shard to producers, for good; what it holds can still be drained. The shard must
   * have left the routing table. Idempotent; waits for the consumer lock.
   */
  void seal() {
    lockConsumer();
    try {
      ring.seal();
    } finally {
      unlockConsumer();
    }
    wakeUp.wake();
  }

  /** Takes what is left, for a caller that unmaps the shard. */
  List<ShardEvent> takeLeftovers() {
    return popBatch(capacity());
  }

  @Override
  public String toString() {
    return "shard " + id + " (" + state + ", " + size() + " of " + capacity() + " events)";
  }
}
