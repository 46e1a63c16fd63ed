package io.shardbus.sink.kafka;

import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/*
 * Ownership: the writer's thread owns the lanes and their held records, and calls send. The thread of the producer brings
 * the answers. It touches only the atomics of a lane.
 *
 * Ordering: the records of a partition go to the producer in the order of send. Kafka keeps the order of several requests
 * of an idempotent producer, but for one case: a partition that does not know the producer yet takes any request as the
 * first. So the first record of a partition goes alone.
 *
 * Why it is safe: the writer says that a lane waits and then looks for room again; an answer makes room and then looks
 * whether the lane waits. So one of the two goes on.
 */
/**
 * One producer, until a record fails. Then the producer is closed at once, before it sends the
 * records after it. So no later event of a key is written before the retry. A partition that does
 * not answer holds no more than its window of the producer's buffer; the rest waits here.
 */
final class ProducerSession {

  private final Producer<byte[], byte[]> producer;
  private final RecordTimes times;
  private final long window;
  private final Executor writer;
  private final AtomicBoolean broken = new AtomicBoolean();
  private final Map<TopicPartition, Lane> lanes = new HashMap<>();

  /** The records of one partition. */
  private static final class Lane {

    final Deque<Outgoing> held = new ArrayDeque<>();
    final AtomicLong unanswered = new AtomicLong();
    final AtomicBoolean waiting = new AtomicBoolean();
    volatile boolean known;

    boolean hasRoom(long bytes) {
      return known ? unanswered.get() < bytes : unanswered.get() == 0;
    }
  }

  /**
   * @param window how many bytes of a partition the producer may hold
   * @param writer runs a task on the writer's thread, unless that has ended
   */
  ProducerSession(
      Producer<byte[], byte[]> producer, RecordTimes times, long window, Executor writer) {
    this.producer = producer;
    this.times = times;
    this.window = window;
    this.writer = writer;
  }

  boolean broken() {
    return broken.get();
  }

  /** By number. Waits for the broker if need be, which may make the topic. */
  List<TopicPartition> partitions(String topic) {
    return producer.partitionsFor(topic).stream()
        .map(info -> new TopicPartition(topic, info.partition()))
        .sorted(Comparator.comparingInt(TopicPartition::partition))
        .toList();
  }

  void send(TopicPartition partition, Outgoing one) {
    Lane lane = lanes.computeIfAbsent(partition, first -> new Lane());
    lane.held.add(one);
    pump(partition, lane);
  }

  private void pump(TopicPartition partition, Lane lane) {
    do {
      while (!lane.held.isEmpty() && (broken.get() || lane.hasRoom(window))) {
        sendNow(partition, lane, lane.held.remove());
      }
      if (lane.held.isEmpty()) {
        return;
      }
      lane.waiting.set(true);
    } while ((broken.get() || lane.hasRoom(window / 2)) && lane.waiting.compareAndSet(true, false));
  }

  private void sendNow(TopicPartition partition, Lane lane, Outgoing one) {
    if (broken.get()) {
      one.tally().settle(one.index(), new KafkaException("a record before it failed"));
      return;
    }
    lane.unanswered.addAndGet(one.bytes());
    try {
      var unused =
          producer.send(
              EventRecords.toRecord(partition, one, times),
              (written, failure) -> answered(partition, lane, one, failure));
    } catch (RuntimeException | Error e) { // whatever it is, the bus waits for the answer
      answered(partition, lane, one, e);
    }
  }

  private void answered(
      TopicPartition partition, Lane lane, Outgoing one, @Nullable Throwable failure) {
    if (failure == null && !lane.known) {
      lane.known = true;
    }
    lane.unanswered.addAndGet(-one.bytes());
    if (failure != null) {
      failed(failure);
    }
    one.tally().settle(one.index(), failure);
    if (lane.waiting.get() && lane.hasRoom(window / 2) && lane.waiting.compareAndSet(true, false)) {
      writer.execute(() -> pump(partition, lane));
    }
  }

  private void failed(Throwable failure) {
    times.learn(failure);
    if (!WriteTally.isOfTheEvent(failure) && broken.compareAndSet(false, true)) {
      // On the producer's own thread this returns at once, and nothing more is sent.
      producer.close(Duration.ZERO);
      writer.execute(this::sendHeld);
    }
  }

  /** If the session is broken, they fail. */
  private void sendHeld() {
    lanes.forEach(
        (partition, lane) -> {
          while (!lane.held.isEmpty()) {
            sendNow(partition, lane, lane.held.remove());
          }
        });
  }

  /** On the writer's thread. */
  void close(Duration timeout) {
    sendHeld();
    producer.close(timeout);
  }
}
