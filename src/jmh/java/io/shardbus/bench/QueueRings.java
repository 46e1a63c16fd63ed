package io.shardbus.bench;

import java.util.Queue;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jctools.queues.MpscArrayQueue;
import org.jctools.queues.SpscArrayQueue;

/** A queue for each shard, and a thread that empties it. */
final class QueueRings implements Pipeline {

  private static final int MOST_AT_ONCE = 256;

  /** A bounded queue as this comparison uses it. */
  private interface Ring {

    boolean offer(RingEvent event);

    RingEvent poll();
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
    return new QueueRings(rings(shards, BareRing::new));
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
      int taken = 0;
      RingEvent event;
      while (taken < MOST_AT_ONCE && (event = ring.poll()) != null) {
        consumer.accept(event);
        taken++;
      }
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

  private static final class BareRing implements Ring {

    private final MpscArrayQueue<RingEvent> queue = new MpscArrayQueue<>(RING_CAPACITY);

    @Override
    public boolean offer(RingEvent event) {
      return queue.offer(event);
    }

    @Override
    public RingEvent poll() {
      return queue.relaxedPoll();
    }
  }

  private static final class BlockingRing implements Ring {

    private final Queue<RingEvent> queue = new ArrayBlockingQueue<>(RING_CAPACITY);

    @Override
    public boolean offer(RingEvent event) {
      return queue.offer(event);
    }

    @Override
    public RingEvent poll() {
      return queue.poll();
    }
  }

  private static final class LockedRing implements Ring {

    private final ReentrantLock producers = new ReentrantLock();
    private final SpscArrayQueue<RingEvent> queue = new SpscArrayQueue<>(RING_CAPACITY);

    @Override
    public boolean offer(RingEvent event) {
      producers.lock();
      try {
        return queue.offer(event);
      } finally {
        producers.unlock();
      }
    }

    @Override
    public RingEvent poll() {
      return queue.relaxedPoll();
    }
  }
}
