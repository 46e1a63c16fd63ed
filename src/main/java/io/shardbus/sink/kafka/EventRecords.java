package io.shardbus.sink.kafka;

import io.shardbus.event.Batch;
import io.shardbus.event.EventTime;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.StoredEvent;
import io.shardbus.sink.support.StoredHeaders;
import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeaders;
import org.jspecify.annotations.Nullable;

/**
 * An event as a record and back; see the package's description. The names of the event's own
 * headers are in lower case, so they never meet those of Shardbus.
 */
final class EventRecords {

  private static final String SHARD = "Shardbus-Shard";
  private static final String SEQUENCE = "Shardbus-Sequence";
  private static final String TIME = "Shardbus-Time";
  private static final String EPOCH = "Shardbus-Epoch";
  private static final String PRODUCER = "Shardbus-Producer";
  private static final String ID = "Shardbus-Id";
  private static final String DEDUPLICATION_ID = "Shardbus-Deduplication-Id";

  private static final String CLOUD_EVENT = "ce-";
  private static final String CLOUD_EVENT_HERE = "ce_";
  private static final String VERSION = "specversion";

  private EventRecords() {}

  static ProducerRecord<byte[], byte[]> toRecord(
      Batch batch, ShardEvent event, KafkaSinkOptions options, int partitions, RecordTimes times) {
    byte[] key = event.key() == null ? null : bytes(event.key());
    boolean byKey = options.getPartitionBy() == KafkaSinkOptions.PartitionBy.key && key != null;
    Integer partition = byKey ? null : batch.shard() % partitions;
    return new ProducerRecord<>(
        options.getTopic(),
        partition,
        times.nearest(TimeUnit.NANOSECONDS.toMillis(event.timestamp())),
        key,
        event.payload().getBytes(),
        headers(batch, event));
  }

  private static RecordHeaders headers(Batch batch, ShardEvent event) {
    RecordHeaders headers = new RecordHeaders();
    headers.add(SHARD, bytes(Integer.toString(batch.shard())));
    headers.add(SEQUENCE, bytes(Long.toString(event.sequence())));
    headers.add(TIME, bytes(EventTime.text(event.timestamp())));
    headers.add(EPOCH, bytes(Long.toString(batch.producer().epoch())));
    headers.add(PRODUCER, bytes(batch.producer().id()));
    headers.add(DEDUPLICATION_ID, bytes(batch.deduplicationId(event)));
    if (event.id() != null) {
      headers.add(ID, bytes(event.id()));
    }
    boolean isCloudEvent = event.headers().get(CLOUD_EVENT + VERSION) != null;
    event
        .headers()
        .forEach(
            (name, value) ->
                headers.add(
                    isCloudEvent ? renamed(name, CLOUD_EVENT, CLOUD_EVENT_HERE) : name,
                    bytes(value)));
    return headers;
  }

  private static String renamed(String name, String from, String to) {
    return name.startsWith(from) ? to + name.substring(from.length()) : name;
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
          new ProducerId(require(headers, PRODUCER), number(headers, EPOCH)),
          new ShardEvent(
              Math.toIntExact(number(headers, SHARD)),
              number(headers, SEQUENCE),
              EventTime.parse(require(headers, TIME)),
              Buffer.buffer(value),
              key == null ? null : new String(key, StandardCharsets.UTF_8),
              text(headers, ID),
              own(headers)));
    } catch (ArithmeticException | IllegalArgumentException e) {
      return null;
    }
  }

  private static io.shardbus.event.Headers own(Headers headers) {
    boolean isCloudEvent = headers.lastHeader(CLOUD_EVENT_HERE + VERSION) != null;
    StoredHeaders own = new StoredHeaders();
    for (Header header : headers) {
      String name = header.key();
      if (header.value() != null) { // others may write such
        own.add(
            isCloudEvent ? renamed(name, CLOUD_EVENT_HERE, CLOUD_EVENT) : name,
            new String(header.value(), StandardCharsets.UTF_8));
      }
    }
    return own.build();
  }

  private static @Nullable String text(Headers headers, String name) {
    Header header = headers.lastHeader(name);
    return header == null ? null : new String(header.value(), StandardCharsets.UTF_8);
  }

  private static String require(Headers headers, String name) {
    String text = text(headers, name);
    if (text == null) {
      throw new IllegalArgumentException(name + " is missing");
    }
    return text;
  }

  private static long number(Headers headers, String name) {
    return Long.parseLong(require(headers, name));
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
