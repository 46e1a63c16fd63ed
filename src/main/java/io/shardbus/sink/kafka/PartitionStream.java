package io.shardbus.sink.kafka;

import io.shardbus.sink.StoredEvent;
import io.shardbus.sink.support.PageBuilder;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * The records of one partition, from a position to its end at the beginning of the page, or to the
 * first record that was written too late to be of interest.
 */
final class PartitionStream {

  final TopicPartition partition;
  private final PageBuilder page;

  /** Nothing from there on is of interest. */
  private long end;

  /** The offset after the last record that was handed over by Kafka. */
  private long fetched;

  private final Deque<Item> items = new ArrayDeque<>();

  /** Without an event if the record is not one of ours. */
  record Item(long offset, @Nullable StoredEvent event) {

    /** Foreign records go first: they only have to be passed over. */
    long timestamp() {
      return event == null ? Long.MIN_VALUE : event.event().timestamp();
    }
  }

  PartitionStream(TopicPartition partition, long begin, long end, PageBuilder page) {
    this.partition = partition;
    this.page = page;
    this.end = end;
    this.fetched = begin;
  }

  static String name(int partition) {
    return "p" + partition;
  }

  String name() {
    return name(partition.partition());
  }

  /** Where to go on. */
  long position() {
    Item head = items.peek();
    return head == null ? Math.min(fetched, end) : head.offset();
  }

  boolean atEnd() {
    return position() >= end;
  }

  /** Whether records must be fetched before the next event is known. */
  boolean hungry() {
    return items.isEmpty() && fetched < end;
  }

  void add(ConsumerRecord<byte[], byte[]> record) {
    if (page.isPast(TimeUnit.MILLISECONDS.toNanos(record.timestamp()))) {
      end = Math.min(end, record.offset());
    }
    if (record.offset() < end) {
      items.add(new Item(record.offset(), EventRecords.toEvent(record)));
    }
  }

  /** Offsets can have gaps, so the last record does not tell how far the consumer is. */
  void fetchedTo(long offset) {
    fetched = offset;
  }

  @Nullable Item head() {
    return items.peek();
  }

  Item take() {
    return items.remove();
  }
}
