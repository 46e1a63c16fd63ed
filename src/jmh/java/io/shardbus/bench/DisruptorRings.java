package io.shardbus.bench;

import com.lmax.disruptor.EventHandler;
import com.lmax.disruptor.InsufficientCapacityException;
import com.lmax.disruptor.RingBuffer;
import com.lmax.disruptor.WaitStrategy;
import com.lmax.disruptor.dsl.Disruptor;
import com.lmax.disruptor.dsl.ProducerType;
import com.lmax.disruptor.util.DaemonThreadFactory;
import io.vertx.core.buffer.Buffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** A disruptor for each shard; its slots are made once and filled anew. */
final class DisruptorRings implements Pipeline {

  private final List<Disruptor<RingEvent>> disruptors = new ArrayList<>();
  private final List<RingBuffer<RingEvent>> rings = new ArrayList<>();
  private final Counts counts;

  DisruptorRings(int shards, Supplier<WaitStrategy> strategy) {
    counts = new Counts(shards);
    Buffer nothing = Buffer.buffer(0);
    for (int shard = 0; shard < shards; shard++) {
      Disruptor<RingEvent> disruptor =
          new Disruptor<>(
              () -> new RingEvent(nothing, 0, 0),
              RING_CAPACITY,
              DaemonThreadFactory.INSTANCE,
              ProducerType.MULTI,
              strategy.get());
      disruptor.handleEventsWith(handler(shard));
      rings.add(disruptor.start());
      disruptors.add(disruptor);
    }
  }

  private EventHandler<RingEvent> handler(int shard) {
    SequencingConsumer consumer = new SequencingConsumer(counts, shard);
    return (event, sequence, endOfBatch) -> {
      consumer.accept(event);
      if (endOfBatch) {
        consumer.publish();
      }
    };
  }

  @Override
  public Inlet inlet(int producer) {
    List<RingBuffer<RingEvent>> all = rings;
    Idle idle = new Idle();
    return payload -> {
      long hash = payload.computeHash();
      long timestamp = System.nanoTime();
      RingBuffer<RingEvent> ring = all.get(RingEvent.ring(hash, all.size()));
      long sequence = claim(ring, idle);
      RingEvent event = ring.get(sequence);
      event.payload = payload.buffer();
      event.hash = hash;
      event.timestamp = timestamp;
      ring.publish(sequence);
      return 1;
    };
  }

  private static long claim(RingBuffer<RingEvent> ring, Idle idle) {
    idle.reset();
    while (true) {
      try {
        return ring.tryNext();
      } catch (InsufficientCapacityException e) {
        idle.pause();
      }
    }
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
  public void close() {
    disruptors.forEach(Disruptor::shutdown);
  }
}
