package io.shardbus.sink.kafka;

import io.shardbus.event.Batch;
import io.shardbus.event.ShardEvent;
import io.shardbus.options.Durations;
import io.shardbus.sink.SinkException;
import io.shardbus.sink.support.OwnThread;
import io.vertx.core.Future;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ThreadLocalRandom;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;

/**
 * Writes batches on a thread of its own, because a producer may block. While it blocks, at most one
 * write of each shard waits for its turn, and never longer than the bus does.
 */
final class KafkaWriter {

  private static final Logger LOG = LoggerFactory.getLogger(KafkaWriter.class);

  /** After so many bytes without a key, the next partition takes its turn. */
  private static final int SPREAD_BYTES = 256 << 10;

  private final KafkaSinkOptions options;
  private final ClientProperties properties;
  private final OwnThread thread = new OwnThread("shardbus-kafka-writer", "the sink is");
  private final Map<Integer, Attempt> waiting = new ConcurrentHashMap<>();
  private final RecordTimes times;
  private @Nullable ProducerSession session;
  private volatile boolean closing;

  /** Which partition takes events without a key; several nodes begin at several. */
  private int spread = ThreadLocalRandom.current().nextInt(1 << 16);

  private long spreadBytes;

  /**
   * The topic as first seen. By shard, a shard keeps its partition as long as the topic is the
   * same.
   */
  private Topic topic = new Topic(0, List.of());

  private record Attempt(Batch batch, RecordAnswers answers, long begun) {}

  KafkaWriter(KafkaSinkOptions options, ClientProperties properties) {
    this.options = options;
    this.properties = properties;
    times = new RecordTimes(options.getTopic());
  }

  /** Waits for the broker until {@code startTimeout}, and tries at least once. */
  Future<Void> open() {
    long begun = System.nanoTime();
    return thread.call(
        () -> {
          boolean told = false;
          while (true) {
            try {
              session();
              return null;
            } catch (KafkaException e) {
              KafkaException failure = properties.failure(e);
              if (closing
                  || !(e instanceof RetriableException)
                  || System.nanoTime() - begun >= options.getStartTimeout().toNanos()) {
                throw failure;
              }
              if (!told) {
                told = true;
                LOG.warn(
                    failure.getMessage()
                        + "; the start waits for it up to "
                        + Durations.format(options.getStartTimeout())
                        + " (startTimeout)");
              }
            }
          }
        });
  }

  Future<Void> write(Batch batch) {
    RecordAnswers answers = new RecordAnswers(batch, properties::describe);
    Attempt stale = waiting.put(batch.shard(), new Attempt(batch, answers, System.nanoTime()));
    if (stale != null) {
      // A shard that writes again has given up the write before. The turn is now this one's.
      stale.answers().settleAll(new KafkaException("given up before its turn came"));
    } else if (!thread.execute(() -> sendWaiting(batch.shard()))) {
      waiting.remove(batch.shard());
      return Future.failedFuture(SinkException.transientFailure("the sink is closed"));
    }
    return answers.future();
  }

  private void sendWaiting(int shard) {
    Attempt attempt = waiting.remove(shard);
    if (attempt == null) {
      return;
    }
    if (System.nanoTime() - attempt.begun() > options.getMaxBlock().toNanos()) {
      attempt
          .answers()
          .settleAll(
              new KafkaException(
                  "others kept the producer busy for " + options.getMaxBlock().toMillis() + " ms"));
      return;
    }
    send(attempt.batch(), attempt.answers());
  }

  private void send(Batch batch, RecordAnswers answers) {
    ProducerSession current;
    List<TopicPartition> partitions;
    try {
      current = session();
      partitions = byShard() ? topic.partitions() : current.partitions(options.getTopic());
    } catch (RuntimeException | Error e) { // whatever it is, the bus waits for the answer
      answers.settleAll(e);
      return;
    }
    takeNextTurn();
    String names = EventRecords.names(batch);
    for (int i = 0; i < batch.size(); i++) {
      try {
        ShardEvent event = batch.events().get(i);
        byte[] key = event.key() == null ? null : EventRecords.bytes(event.key());
        TopicPartition partition = partitions.get(number(event, key) % partitions.size());
        current.send(EventRecords.toRecord(partition, event, key, names, times), answers, i);
      } catch (RuntimeException | Error e) { // the bus waits for the answer; order ends here
        current.refuse(answers, i, e);
      }
    }
  }

  /** Which partition, before the number of partitions is looked at. */
  private int number(ShardEvent event, byte @Nullable [] key) {
    if (byShard()) {
      return event.shard();
    }
    if (key != null) {
      return Utils.toPositive(Utils.murmur2(key)); // as Kafka's own producers do
    }
    spreadBytes += event.payload().length();
    if (spreadBytes > SPREAD_BYTES) {
      takeNextTurn();
    }
    return spread & Integer.MAX_VALUE;
  }

  private void takeNextTurn() {
    spread++;
    spreadBytes = 0;
  }

  private boolean byShard() {
    return options.getPartitionBy() == KafkaSinkOptions.PartitionBy.shard;
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
    KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(properties.ofProducer());
    ProducerSession fresh;
    try {
      int partitions = producer.partitionsFor(options.getTopic()).size();
      fresh = new ProducerSession(producer, times, properties.window(partitions), thread::execute);
      look(fresh);
      session = fresh;
    } catch (RuntimeException | Error e) {
      producer.close(Duration.ZERO);
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
