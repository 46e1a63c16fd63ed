package io.shardbus.sink.kafka;

import io.shardbus.event.Batch;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.OwnThread;
import io.shardbus.sink.SinkException;
import io.vertx.core.Future;
import java.time.Duration;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;

/**
 * Writes batches on a thread of its own, since a producer may block. While it does, no more than
 * one write of each shard waits for its turn, and none for longer than the bus may.
 */
final class KafkaWriter {

  private final KafkaSinkOptions options;
  private final ClientProperties properties;
  private final OwnThread thread = new OwnThread("shardbus-kafka-writer", "the sink is");
  private final Map<Integer, Attempt> waiting = new ConcurrentHashMap<>();
  private @Nullable ProducerSession session;
  private volatile boolean closing;

  /** As it was at the opening: a shard must not change its partition while the bus runs. */
  private int partitions;

  private record Attempt(Batch batch, WriteTally tally, long begun) {}

  KafkaWriter(KafkaSinkOptions options, ClientProperties properties) {
    this.options = options;
    this.properties = properties;
  }

  Future<Void> open() {
    return thread.call(
        () -> {
          try {
            partitions = session().partitions(options.getTopic());
            return null;
          } catch (KafkaException e) {
            closeSession(Duration.ZERO);
            throw properties.failure(e);
          }
        });
  }

  Future<Void> write(Batch batch) {
    WriteTally tally = new WriteTally(batch.size(), properties::describe);
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
    } catch (KafkaException e) {
      tally.settleAll(e);
      return;
    }
    for (int i = 0; i < batch.size(); i++) {
      ShardEvent event = batch.events().get(i);
      current.send(EventRecords.toRecord(batch, event, options, partitions), i, tally);
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
    ProducerSession fresh = new ProducerSession(new KafkaProducer<>(properties.ofProducer()));
    session = fresh;
    return fresh;
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
