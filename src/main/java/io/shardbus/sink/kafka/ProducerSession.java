package io.shardbus.sink.kafka;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * One producer, until a record fails. Then the producer is closed at once, before it sends the
 * records after it. So no later event of the shard is written before the retry.
 */
final class ProducerSession {

  private final KafkaProducer<byte[], byte[]> producer;
  private final RecordTimes times;
  private final AtomicBoolean broken = new AtomicBoolean();

  ProducerSession(KafkaProducer<byte[], byte[]> producer, RecordTimes times) {
    this.producer = producer;
    this.times = times;
  }

  boolean broken() {
    return broken.get();
  }

  /** Waits for the broker if need be, which may make the topic. */
  List<TopicPartition> partitions(String topic) {
    return producer.partitionsFor(topic).stream()
        .map(info -> new TopicPartition(topic, info.partition()))
        .toList();
  }

  void send(Supplier<ProducerRecord<byte[], byte[]>> record, int index, WriteTally tally) {
    if (broken.get()) {
      tally.settle(index, new KafkaException("a record before it failed"));
      return;
    }
    try {
      var unused =
          producer.send(record.get(), (written, failure) -> settled(index, failure, tally));
    } catch (RuntimeException | Error e) { // whatever it is, the bus waits for the answer
      settled(index, e, tally);
    }
  }

  private void settled(int index, @Nullable Throwable failure, WriteTally tally) {
    if (failure != null) {
      times.learn(failure);
      if (!WriteTally.isOfTheEvent(failure) && broken.compareAndSet(false, true)) {
        // On the producer's own thread this returns at once, and nothing more is sent.
        producer.close(Duration.ZERO);
      }
    }
    tally.settle(index, failure);
  }

  void close(Duration timeout) {
    producer.close(timeout);
  }
}
