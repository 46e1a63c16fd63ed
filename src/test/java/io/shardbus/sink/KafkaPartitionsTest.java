package io.shardbus.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.event.Batch;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where events stand in a topic of twelve partitions, beside those of other programs. */
@Tag("backend")
class KafkaPartitionsTest {

  private static final int PARTITIONS = 12;
  private static final String TOPIC = "shardbus";

  @TempDir Path dir;
  private Vertx vertx;
  private KafkaBroker broker;
  private final List<Sink> sinks = new ArrayList<>();

  @BeforeEach
  void start() throws Exception {
    vertx = Vertx.vertx();
    broker = new KafkaBroker(dir, PARTITIONS);
    broker.createTopic(TOPIC, PARTITIONS, Map.of());
  }

  @AfterEach
  void stop() throws Exception {
    for (Sink sink : sinks) {
      get(sink.close());
    }
    broker.close();
    get(vertx.close());
  }

  private static <T> T get(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private Sink sink() {
    Sink sink =
        Sinks.create(
            new SinkOptions("kafka")
                .setConfig(new JsonObject().put("bootstrapServers", broker.bootstrap())));
    sinks.add(sink);
    return sink;
  }

  private Future<Void> open(Sink sink, String node) {
    return sink.open(new SinkContext(vertx, new ProducerId(node, 1), null));
  }

  private static Batch batch(String node, int shard, long first, List<String> keys) {
    List<ShardEvent> events = new ArrayList<>();
    for (int i = 0; i < keys.size(); i++) {
      events.add(new ShardEvent(shard, first + i, i, Buffer.buffer("event"), keys.get(i)));
    }
    return new Batch(shard, first, events, new ProducerId(node, 1));
  }

  private Map<String, Object> client() {
    Map<String, Object> client = new HashMap<>();
    client.put("bootstrap.servers", broker.bootstrap());
    client.put("auto.offset.reset", "earliest");
    return client;
  }

  private List<ConsumerRecord<byte[], byte[]>> records(int count) {
    List<ConsumerRecord<byte[], byte[]>> all = new ArrayList<>();
    try (var consumer =
        new KafkaConsumer<>(client(), new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      consumer.assign(
          IntStream.range(0, PARTITIONS).mapToObj(i -> new TopicPartition(TOPIC, i)).toList());
      Awaitility.await()
          .atMost(30, TimeUnit.SECONDS)
          .until(
              () -> {
                consumer.poll(Duration.ofMillis(100)).forEach(all::add);
                return all.size() >= count;
              });
    }
    return all;
  }

  @Test
  void keyedEvents_standBesideThoseOfAPlainProducer() throws Exception {
    Sink sink = sink();
    get(open(sink, "a"));
    List<String> keys = IntStream.range(0, 200).mapToObj(i -> "kéy " + i).toList();
    get(sink.write(batch("a", 3, 0, keys)));
    try (var producer =
        new KafkaProducer<>(client(), new ByteArraySerializer(), new ByteArraySerializer())) {
      for (String key : keys) {
        var unused =
            producer.send(
                new ProducerRecord<>(
                    TOPIC, key.getBytes(StandardCharsets.UTF_8), new byte[] {'x'}));
      }
    }
    Map<String, List<Integer>> partitions = new HashMap<>();
    for (ConsumerRecord<byte[], byte[]> record : records(400)) {
      partitions
          .computeIfAbsent(
              new String(record.key(), StandardCharsets.UTF_8), key -> new ArrayList<>())
          .add(record.partition());
    }
    assertThat(partitions)
        .hasSize(200)
        .allSatisfy(
            (key, both) -> {
              assertThat(both).hasSize(2);
              assertThat(both.stream().distinct()).hasSize(1);
            });
    assertThat(partitions.values().stream().map(both -> both.get(0)).distinct())
        .hasSize(PARTITIONS);
  }

  /** Of three nodes with two shards each; by shard they would fill two partitions. */
  @Test
  void eventsWithoutAKey_areSpreadOverAllPartitions() throws Exception {
    for (String node : new String[] {"a", "b", "c"}) {
      Sink sink = sink();
      get(open(sink, node));
      for (int write = 0; write < 10; write++) {
        List<String> noKeys = new ArrayList<>();
        noKeys.add(null);
        noKeys.add(null);
        get(sink.write(batch(node, write % 2, write, noKeys)));
      }
    }
    assertThat(records(60).stream().map(ConsumerRecord::partition).distinct())
        .hasSizeGreaterThanOrEqualTo(10);
  }

  private static long sequence(ConsumerRecord<byte[], byte[]> record) {
    String name =
        new String(record.headers().lastHeader("Shardbus-Event").value(), StandardCharsets.UTF_8);
    return Long.parseLong(name.split(":", -1)[3]);
  }

  @Test
  void eventThatMakesNoRecord_failsTheWriteAndIsNotOvertaken() throws Exception {
    Sink sink = sink();
    get(open(sink, "a"));
    Batch batch = batch("a", 0, 0, Collections.nCopies(10, "k"));
    List<ShardEvent> noMemory =
        new AbstractList<>() {
          @Override
          public ShardEvent get(int index) {
            if (index == 5) {
              throw new OutOfMemoryError("no memory for an event");
            }
            return batch.events().get(index);
          }

          @Override
          public int size() {
            return batch.size();
          }
        };
    assertThatThrownBy(() -> get(sink.write(new Batch(0, 0, noMemory, batch.producer()))))
        .hasMessageContaining("no memory for an event");
    get(sink.write(batch));
    List<Long> all = records(10).stream().map(KafkaPartitionsTest::sequence).distinct().toList();
    assertThat(all).isEqualTo(LongStream.range(0, 10).boxed().toList());
  }

  @Test
  void eventsOfAKey_keepTheirOrderWithManyRequestsUnderWay() throws Exception {
    Sink sink = sink();
    get(open(sink, "a"));
    List<String> keys = IntStream.range(0, 20_000).mapToObj(i -> "k" + i % 50).toList();
    get(sink.write(batch("a", 0, 0, keys)));
    Map<String, List<Long>> sequences = new HashMap<>();
    for (ConsumerRecord<byte[], byte[]> record : records(20_000)) {
      sequences
          .computeIfAbsent(
              new String(record.key(), StandardCharsets.UTF_8), key -> new ArrayList<>())
          .add(sequence(record));
    }
    assertThat(sequences).hasSize(50).allSatisfy((key, all) -> assertThat(all).isSorted());
  }

  @Test
  void start_waitsForABrokerThatComesLate() throws Exception {
    broker.stop();
    Sink sink =
        Sinks.create(
            new SinkOptions("kafka")
                .setConfig(
                    new JsonObject()
                        .put("bootstrapServers", broker.bootstrap())
                        .put("maxBlock", "200ms")
                        .put("startTimeout", "5m")));
    sinks.add(sink);
    long begun = System.nanoTime();
    Future<Void> opened = open(sink, "a");
    Awaitility.await().until(() -> System.nanoTime() - begun > TimeUnit.SECONDS.toNanos(2));
    assertThat(opened.isComplete()).isFalse();
    broker.start();
    get(opened);
  }
}
