package io.shardbus.sink.kafka;

import io.shardbus.event.Batch;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.StoredEvent;
import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;

/** An event as a record and back; see the package's description. */
final class EventRecords {

  private static final String SHARD = "shard";
  private static final String SEQUENCE = "sequence";
  private static final String TIMESTAMP = "timestamp";
  private static final String EPOCH = "epoch";
  private static final String PRODUCER = "producer";
  private static final String DEDUPLICATION_ID = "deduplicationId";

  private EventRecords() {}

  static ProducerRecord<byte[], byte[]> toRecord(
      Batch batch, ShardEvent event, KafkaSinkOptions options, int partitions, RecordTimes times) {
    byte[] key = event.key() == null ? null : bytes(event.key());
    boolean byKey = options.getPartitionBy() == KafkaSinkOptions.PartitionBy.key && key != null;
    Integer partition = byKey ? null : batch.shard() % partitions;
    RecordHeaders headers = new RecordHeaders();
    headers.add(SHARD, bytes(Integer.toString(batch.shard())));
    headers.add(SEQUENCE, bytes(Long.toString(event.sequence())));
    headers.add(TIMESTAMP, bytes(Long.toString(event.timestamp())));
    headers.add(EPOCH, bytes(Long.toString(batch.producer().epoch())));
    headers.add(PRODUCER, bytes(batch.producer().id()));
    headers.add(DEDUPLICATION_ID, bytes(batch.deduplicationId(event)));
    return new ProducerRecord<>(
        options.getTopic(),
        partition,
        times.nearest(TimeUnit.NANOSECONDS.toMillis(event.timestamp())),
        key,
        event.payload().getBytes(),
        headers);
  }

  /** Null if the record is not one of ours. */
  static @Nullable StoredEvent toEvent(ConsumerRecord<byte[], byte[]> record) {
    Headers headers = record.headers();
    byte[] value = record.value();
    if (value == null || headers.lastHeader(DEDUPLICATION_ID) == null) {
      return null;
    }
    try {
      byte[] key = record.key();
      return new StoredEvent(
          number(headers, EPOCH),
          new ShardEvent(
              Math.toIntExact(number(headers, SHARD)),
              number(headers, SEQUENCE),
              number(headers, TIMESTAMP),
              Buffer.buffer(value),
              key == null ? null : new String(key, StandardCharsets.UTF_8)));
    } catch (ArithmeticException | NumberFormatException e) {
      return null;
    }
  }

  private static long number(Headers headers, String name) {
    Header header = headers.lastHeader(name);
    if (header == null) {
      throw new NumberFormatException(name + " is missing");
    }
    return Long.parseLong(new String(header.value(), StandardCharsets.UTF_8));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
