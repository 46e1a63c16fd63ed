package io.shardbus.sink.kafka;

import io.shardbus.event.Batch;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.SinkException;
import io.vertx.core.Future;
import java.time.Duration;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.KafkaException;
import org.jspecify.annotations.Nullable;

/** Writes batches on a thread of its own, since a producer may block. */
final class KafkaWriter {

  private final KafkaSinkOptions options;
  private final ClientProperties properties;
  private final OwnThread thread = new OwnThread("shardbus-kafka-writer");
  private @Nullable ProducerSession session;
  private volatile boolean closing;

  /** As it was at the opening: a shard must not change its partition while the bus runs. */
  private int partitions;

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
    return thread.execute(() -> send(batch, tally))
        ? tally.future()
        : Future.failedFuture(SinkException.transientFailure("the sink is closed"));
  }

  private void send(Batch batch, WriteTally tally) {
    ProducerSession current;
    try {
      current = session();
    } catch (KafkaException e) {
      tally.settleAll(properties.failure(e));
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
