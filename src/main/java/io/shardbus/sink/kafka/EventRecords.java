package io.shardbus.sink.kafka;

import io.shardbus.event.Batch;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.StoredEvent;
import io.shardbus.sink.support.StoredHeaders;
import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.Headers;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.jspecify.annotations.Nullable;

/**
 * An event as a record and back; see the package's description. The names of the event's own
 * headers are in lower case, so they never meet those of Shardbus.
 */
final class EventRecords {

  /**
   * One short header, because headers cost the broker and its clients more than keys and values.
   */
  private static final String EVENT = "Shardbus-Event";

  private static final String ID = "Shardbus-Id";

  private static final String CLOUD_EVENT = "ce-";
  private static final String CLOUD_EVENT_HERE = "ce_";
  private static final String VERSION = "specversion";

  private EventRecords() {}

  /** What the names of a batch's events begin with. */
  static String names(Batch batch) {
    return batch.producer().id() + ":" + batch.producer().epoch() + ":" + batch.shard() + ":";
  }

  /**
   * @param key in UTF-8; null if the event has none
   * @param names what the event's name begins with
   */
  static ProducerRecord<byte[], byte[]> toRecord(
      TopicPartition partition,
      ShardEvent event,
      byte @Nullable [] key,
      String names,
      RecordTimes times) {
    return new ProducerRecord<>(
        partition.topic(),
        partition.partition(),
        times.nearest(TimeUnit.NANOSECONDS.toMillis(event.timestamp())),
        key,
        event.payload().getBytes(),
        headers(names + event.sequence() + ":" + event.timestamp(), event));
  }

  private static List<Header> headers(String name, ShardEvent event) {
    Header first = header(EVENT, name);
    if (event.id() == null && event.headers().isEmpty()) {
      return List.of(first);
    }
    List<Header> headers = new ArrayList<>();
    headers.add(first);
    if (event.id() != null) {
      headers.add(header(ID, event.id()));
    }
    // Both beginnings are swapped, so that all names come back.
    boolean swaps =
        event.headers().get(CLOUD_EVENT + VERSION) != null
            || event.headers().get(CLOUD_EVENT_HERE + VERSION) != null;
    event.headers().forEach((own, value) -> headers.add(header(swaps ? swapped(own) : own, value)));
    return headers;
  }

  private static Header header(String name, String value) {
    return new RecordHeader(name, bytes(value));
  }

  private static String swapped(String name) {
    if (name.startsWith(CLOUD_EVENT)) {
      return CLOUD_EVENT_HERE + name.substring(CLOUD_EVENT.length());
    }
    return name.startsWith(CLOUD_EVENT_HERE)
        ? CLOUD_EVENT + name.substring(CLOUD_EVENT_HERE.length())
        : name;
  }

  /** Null if the record is not one of ours. */
  static @Nullable StoredEvent toEvent(ConsumerRecord<byte[], byte[]> record) {
    Headers headers = record.headers();
    byte[] value = record.value();
    String name = text(headers, EVENT);
    if (value == null || name == null) {
      return null;
    }
    try {
      String[] parts = name.split(":", -1);
      if (parts.length != 5) {
        return null;
      }
      byte[] key = record.key();
      return new StoredEvent(
          new ProducerId(parts[0], Long.parseLong(parts[1])),
          new ShardEvent(
              Integer.parseInt(parts[2]),
              Long.parseLong(parts[3]),
              Long.parseLong(parts[4]),
              Buffer.buffer(value),
              key == null ? null : new String(key, StandardCharsets.UTF_8),
              text(headers, ID),
              own(headers)));
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  private static io.shardbus.event.Headers own(Headers headers) {
    boolean swaps =
        headers.lastHeader(CLOUD_EVENT + VERSION) != null
            || headers.lastHeader(CLOUD_EVENT_HERE + VERSION) != null;
    StoredHeaders own = new StoredHeaders();
    for (Header header : headers) {
      String name = header.key();
      if (header.value() != null) { // others may write such
        own.add(swaps ? swapped(name) : name, new String(header.value(), StandardCharsets.UTF_8));
      }
    }
    return own.build();
  }

  private static @Nullable String text(Headers headers, String name) {
    Header header = headers.lastHeader(name);
    return header == null || header.value() == null
        ? null
        : new String(header.value(), StandardCharsets.UTF_8);
  }

  static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}
