package io.shardbus.shard;

import io.vertx.core.buffer.Buffer;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import org.jctools.queues.MessagePassingQueue;
import org.jctools.queues.MpmcArrayQueue;
import org.jctools.queues.MpscArrayQueue;
import org.jctools.queues.QueueProgressIndicators;
import org.jspecify.annotations.Nullable;

/*
 * Producers, on any thread, push into a bounded JCTools ring; one consumer at a time takes from it. The ring is an MPSC
 * queue; in mode drop-oldest, where producers take the oldest event out to make room, it is an MPMC queue.
 *
 * Accounting. The ring's producer index counts the accepted events and costs nothing more.
 *
 * Sealing. To close the door on producers that hold an old routing table, the ring is filled with tombstones: a full
 * ring refuses, so the gate costs producers nothing. The order is: the ring leaves the routing table; `sealed` is
 * set; the ring is filled; nothing is taken from it ever again. A producer either pushed before the ring was full,
 * then its event is in the ring and is delivered, or finds it full, then sees `sealed` (it was set before the first
 * tombstone) and asks the routing table again, which no longer has the ring. What is in the ring is copied out once
 * every slot holds an element, which waits for producers between claim and store, and the copy is drained instead.
 * A ring of 65,536 is sealed in some 0.3 ms, of which producers notice nothing.
 * Evicting producers take elements out, so they announce themselves in `evictors` and then look at `sealed`; the
 * sealer sets `sealed` and then waits for `evictors` to be 0. Both are sequentially consistent: no eviction runs
 * during or after the fill.
 *
 * Counting beside the fill. While tombstones go in, the index counts them too, and readers are told the number of
 * before: `fixed` is set to PREPARING, which makes them wait for the two steps until it holds that number, then the
 * fill begins, and at the end of it `tombstones` is set and `fixed` taken back. Whoever has read the index without
 * seeing `fixed` before or after has read it before the fill or after it, as `tombstones` tells. So the count never
 * goes back, and nobody waits for the fill.
 */
/** A shard's bounded ring with its limit in bytes, its mode and its end. */
final class EventRing {

  private static final QueuedEvent TOMBSTONE = QueuedEvent.of(Buffer.buffer(0), null, 0, null);
  private static final long NOT_FIXED = -1;
  private static final long PREPARING = -2;

  private final int capacity;
  private final BackpressureMode mode;
  private final int sampleThreshold;
  private final long maxLargeBytes;
  private final LongAdder evicted;
  private final MessagePassingQueue<QueuedEvent> queue;
  private final QueueProgressIndicators indices;
  private final Iterable<QueuedEvent> snapshot;

  private final AtomicInteger sampleCounter = new AtomicInteger();
  private final AtomicLong largeBytes = new AtomicLong();

  /** The size of the last event for which there was no room in bytes; at first 0. */
  private volatile int refusedBytes;

  private final AtomicInteger evictors = new AtomicInteger();

  private volatile boolean sealed;
  private volatile long fixed = NOT_FIXED;
  private volatile int tombstones;

  // The consumer's, once the ring is full of tombstones.
  private QueuedEvent @Nullable [] leftovers;
  private int leftoversEnd;
  private volatile int leftoversLeft;
  private volatile boolean frozen;

  /**
   * @param evicted counts the events that are pushed out
   */
  EventRing(int capacity, BackpressureMode mode, long maxLargeBytes, LongAdder evicted) {
    this.capacity = capacity;
    this.mode = mode;
    this.sampleThreshold = capacity - capacity / 4;
    this.maxLargeBytes = maxLargeBytes;
    this.evicted = evicted;
    if (mode.kind() == BackpressureMode.Kind.DROP_OLDEST) {
      MpmcArrayQueue<QueuedEvent> mpmc = new MpmcArrayQueue<>(capacity);
      queue = mpmc;
      indices = mpmc;
      snapshot = mpmc;
    } else {
      MpscArrayQueue<QueuedEvent> mpsc = new MpscArrayQueue<>(capacity);
      queue = mpsc;
      indices = mpsc;
      snapshot = mpsc;
    }
  }

  // ---------------------------------------------------------------- any thread

  int capacity() {
    return capacity;
  }

  /** An estimate while producers push. */
  int size() {
    if (frozen) {
      return leftoversLeft;
    }
    long before = fixed;
    return before < 0
        ? Math.max(0, Math.min(queue.size(), capacity) - tombstones)
        : (int) Math.max(0, before - indices.currentConsumerIndex());
  }

  /** Includes events whose push is under way. */
  boolean isEmpty() {
    return frozen
        ? leftoversLeft == 0
        : indices.currentConsumerIndex() == indices.currentProducerIndex();
  }

  /** Whether so many are there; if so many have been pushed and not taken, it is seen. */
  boolean holds(int events) {
    return (events == 1 || frozen) ? !isEmpty() : queue.size() >= events;
  }

  /** Whether it is closed to producers, so that what is in it now is all that ever will be. */
  boolean isFrozen() {
    return frozen;
  }

  /** Events that have been taken or evicted since the start; never goes back. */
  long left() {
    return frozen ? accepted() - leftoversLeft : indices.currentConsumerIndex();
  }

  /** Whether no event fits, or not the last one that did not. */
  boolean isFull() {
    return size() >= capacity || largeBytes.get() + refusedBytes > maxLargeBytes;
  }

  long largeBytes() {
    return largeBytes.get();
  }

  /** Events that were pushed since the start. */
  long accepted() {
    while (true) {
      int filled = tombstones;
      long before = fixed;
      if (before >= 0) {
        return before;
      }
      long pushed = indices.currentProducerIndex();
      if (before == NOT_FIXED && fixed == NOT_FIXED && tombstones == filled) {
        return pushed - filled;
      }
      Thread.onSpinWait();
    }
  }

  // ---------------------------------------------------------------- producers

  /**
   * @param onEviction told of the ack of each event that had to make room, if it has one
   */
  Push offer(QueuedEvent event, Consumer<DeliveryAck> onEviction) {
    int footprint = event.footprint();
    return switch (mode.kind()) {
      case DROP_OLDEST -> offerEvicting(event, footprint, onEviction);
      case SAMPLE -> offerSampling(event, footprint);
      default -> offerBounded(event, footprint) ? Push.ACCEPTED : refused(Push.BACKPRESSURE);
    };
  }

  /**
   * Pushes as many as fit, from the front, with a claim of the ring for many at once, where its
   * mode and their size allow it; else none.
   *
   * @return how many were accepted
   */
  int offerMany(QueuedEvent[] events, int count) {
    if (mode.kind() == BackpressureMode.Kind.DROP_OLDEST
        || mode.kind() == BackpressureMode.Kind.SAMPLE) {
      return 0;
    }
    for (int i = 0; i < count; i++) {
      if (events[i].footprint() > ShardLimits.SMALL_EVENT_BYTES) {
        return 0;
      }
    }
    ArraySupplier next = new ArraySupplier(events);
    int pushed = 0;
    int claimed;
    do { // a claim ends where the consumer was when a producer last looked
      claimed = queue.fill(next, count - pushed);
      pushed += claimed;
    } while (claimed > 0 && pushed < count);
    return pushed;
  }

  private Push refused(Push reason) {
    return sealed ? Push.SEALED : reason;
  }

  private boolean offerBounded(QueuedEvent event, int footprint) {
    if (footprint <= ShardLimits.SMALL_EVENT_BYTES) {
      return queue.offer(event);
    }
    if (largeBytes.addAndGet(footprint) > maxLargeBytes) {
      refusedBytes = footprint;
    } else if (queue.offer(event)) {
      return true;
    }
    largeBytes.addAndGet(-footprint);
    return false;
  }

  private Push offerSampling(QueuedEvent event, int footprint) {
    if (queue.size() > sampleThreshold
        && (sampleCounter.getAndIncrement() & Integer.MAX_VALUE) % mode.rate() != 0) {
      return refused(Push.SAMPLED);
    }
    return offerBounded(event, footprint) ? Push.ACCEPTED : refused(Push.SAMPLED);
  }

  private Push offerEvicting(QueuedEvent event, int footprint, Consumer<DeliveryAck> onEviction) {
    boolean pushed = offerBounded(event, footprint);
    while (!pushed) {
      QueuedEvent oldest = null;
      evictors.incrementAndGet();
      try {
        if (sealed) {
          return Push.SEALED;
        }
        pushed = offerBounded(event, footprint);
        if (!pushed) {
          oldest = queue.poll();
          if (oldest != null) {
            release(oldest);
            evicted.increment();
            pushed = offerBounded(event, footprint);
          }
        }
      } finally {
        evictors.decrementAndGet();
      }
      // Not before: the sealer waits for evictors, and an ack may wait for the sealer.
      DeliveryAck ack = oldest == null ? null : oldest.ack();
      if (ack != null) {
        onEviction.accept(ack);
      }
    }
    return Push.ACCEPTED;
  }

  private void release(QueuedEvent event) {
    int footprint = event.footprint();
    if (footprint > ShardLimits.SMALL_EVENT_BYTES) {
      largeBytes.addAndGet(-footprint);
    }
  }

  // ---------------------------------------------------------------- the consumer

  /** Null if there is none, or while a producer is between claim and store. */
  @Nullable QueuedEvent poll() {
    QueuedEvent event = leftovers == null ? queue.relaxedPoll() : nextLeftover(leftovers);
    if (event != null) {
      release(event);
    }
    return event;
  }

  private @Nullable QueuedEvent nextLeftover(QueuedEvent[] copy) {
    int left = leftoversLeft;
    if (left == 0) {
      return null;
    }
    int at = leftoversEnd - left;
    QueuedEvent event = copy[at];
    copy[at] = TOMBSTONE; // lets the event go
    leftoversLeft = left - 1;
    return event;
  }

  /** Closes the ring to producers, for good. Idempotent. */
  void seal() {
    if (sealed) {
      return;
    }
    QueuedEvent[] copy = new QueuedEvent[capacity]; // objects come before anything is changed
    Tombstones given = new Tombstones();
    sealed = true;
    while (evictors.get() != 0) {
      Thread.onSpinWait();
    }
    fixed = PREPARING;
    fixed = indices.currentProducerIndex();
    while (queue.fill(given, capacity) > 0) { // claims the room at once
      Thread.onSpinWait();
    }
    while (queue.offer(TOMBSTONE)) {
      given.count++;
    }
    int filled = given.count;
    copyFullRing(copy);
    int events = compact(copy);
    leftovers = copy;
    leftoversEnd = events;
    leftoversLeft = events;
    frozen = true;
    tombstones = filled;
    fixed = NOT_FIXED;
  }

  @SuppressWarnings("ThreadPriorityCheck") // the other side never waits
  private void copyFullRing(QueuedEvent[] copy) {
    while (true) {
      int found = 0;
      try {
        for (QueuedEvent event : snapshot) {
          copy[found++] = event;
        }
      } catch (OutOfMemoryError e) {
        found = 0; // the iterator is an object: until there is memory for one
      }
      if (found == capacity) {
        return;
      }
      Thread.yield(); // a producer is between claim and store
    }
  }

  /** Events of late producers stand among the tombstones. Returns how many events there are. */
  private static int compact(QueuedEvent[] copy) {
    int count = 0;
    for (int i = 0; i < copy.length; i++) {
      if (copy[i] != TOMBSTONE) {
        copy[count++] = copy[i];
      }
    }
    Arrays.fill(copy, count, copy.length, TOMBSTONE);
    return count;
  }

  /** Counts itself: what a queue says of how many it took is an estimate in some of them. */
  private static final class Tombstones implements MessagePassingQueue.Supplier<QueuedEvent> {

    int count;

    @Override
    public QueuedEvent get() {
      count++;
      return TOMBSTONE;
    }
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
