package io.shardbus.sink.kafka;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.Batch;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.SinkException;
import io.vertx.core.buffer.Buffer;
import java.time.Duration;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.kafka.clients.producer.MockProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;

class ProducerSessionTest {

  private static final int WINDOW = 100_000;
  private static final TopicPartition BLOCKED = new TopicPartition("events", 0);
  private static final TopicPartition GOOD = new TopicPartition("events", 1);

  private final MockProducer<byte[], byte[]> producer =
      new MockProducer<>(false, null, new ByteArraySerializer(), new ByteArraySerializer());
  private final ProducerSession session =
      new ProducerSession(producer, new RecordTimes("events"), WINDOW, Runnable::run);

  private RecordAnswers send(TopicPartition partition, int events) {
    return send(partition, events, new byte[1000], null);
  }

  private RecordAnswers send(TopicPartition partition, int events, byte[] value, String key) {
    Batch batch =
        new Batch(
            0,
            0,
            IntStream.range(0, events)
                .mapToObj(i -> new ShardEvent(0, i, i, Buffer.buffer(value), key))
                .toList(),
            new ProducerId("test", 1));
    RecordAnswers answers = new RecordAnswers(batch, Throwable::getMessage);
    for (int i = 0; i < events; i++) {
      session.send(
          new ProducerRecord<>(partition.topic(), partition.partition(), null, value), answers, i);
    }
    return answers;
  }

  private List<Integer> partitions() {
    return producer.history().stream().map(sent -> sent.partition()).toList();
  }

  /** A partition that does not know the producer would take the second request first. */
  @Test
  void firstRecordOfAPartition_goesAlone() {
    RecordAnswers answers = send(GOOD, 20);
    assertThat(producer.history()).hasSize(1);
    producer.completeNext();
    assertThat(producer.history()).hasSize(20);
    while (producer.completeNext()) {
      // all of them
    }
    assertThat(answers.future().succeeded()).isTrue();
  }

  @Test
  void partitionThatDoesNotAnswer_takesNoMoreThanItsWindow() {
    send(BLOCKED, 1);
    producer.completeNext();
    RecordAnswers blocked = send(BLOCKED, 1000);
    int held = producer.history().size();
    assertThat(held * 1000).isBetween(WINDOW / 2, WINDOW);
    send(GOOD, 1);
    assertThat(partitions()).endsWith(1);
    while (producer.completeNext()) {
      // all of them
    }
    assertThat(producer.history()).hasSize(1002);
    assertThat(blocked.future().succeeded()).isTrue();
  }

  @Test
  void keys_countToo() {
    send(BLOCKED, 1);
    producer.completeNext();
    send(BLOCKED, 1000, new byte[0], "k".repeat(1000));
    assertThat(producer.history().size() * 1000).isBetween(WINDOW / 2, WINDOW);
  }

  @Test
  void failure_endsAllThatWaits() {
    RecordAnswers held = send(BLOCKED, 1000);
    RecordAnswers other = send(GOOD, 10);
    producer.errorNext(new TimeoutException("away"));
    assertThat(session.broken()).isTrue();
    assertThat(producer.closed()).isTrue();
    assertThat(((SinkException) held.future().cause()).kind())
        .isEqualTo(SinkException.Kind.TRANSIENT);
    while (producer.errorNext(new TimeoutException("closed"))) {
      // all of them
    }
    assertThat(other.future().failed()).isTrue();
  }

  @Test
  void close_sendsWhatWaits() {
    send(GOOD, 50);
    session.close(Duration.ZERO);
    assertThat(producer.history()).hasSize(50);
  }
}
