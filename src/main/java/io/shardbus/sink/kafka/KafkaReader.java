package io.shardbus.sink.kafka;

import io.shardbus.sink.EventPage;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.StoredEvent;
import io.shardbus.sink.support.OwnThread;
import io.shardbus.sink.support.PageBuilder;
import io.shardbus.sink.support.PositionCursor;
import io.vertx.core.Future;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.TimeoutException;
import org.jspecify.annotations.Nullable;

/**
 * Reads pages of the topic on a thread of its own. Each partition is a stream, and its position in
 * a cursor is the next offset. The streams are merged by timestamp: the next event always comes
 * from the stream whose next event is the oldest.
 */
final class KafkaReader {

  private static final Logger LOG = LoggerFactory.getLogger(KafkaReader.class);
  private static final Duration POLL = Duration.ofMillis(100);

  private final String sink;
  private final KafkaSinkOptions options;
  private final ClientProperties properties;
  private final OwnThread thread = new OwnThread("shardbus-kafka-reader", "the sink is");
  private @Nullable KafkaConsumer<byte[], byte[]> consumer;
  private @Nullable Admin admin;
  private boolean foreignSeen;

  /** The topic whose replacement was logged already. */
  private long madeAnew;

  KafkaReader(String sink, KafkaSinkOptions options, ClientProperties properties) {
    this.sink = sink;
    this.options = options;
    this.properties = properties;
  }

  Future<EventPage> read(PositionCursor cursor, EventQuery query) {
    return call(open -> page(open, cursor, query));
  }

  Future<String> endCursor() {
    return call(
        open -> {
          Topic topic = topic();
          TreeMap<String, Long> positions =
              new TreeMap<>(PositionCursor.BEGINNING.in(topic.id()).positions());
          open.endOffsets(topic.partitions())
              .forEach(
                  (partition, end) ->
                      positions.put(PartitionStream.name(partition.partition()), end));
          return new PositionCursor(positions).format(sink);
        });
  }

  private interface Task<T> {

    T run(KafkaConsumer<byte[], byte[]> consumer);
  }

  private <T> Future<T> call(Task<T> task) {
    return thread.call(
        () -> {
          try {
            KafkaConsumer<byte[], byte[]> open = consumer;
            if (open == null) {
              open = new KafkaConsumer<>(properties.ofConsumer());
              consumer = open;
            }
            return task.run(open);
          } catch (KafkaException e) {
            throw properties.failure(e);
          }
        });
  }

  private Topic topic() {
    Admin open = admin;
    if (open == null) {
      open = Admin.create(properties.ofAdmin());
      admin = open;
    }
    return Topic.ask(open, options.getTopic(), options.getDeliveryTimeout());
  }

  private EventPage page(
      KafkaConsumer<byte[], byte[]> open, PositionCursor given, EventQuery query) {
    Topic topic = topic();
    PositionCursor cursor = given.in(topic.id());
    if (!given.positions().isEmpty() && !cursor.equals(given)) {
      sayMadeAnew(topic);
    }
    PageBuilder page = new PageBuilder(query);
    List<PartitionStream> streams = streams(open, cursor, topic.partitions(), page);
    while (page.hasRoom()) {
      fill(open, streams);
      PartitionStream oldest = oldest(streams);
      if (oldest == null) {
        break;
      }
      StoredEvent event = oldest.take().event();
      page.scan(event);
      if (event == null) {
        sayForeign();
      }
    }
    TreeMap<String, Long> positions = new TreeMap<>(cursor.positions());
    streams.forEach(stream -> positions.put(stream.name(), stream.position()));
    boolean more = !streams.stream().allMatch(PartitionStream::atEnd);
    return page.page(new PositionCursor(positions).format(sink), more);
  }

  private static List<PartitionStream> streams(
      KafkaConsumer<byte[], byte[]> open,
      PositionCursor cursor,
      List<TopicPartition> partitions,
      PageBuilder page) {
    Map<TopicPartition, Long> begins = open.beginningOffsets(partitions);
    Map<TopicPartition, Long> ends = open.endOffsets(partitions);
    Map<TopicPartition, Long> since = since(open, ends, page.sinceMillis());
    open.assign(partitions);
    List<PartitionStream> streams = new ArrayList<>();
    for (TopicPartition partition : partitions) {
      long end = ends.getOrDefault(partition, 0L);
      long wanted = cursor.position(PartitionStream.name(partition.partition()));
      // Retention deletes records before the position. If the position is beyond the end, the
      // partition has lost its last records.
      long oldest = begins.getOrDefault(partition, 0L);
      long begin =
          Math.max(
              wanted > end ? oldest : Math.max(wanted, oldest), since.getOrDefault(partition, 0L));
      open.seek(partition, begin);
      streams.add(new PartitionStream(partition, begin, end, page));
    }
    return streams;
  }

  /** The first records of a time or younger; the ends where there are none. */
  private static Map<TopicPartition, Long> since(
      KafkaConsumer<byte[], byte[]> open, Map<TopicPartition, Long> ends, long millis) {
    if (millis < 0) {
      return Map.of();
    }
    Map<TopicPartition, Long> wanted = new HashMap<>();
    ends.keySet().forEach(partition -> wanted.put(partition, millis));
    Map<TopicPartition, Long> offsets = new HashMap<>(ends);
    open.offsetsForTimes(wanted)
        .forEach(
            (partition, found) -> {
              if (found != null) {
                offsets.put(partition, found.offset());
              }
            });
    return offsets;
  }

  /** Fetches until the next event of every stream is known. */
  private void fill(KafkaConsumer<byte[], byte[]> open, List<PartitionStream> streams) {
    long begun = System.nanoTime();
    while (streams.stream().anyMatch(PartitionStream::hungry)) {
      if (System.nanoTime() - begun > options.getDeliveryTimeout().toNanos()) {
        throw new TimeoutException(
            "no records within " + options.getDeliveryTimeout().toMillis() + " ms");
      }
      open.resume(wherever(streams, true));
      open.pause(wherever(streams, false));
      ConsumerRecords<byte[], byte[]> records = open.poll(POLL);
      for (PartitionStream stream : streams) {
        for (ConsumerRecord<byte[], byte[]> record : records.records(stream.partition)) {
          stream.add(record);
        }
        stream.fetchedTo(open.position(stream.partition));
      }
    }
  }

  private static List<TopicPartition> wherever(List<PartitionStream> streams, boolean hungry) {
    return streams.stream()
        .filter(stream -> stream.hungry() == hungry)
        .map(stream -> stream.partition)
        .toList();
  }

  private static @Nullable PartitionStream oldest(List<PartitionStream> streams) {
    PartitionStream oldest = null;
    long least = 0;
    for (PartitionStream stream : streams) {
      PartitionStream.Item head = stream.head();
      if (head != null && (oldest == null || head.timestamp() < least)) {
        oldest = stream;
        least = head.timestamp();
      }
    }
    return oldest;
  }

  private void sayForeign() {
    if (!foreignSeen) {
      foreignSeen = true;
      LOG.warn(
          "topic " + options.getTopic() + ": records that are not of Shardbus are passed over");
    }
  }

  /** Once for each: a client may come with its old cursor again and again. */
  private void sayMadeAnew(Topic topic) {
    if (madeAnew != topic.id()) {
      madeAnew = topic.id();
      LOG.warn(
          "topic "
              + options.getTopic()
              + ": a cursor belongs to an earlier topic of this name; it starts over at the oldest"
              + " event");
    }
  }

  Future<Void> close() {
    return thread.end(
        () -> {
          if (consumer != null) {
            consumer.close();
          }
          if (admin != null) {
            admin.close(Duration.ZERO);
          }
          return null;
        });
  }
}
