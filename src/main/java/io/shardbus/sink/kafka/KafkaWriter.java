package io.shardbus.sink.kafka;

import io.shardbus.event.Batch;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.SinkException;
import io.shardbus.sink.support.OwnThread;
import io.vertx.core.Future;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;

/**
 * Writes batches on a thread of its own, because a producer may block. While it blocks, at most one
 * write of each shard waits for its turn, and never longer than the bus does.
 */
final class KafkaWriter {

  private final KafkaSinkOptions options;
  private final ClientProperties properties;
  private final OwnThread thread = new OwnThread("shardbus-kafka-writer", "the sink is");
  private final Map<Integer, Attempt> waiting = new ConcurrentHashMap<>();
  private final RecordTimes times;
  private @Nullable ProducerSession session;
  private volatile boolean closing;

  /** The topic as first seen: a shard keeps its partition as long as the topic is the same. */
  private Topic topic = new Topic(0, List.of());

  private record Attempt(Batch batch, WriteTally tally, long begun) {}

  KafkaWriter(KafkaSinkOptions options, ClientProperties properties) {
    this.options = options;
    this.properties = properties;
    times = new RecordTimes(options.getTopic());
  }

  Future<Void> open() {
    return thread.call(
        () -> {
          try {
            session();
            return null;
          } catch (KafkaException e) {
            throw properties.failure(e);
          }
        });
  }

  Future<Void> write(Batch batch) {
    WriteTally tally = new WriteTally(batch, properties::describe);
    Attempt stale = waiting.put(batch.shard(), new Attempt(batch, tally, System.nanoTime()));
    if (stale != null) {
      // A shard that writes again has given up the write before. The turn is now this one's.
      stale.tally().settleAll(new KafkaException("given up before its turn came"));
    } else if (!thread.execute(() -> sendWaiting(batch.shard()))) {
      waiting.remove(batch.shard());
      return Future.failedFuture(SinkException.transientFailure("the sink is closed"));
    }
    return tally.future();
  }

  private void sendWaiting(int shard) {
    Attempt attempt = waiting.remove(shard);
    if (attempt == null) {
      return;
    }
    if (System.nanoTime() - attempt.begun() > options.getMaxBlock().toNanos()) {
      attempt
          .tally()
          .settleAll(
              new KafkaException(
                  "others kept the producer busy for " + options.getMaxBlock().toMillis() + " ms"));
      return;
    }
    send(attempt.batch(), attempt.tally());
  }

  private void send(Batch batch, WriteTally tally) {
    ProducerSession current;
    try {
      current = session();
    } catch (RuntimeException | Error e) { // whatever it is, the bus waits for the answer
      tally.settleAll(e);
      return;
    }
    int partitions = topic.partitions().size();
    for (int i = 0; i < batch.size(); i++) {
      ShardEvent event = batch.events().get(i);
      current.send(() -> EventRecords.toRecord(batch, event, options, partitions, times), i, tally);
    }
  }

  private ProducerSession session() {
    ProducerSession current = session;
    if (current != null && !current.broken()) {
      return current;
    }
    closeSession(Duration.ZERO);
    if (closing) {
      // The broker is away: many writes, each waiting for it, would hold up the close.
      throw new KafkaException("the sink is closed");
    }
    ProducerSession fresh =
        new ProducerSession(new KafkaProducer<>(properties.ofProducer()), times);
    session = fresh;
    try {
      look(fresh);
    } catch (RuntimeException | Error e) {
      closeSession(Duration.ZERO);
      throw e;
    }
    return fresh;
  }

  /** The topic may have been made anew. More partitions of the same one do not count. */
  private void look(ProducerSession fresh) {
    Topic found = ask(fresh.partitions(options.getTopic()));
    int before = topic.partitions().size();
    if (before == 0 || found.id() != topic.id() || found.partitions().size() < before) {
      topic = found;
    }
  }

  /**
   * @param partitions the ones that a broker knows; other brokers may not know the topic yet
   */
  private Topic ask(List<TopicPartition> partitions) {
    Admin admin = Admin.create(properties.ofAdmin());
    try {
      return Topic.ask(admin, options.getTopic(), options.getMaxBlock());
    } catch (KafkaException e) {
      return new Topic(topic.id(), partitions);
    } finally {
      admin.close(Duration.ZERO);
    }
  }

  private void closeSession(Duration timeout) {
    if (session != null) {
      session.close(timeout);
      session = null;
    }
  }

  /** After the writes under way. */
  Future<Void> close() {
    closing = true;
    return thread.end(
        () -> {
          closeSession(options.getDeliveryTimeout());
          return null;
        });
  }
}
