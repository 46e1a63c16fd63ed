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
import org.apache.kafka.clients.producer.Callback;
import org.apache.kafka.clients.producer.Producer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
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

  /** What a record needs besides its event, roughly. */
  private static final int RECORD_BYTES = 200;

  private final Producer<byte[], byte[]> producer;
  private final RecordTimes times;
  private final long window;
  private final Executor writer;
  private final AtomicBoolean broken = new AtomicBoolean();
  private final Map<Integer, Lane> lanes = new HashMap<>();

  /** The records of one partition. */
  private static final class Lane {

    final Deque<Held> held = new ArrayDeque<>();
    final AtomicLong unanswered = new AtomicLong();
    final AtomicBoolean waiting = new AtomicBoolean();
    volatile boolean known;

    boolean hasRoom(long bytes) {
      return known ? unanswered.get() < bytes : unanswered.get() == 0;
    }
  }

  private record Held(ProducerRecord<byte[], byte[]> record, Sent sent) {}

  /** What is left of a record at the producer: no more than the answer needs. */
  private final class Sent implements Callback {

    final Lane lane;
    final int bytes;
    final RecordAnswers answers;
    final int index;

    Sent(Lane lane, int bytes, RecordAnswers answers, int index) {
      this.lane = lane;
      this.bytes = bytes;
      this.answers = answers;
      this.index = index;
    }

    @Override
    public void onCompletion(@Nullable RecordMetadata written, @Nullable Exception failure) {
      answered(this, failure);
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

  /**
   * Sends a record, or holds it until its partition has room.
   *
   * @param record with a partition
   * @param answers learns the fate of the record
   * @param index the record's place there
   */
  void send(ProducerRecord<byte[], byte[]> record, RecordAnswers answers, int index) {
    Lane lane = lanes.computeIfAbsent(record.partition(), first -> new Lane());
    Sent sent = new Sent(lane, answers.bytes(index) + RECORD_BYTES, answers, index);
    if (lane.held.isEmpty() && mayGo(lane, window)) {
      sendNow(record, sent);
    } else {
      lane.held.add(new Held(record, sent));
      pump(lane);
    }
  }

  /** For an event of which there can be no record: those after it must not overtake it. */
  void refuse(RecordAnswers answers, int index, Throwable failure) {
    answers.settle(index, failure);
    failed(failure);
  }

  private boolean mayGo(Lane lane, long bytes) {
    return broken.get() || lane.hasRoom(bytes);
  }

  private void pump(Lane lane) {
    do {
      while (!lane.held.isEmpty() && mayGo(lane, window)) {
        sendNow(lane.held.remove());
      }
      if (lane.held.isEmpty()) {
        return;
      }
      lane.waiting.set(true);
    } while (mayGo(lane, window / 2) && lane.waiting.compareAndSet(true, false));
  }

  private void sendNow(Held held) {
    sendNow(held.record(), held.sent());
  }

  private void sendNow(ProducerRecord<byte[], byte[]> record, Sent sent) {
    if (broken.get()) {
      sent.answers.settle(sent.index, new KafkaException("a record before it failed"));
      return;
    }
    sent.lane.unanswered.addAndGet(sent.bytes);
    try {
      var unused = producer.send(record, sent);
    } catch (RuntimeException | Error e) { // whatever it is, the bus waits for the answer
      answered(sent, e);
    }
  }

  private void answered(Sent sent, @Nullable Throwable failure) {
    Lane lane = sent.lane;
    if (failure == null && !lane.known) {
      lane.known = true;
    }
    lane.unanswered.addAndGet(-sent.bytes);
    if (failure != null) {
      failed(failure);
    }
    sent.answers.settle(sent.index, failure);
    if (lane.waiting.get() && lane.hasRoom(window / 2) && lane.waiting.compareAndSet(true, false)) {
      writer.execute(() -> pump(lane));
    }
  }

  private void failed(Throwable failure) {
    times.learn(failure);
    if (!RecordAnswers.isOfTheEvent(failure) && broken.compareAndSet(false, true)) {
      // On the producer's own thread this returns at once, and nothing more is sent.
      producer.close(Duration.ZERO);
      writer.execute(this::sendHeld);
    }
  }

  /** If the session is broken, they fail. */
  private void sendHeld() {
    for (Lane lane : lanes.values()) {
      while (!lane.held.isEmpty()) {
        sendNow(lane.held.remove());
      }
    }
  }

  /** On the writer's thread. */
  void close(Duration timeout) {
    sendHeld();
    producer.close(timeout);
  }
}
