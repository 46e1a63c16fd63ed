package io.shardbus.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jctools.queues.MessagePassingQueue;
import org.jctools.queues.MpscArrayQueue;
import org.jctools.queues.SpscArrayQueue;
import org.jctools.queues.varhandle.MpscVarHandleArrayQueue;

/** A queue for each shard, and a thread that empties it. */
final class QueueRings implements Pipeline {

  private static final int MOST_AT_ONCE = 256;

  /** A bounded queue as this comparison uses it. */
  private interface Ring {

    boolean offer(RingEvent event);

    /** Takes what is there, {@link #MOST_AT_ONCE} at the most. */
    int take(SequencingConsumer consumer);
  }

  private final Ring[] rings;
  private final Counts counts;
  private final Consumers consumers;

  private QueueRings(Ring[] rings) {
    this.rings = rings;
    counts = new Counts(rings.length);
    consumers = new Consumers(rings.length, this::work);
  }

  /** JCTools' queue for many producers and one consumer: the limit. */
  static QueueRings bare(int shards) {
    return new QueueRings(rings(shards, () -> new BareRing(new MpscArrayQueue<>(RING_CAPACITY))));
  }

  /** The same queue, with VarHandles in place of Unsafe. */
  static QueueRings varHandle(int shards) {
    return new QueueRings(
        rings(shards, () -> new BareRing(new MpscVarHandleArrayQueue<>(RING_CAPACITY))));
  }

  /** The JDK's bounded queue. */
  static QueueRings blockingQueue(int shards) {
    return new QueueRings(rings(shards, BlockingRing::new));
  }

  /** A lock that makes many producers one. */
  static QueueRings locked(int shards) {
    return new QueueRings(rings(shards, LockedRing::new));
  }

  private static Ring[] rings(int count, Supplier<Ring> maker) {
    return IntStream.range(0, count).mapToObj(i -> maker.get()).toArray(Ring[]::new);
  }

  @Override
  public Inlet inlet(int producer) {
    Ring[] all = rings;
    Idle idle = new Idle();
    return payload -> {
      RingEvent event = RingEvent.of(payload);
      Ring ring = all[event.ring(all.length)];
      idle.reset();
      while (!ring.offer(event)) {
        idle.pause();
      }
      return 1;
    };
  }

  private Consumers.Work work(int index) {
    Ring ring = rings[index];
    SequencingConsumer consumer = new SequencingConsumer(counts, index);
    return () -> {
      int taken = ring.take(consumer);
      consumer.publish();
      return taken;
    };
  }

  @Override
  public long consumed() {
    return counts.events();
  }

  @Override
  public long bytes() {
    return counts.bytes();
  }

  @Override
  public void close() throws InterruptedException {
    consumers.close();
  }

  /** A queue of JCTools, which is polled without waiting for a producer that is mid-offer. */
  private record BareRing(MessagePassingQueue<RingEvent> queue) implements Ring {

    @Override
    public boolean offer(RingEvent event) {
      return queue.offer(event);
    }

    @Override
    public int take(SequencingConsumer consumer) {
      int taken = 0;
      RingEvent event;
      while (taken < MOST_AT_ONCE && (event = queue.relaxedPoll()) != null) {
        consumer.accept(event);
        taken++;
      }
      return taken;
    }
  }

  private static final class BlockingRing implements Ring {

    private final BlockingQueue<RingEvent> queue = new ArrayBlockingQueue<>(RING_CAPACITY);
    private final List<RingEvent> taken = new ArrayList<>(MOST_AT_ONCE);

    @Override
    public boolean offer(RingEvent event) {
      return queue.offer(event);
    }

    @Override
    public int take(SequencingConsumer consumer) {
      int count = queue.drainTo(taken, MOST_AT_ONCE);
      for (RingEvent event : taken) {
        consumer.accept(event);
      }
      taken.clear();
      return count;
    }
  }

  private static final class LockedRing implements Ring {

    private final ReentrantLock producers = new ReentrantLock();
    private final BareRing ring = new BareRing(new SpscArrayQueue<>(RING_CAPACITY));

    @Override
    public boolean offer(RingEvent event) {
      producers.lock();
      try {
        return ring.offer(event);
      } finally {
        producers.unlock();
      }
    }

    @Override
    public int take(SequencingConsumer consumer) {
      return ring.take(consumer);
    }
  }
}
