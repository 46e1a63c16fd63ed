package io.shardbus.shard;

import io.shardbus.event.ShardEvent;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.jctools.queues.MessagePassingQueue;
import org.jctools.queues.MpmcArrayQueue;
import org.jctools.queues.MpscArrayQueue;
import org.jctools.queues.QueueProgressIndicators;
import org.jspecify.annotations.Nullable;

/*
 * How a shard works, and why it is safe.
 *
 * Producers, on any thread, push into a bounded JCTools ring. One consumer at a time, the holder of the consumer lock,
 * takes from it. The ring is an MPSC queue; in mode drop-oldest, where producers take the oldest event out to make
 * room, it is an MPMC queue.
 *
 * Accounting. The ring's producer index counts the accepted events and costs nothing more. The consumer owns
 * `drained`, which is also the next sequence, and `lastTimestamp`.
 *
 * Wake-up. `wakeAt` is 0 while the consumer is awake, else the number of events in the ring at which it wants to be
 * woken: 1 if it has nothing to do, more while it forms a batch. A producer pushes, then reads `wakeAt`, and runs the
 * wake-up if that many are there and it turned `wakeAt` to 0. The consumer writes `wakeAt`, then looks by the indices
 * whether so many are there already. A push contains a compare-and-set of the producer index, and the consumer's write
 * is volatile, so of the two, at least one sees the other; of several producers it is the one with the last index that
 * sees them all. An element that is claimed but not stored yet counts by index, so a null from a poll never puts the
 * consumer to sleep beside it.
 *
 * Sealing. To close the door on producers that hold an old routing table, the ring is filled with tombstones: a full
 * ring refuses, so the gate costs producers nothing. The order is: the shard leaves the routing table; `sealed` is
 * set; the ring is filled; nothing is taken from it ever again. A producer either pushed before the ring was full,
 * then its event is in the ring and is delivered, or finds it full, then sees `sealed` (it was set before the first
 * tombstone) and asks the routing table again, which no longer has the shard. What is in the ring is copied out once
 * every slot holds an element, which waits for producers between claim and store, and the copy is drained instead.
 * Evicting producers take elements out, so they announce themselves in `evictors` and then look at `sealed`; the
 * sealer sets `sealed` and then waits for `evictors` to be 0. Both are sequentially consistent: no eviction runs
 * during or after the fill.
 */

/**
 * A bounded ring of events with its counters and state. The consumer side ({@link #pop}, {@link
 * #popBatch}, {@link #tryDrain}) takes the shard's consumer lock, so that it never runs on two
 * threads at once; everything else may be called from any thread and does not wait.
 */
public final class Shard {

  private static final QueuedEvent TOMBSTONE =
      new QueuedEvent(io.vertx.core.buffer.Buffer.buffer(0), null, 0, null);

  /**
   * Events up to this size are bounded by the ring's capacity alone; larger ones also by their
   * bytes.
   */
  static final int SMALL_EVENT_BYTES = 1024;

  private static final VarHandle WAKE_AT;

  static {
    try {
      WAKE_AT = MethodHandles.lookup().findVarHandle(Shard.class, "wakeAt", int.class);
    } catch (ReflectiveOperationException e) {
      throw new ExceptionInInitializerError(e);
    }
  }

  private final int id;
  private final int capacity;
  private final BackpressureMode mode;
  private final int sampleThreshold;
  private final long maxLargeBytes;
  private final MessagePassingQueue<QueuedEvent> ring;
  private final QueueProgressIndicators indices;
  private final Iterable<QueuedEvent> snapshot;
  private final ShardLedger ledger;

  private final AtomicInteger sampleCounter = new AtomicInteger();
  private final AtomicLong largeBytes = new AtomicLong();
  private final AtomicInteger evictors = new AtomicInteger();
  private final WindowMeter pushLatency = new WindowMeter();
  private final WindowMeter flushLatency = new WindowMeter();

  private volatile ShardState state = ShardState.PROVISIONING;
  private volatile boolean sealed;
  private volatile Runnable wakeUp = () -> {};

  private volatile int wakeAt;

  private final ReentrantLock consumer = new ReentrantLock();
  private volatile boolean cameInVain;

  // Written under the consumer lock.
  private volatile long drained;
  private long lastTimestamp = Long.MIN_VALUE;

  /** Twice the number of tombstones, and one more while another is being pushed. */
  private volatile int filling;

  private QueuedEvent @Nullable [] leftovers;
  private volatile int leftoversLeft;
  private volatile boolean frozen;

  Shard(int id, int capacity, BackpressureMode mode, long maxLargeBytes, ShardLedger ledger) {
    this.id = id;
    this.capacity = capacity;
    this.mode = mode;
    this.sampleThreshold = capacity - capacity / 4;
    this.maxLargeBytes = maxLargeBytes;
    this.ledger = ledger;
    if (mode.kind() == BackpressureMode.Kind.DROP_OLDEST) {
      MpmcArrayQueue<QueuedEvent> queue = new MpmcArrayQueue<>(capacity);
      ring = queue;
      indices = queue;
      snapshot = queue;
    } else {
      MpscArrayQueue<QueuedEvent> queue = new MpscArrayQueue<>(capacity);
      ring = queue;
      indices = queue;
      snapshot = queue;
    }
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
    return frozen ? leftoversLeft : Math.max(0, Math.min(ring.size(), capacity) - filling / 2);
  }

  /**
   * The ring's size.
   *
   * @return events, a power of two
   */
  public int capacity() {
    return capacity;
  }

  /**
   * Whether nothing waits. Includes events whose push is under way.
   *
   * @return true if the ring is empty
   */
  public boolean isEmpty() {
    return frozen
        ? leftoversLeft == 0
        : indices.currentConsumerIndex() == indices.currentProducerIndex();
  }

  /**
   * How full the ring is.
   *
   * @return 0 to 1
   */
  public double fillRatio() {
    return (double) size() / capacity;
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
    return largeBytes.get();
  }

  long accepted() {
    while (true) {
      int before = filling;
      long pushed = indices.currentProducerIndex();
      if (before % 2 == 0 && filling == before) {
        return pushed - before / 2;
      }
      Thread.onSpinWait();
    }
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

  /** What a push came to. */
  enum Push {
    ACCEPTED,
    BACKPRESSURE,
    SAMPLED,
    /** The shard has left the routing table: ask the table again. */
    SEALED
  }

  /**
   * @param countRefusal false if the caller will try again, so that the event is not counted twice
   */
  Push offer(QueuedEvent event, boolean countRefusal) {
    int footprint = event.footprint();
    Push result;
    switch (mode.kind()) {
      case DROP_OLDEST:
        result = offerEvicting(event, footprint);
        break;
      case SAMPLE:
        result = offerSampling(event, footprint);
        break;
      default:
        result = offerBounded(event, footprint) ? Push.ACCEPTED : refused(Push.BACKPRESSURE);
    }
    if (result == Push.ACCEPTED) {
      signal();
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
   * Pushes as many as fit, from the front, with one claim of the ring where its mode and their size
   * allow it.
   *
   * @return how many were accepted; the others have not been counted
   */
  int offerMany(QueuedEvent[] events, int count) {
    if (mode.kind() == BackpressureMode.Kind.DROP_OLDEST
        || mode.kind() == BackpressureMode.Kind.SAMPLE) {
      return 0;
    }
    for (int i = 0; i < count; i++) {
      if (events[i].footprint() > SMALL_EVENT_BYTES) {
        return 0;
      }
    }
    int accepted = ring.fill(new ArraySupplier(events), count);
    if (accepted > 0) {
      signal();
    }
    return accepted;
  }

  private Push refused(Push reason) {
    return sealed ? Push.SEALED : reason;
  }

  private boolean offerBounded(QueuedEvent event, int footprint) {
    if (footprint <= SMALL_EVENT_BYTES) {
      return ring.offer(event);
    }
    if (largeBytes.addAndGet(footprint) <= maxLargeBytes && ring.offer(event)) {
      return true;
    }
    largeBytes.addAndGet(-footprint);
    return false;
  }

  private Push offerSampling(QueuedEvent event, int footprint) {
    if (ring.size() > sampleThreshold
        && (sampleCounter.getAndIncrement() & Integer.MAX_VALUE) % mode.rate() != 0) {
      return refused(Push.SAMPLED);
    }
    return offerBounded(event, footprint) ? Push.ACCEPTED : refused(Push.SAMPLED);
  }

  private Push offerEvicting(QueuedEvent event, int footprint) {
    if (offerBounded(event, footprint)) {
      return Push.ACCEPTED;
    }
    evictors.incrementAndGet();
    try {
      while (!sealed) {
        if (offerBounded(event, footprint)) {
          return Push.ACCEPTED;
        }
        QueuedEvent oldest = ring.poll();
        if (oldest != null) {
          release(oldest);
          ledger.evicted.increment();
          if (oldest.ack != null) {
            oldest.ack.failed(DeliveryAck.Failure.EVICTED, 1);
          }
        }
      }
      return Push.SEALED;
    } finally {
      evictors.decrementAndGet();
    }
  }

  private void signal() {
    int events = wakeAt;
    if (events != 0
        && (events == 1 || ring.size() >= events)
        && WAKE_AT.compareAndSet(this, events, 0)) {
      wakeUp.run();
    }
  }

  private void release(QueuedEvent event) {
    int footprint = event.footprint();
    if (footprint > SMALL_EVENT_BYTES) {
      largeBytes.addAndGet(-footprint);
    }
  }

  // ---------------------------------------------------------------- the consumer

  /**
   * Sets what wakes the consumer, and wakes it once. The wake-up runs on a producer's thread when
   * the ring holds what a sleeping consumer waits for; it must be quick and must not throw.
   *
   * @param action usually to run the drain on the consumer's context
   */
  public void attachConsumer(Runnable action) {
    wakeUp = action;
    wakeAt = 0;
    action.run();
  }

  /** Takes the consumer away: events stay in the ring until another one is attached. */
  public void detachConsumer() {
    wakeUp = () -> {};
  }

  /** Wakes the consumer whatever it does. */
  void wakeConsumer() {
    wakeAt = 0;
    wakeUp.run();
  }

  /**
   * Declares the consumer asleep, unless there is work.
   *
   * @param events how many must wait for it to be woken, at least 1; more than half of the ring
   *     counts as that. With more than 1 the consumer must see to it that it comes back by itself
   * @return true if it may sleep: a wake-up will come; false if it must drain again
   */
  public boolean trySleep(int events) {
    int enough = Math.min(events, capacity / 2);
    wakeAt = enough;
    boolean idle = (enough == 1 || frozen) ? isEmpty() : ring.size() < enough;
    return idle || !WAKE_AT.compareAndSet(this, enough, 0);
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
    } finally {
      unlockConsumer();
    }
    if (buffer.size() > 0) {
      settle(buffer.size(), 0);
      ledger.batches.incrementAndGet();
      buffer.acknowledgeAll();
    }
    return buffer.events();
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
      wakeConsumer();
    }
  }

  private int drain(DrainBuffer buffer, int max, long maxBytes) {
    long sequence = drained;
    if (!buffer.takes(sequence)) {
      return 0;
    }
    int taken = 0;
    long last = lastTimestamp;
    while (taken < max && buffer.bytes() < maxBytes) {
      QueuedEvent event = next();
      if (event == null) {
        break;
      }
      release(event);
      if (event.timestamp <= last) {
        event.timestamp = last + 1;
      }
      last = event.timestamp;
      buffer.add(event);
      taken++;
    }
    lastTimestamp = last;
    drained = sequence + taken;
    return taken;
  }

  private @Nullable QueuedEvent next() {
    QueuedEvent[] copy = leftovers;
    if (copy == null) {
      return ring.relaxedPoll();
    }
    int left = leftoversLeft;
    if (left == 0) {
      return null;
    }
    int at = copy.length - left;
    QueuedEvent event = copy[at];
    copy[at] = TOMBSTONE; // lets the event go
    leftoversLeft = left - 1;
    return event;
  }

  // ---------------------------------------------------------------- the end

  /**
   * Closes the shard to producers, for good; what it holds can still be drained. The shard must
   * have left the routing table. Idempotent; waits for the consumer lock.
   */
  void seal() {
    lockConsumer();
    try {
      if (sealed) {
        return;
      }
      sealed = true;
      while (evictors.get() != 0) {
        Thread.onSpinWait();
      }
      int filled = 0;
      filling = 1;
      while (ring.offer(TOMBSTONE)) {
        filled++;
        filling = 2 * filled;
        filling = 2 * filled + 1;
      }
      filling = 2 * filled;
      QueuedEvent[] copy = copyOfFullRing(filled);
      leftovers = copy;
      leftoversLeft = copy.length;
      frozen = true;
    } finally {
      unlockConsumer();
    }
    wakeConsumer();
  }

  @SuppressWarnings("ThreadPriorityCheck") // the other side never waits
  private QueuedEvent[] copyOfFullRing(int filled) {
    QueuedEvent[] all = new QueuedEvent[capacity];
    while (true) {
      int found = 0;
      for (QueuedEvent event : snapshot) {
        all[found++] = event;
      }
      if (found == capacity) {
        break;
      }
      Thread.yield(); // a producer is between claim and store
    }
    QueuedEvent[] events = new QueuedEvent[capacity - filled];
    int count = 0;
    for (QueuedEvent event : all) {
      if (event != TOMBSTONE) {
        events[count++] = event;
      }
    }
    return Arrays.copyOf(events, count);
  }

  /** Takes what is left, for a caller that unmaps the shard. */
  List<ShardEvent> takeLeftovers() {
    List<ShardEvent> events = new ArrayList<>(leftoversLeft);
    while (!isEmpty()) {
      events.addAll(popBatch(capacity));
    }
    return events;
  }

  @Override
  public String toString() {
    return "shard " + id + " (" + state + ", " + size() + " of " + capacity + " events)";
  }

  private static final class ArraySupplier implements MessagePassingQueue.Supplier<QueuedEvent> {

    private final QueuedEvent[] events;
    private int next;

    ArraySupplier(QueuedEvent[] events) {
      this.events = events;
    }

    @Override
    public QueuedEvent get() {
      return events[next++];
    }
  }
}
