package io.shardbus.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.event.Batch;
import io.shardbus.event.Headers;
import io.shardbus.event.ProducerId;
import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.kafka.KafkaSinkOptions;
import io.shardbus.sink.support.PositionCursor;
import io.shardbus.testing.Attributes;
import io.shardbus.testing.Ports;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.consumer.ConsumerInterceptor;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ConsumerRecords;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerInterceptor;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class KafkaSinkTest extends ForgetfulServerContract {

  private static final int PARTITIONS = 3;

  /**
   * One broker serves all tests, for a JVM takes its time to start; each has a topic of its own.
   */
  @TempDir static Path brokerDir;

  private static int brokerPort;
  private static ServerProcess broker;

  private final String topic = "events-" + UUID.randomUUID();
  private JsonObject config = new JsonObject();

  @BeforeAll
  static void chooseBroker() throws Exception {
    brokerPort = Ports.free();
    broker = KafkaBroker.process(brokerPort, brokerDir, PARTITIONS, null);
  }

  @AfterAll
  static void killBroker() throws Exception {
    broker.kill();
  }

  @Override
  ServerProcess server(String password) {
    port = brokerPort;
    return password == null
        ? broker
        : KafkaBroker.process(brokerPort, brokerDir, PARTITIONS, password);
  }

  @Override
  void prepareServer() throws Exception {
    KafkaBroker.createTopic(bootstrap(), topic, PARTITIONS, Map.of());
  }

  @Override
  void endServer() throws Exception {
    if (server != broker) {
      server.kill();
    }
  }

  @Override
  ReplayableSink create(String password) {
    JsonObject properties = new JsonObject().put("reconnect.backoff.max.ms", 100);
    if (password != null) {
      properties
          .put("security.protocol", "SASL_PLAINTEXT")
          .put("sasl.mechanism", "PLAIN")
          .put("sasl.jaas.config", KafkaBroker.jaas(password));
    }
    return (ReplayableSink)
        Sinks.create(
            new SinkOptions("kafka")
                .setConfig(
                    new JsonObject()
                        .put("bootstrapServers", bootstrap())
                        .put("topic", topic)
                        .put("deliveryTimeout", timeout)
                        .put("maxBlock", timeout)
                        .put("startTimeout", "2s")
                        .put("partitionBy", "shard") // the contract wants the order of shards
                        .put("properties", properties)
                        .mergeIn(config)));
  }

  @Override
  boolean recognisesRepetitions() {
    return false;
  }

  private static String bootstrap() {
    return "127.0.0.1:" + brokerPort;
  }

  private static Map<String, Object> clientConfig() {
    Map<String, Object> client = new HashMap<>();
    client.put("bootstrap.servers", bootstrap());
    client.put("auto.offset.reset", "earliest");
    client.put("max.poll.records", 100_000);
    return client;
  }

  /** All records, as any client sees them. */
  private List<ConsumerRecord<byte[], byte[]>> records(int count) {
    List<ConsumerRecord<byte[], byte[]>> all = new ArrayList<>();
    try (var consumer =
        new KafkaConsumer<>(
            clientConfig(), new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      consumer.assign(
          consumer.partitionsFor(topic).stream()
              .map(info -> new TopicPartition(topic, info.partition()))
              .toList());
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

  private static String header(ConsumerRecord<byte[], byte[]> record, String name) {
    return new String(record.headers().lastHeader(name).value(), StandardCharsets.UTF_8);
  }

  private static SinkException failure(Future<Void> write) {
    Awaitility.await().atMost(60, TimeUnit.SECONDS).until(write::failed);
    return (SinkException) write.cause();
  }

  private Map<String, Integer> countsById(int records) {
    Map<String, Integer> counts = new HashMap<>();
    records(records)
        .forEach(record -> counts.merge(header(record, "Shardbus-Event"), 1, Integer::sum));
    return counts;
  }

  /** What is there more than once carries the same id. */
  @Override
  int assertAllInOrder(int shards, long eventsOfEach) throws Exception {
    int count = super.assertAllInOrder(shards, eventsOfEach);
    assertThat(countsById(count)).hasSize((int) eventsOfEach * shards);
    return count;
  }

  @Override
  @Test
  void producers_areToldApart() throws Exception {
    Batch mine = batch(0, 0, 10);
    await(sink.write(mine));
    await(sink.write(new Batch(0, 0, mine.events(), new ProducerId("another", epoch))));
    assertThat(countsById(20))
        .hasSize(20)
        .containsKeys("test:1:0:3:3000000", "another:1:0:3:3000000");
  }

  /** Kafka does not recognise a repetition, but its readers can. */
  @Override
  @Test
  void repeatedBatch_isThereOnce() throws Exception {
    await(sink.write(batch(0, 0, 100)));
    await(sink.write(batch(0, 0, 100)));
    await(sink.write(batch(0, 50, 100)));
    List<Long> all = sequences(readAll(1000), 0);
    assertThat(all).hasSize(300);
    assertThat(all.stream().distinct().toList()).isEqualTo(range(0, 150));
    assertThat(countsById(300))
        .hasSize(150)
        .containsEntry("test:1:0:0:0", 2)
        .containsEntry("test:1:0:75:75000000", 3);
  }

  @Test
  void record_saysWhatTheEventIs() throws Exception {
    await(sink.write(batch(4, 10, 2)));
    ConsumerRecord<byte[], byte[]> first = records(2).get(0);
    assertThat(first.partition()).isEqualTo(4 % PARTITIONS);
    assertThat(first.timestamp()).isEqualTo(10);
    assertThat(header(first, "Shardbus-Event")).isEqualTo("test:1:4:10:10000004");
    assertThat(records(2).get(1).key()).isNull();
  }

  /** As the Kafka binding has it. */
  @Test
  void headers_areHeadersOfTheRecord() throws Exception {
    await(sink.write(new Batch(0, 0, Attributes.events(0, now()), new ProducerId("test", 1))));
    List<ConsumerRecord<byte[], byte[]>> all = records(3);
    assertThat(header(all.get(0), "Shardbus-Id")).isEqualTo("id ☃ %41: +");
    assertThat(header(all.get(0), "shardbus-shard"))
        .isEqualTo(Attributes.most().get("shardbus-shard"));
    assertThat(header(all.get(0), "ce-id")).isEqualTo(Attributes.most().get("ce-id"));
    assertThat(all.get(1).headers()).hasSize(1);
    ConsumerRecord<byte[], byte[]> cloudEvent = all.get(2);
    assertThat(header(cloudEvent, "ce_specversion")).isEqualTo("1.0");
    assertThat(header(cloudEvent, "ce_id")).isEqualTo("é 17%");
    assertThat(header(cloudEvent, "ce_source")).isEqualTo("/shop/\"till\"");
    assertThat(header(cloudEvent, "content-type")).isEqualTo("application/json; charset=utf-8");
    assertThat(cloudEvent.headers().lastHeader("ce-id")).isNull();
  }

  @Test
  void traceContext_goesFromTheEventToTheRecord() throws Exception {
    ShardBusOptions options = new ShardBusOptions().setShards(1);
    ShardBus bus = await(ShardBus.start(vertx, options, new FaultySink("kafka", sink::write)));
    String parent = Attributes.ofCloudEvent().get("traceparent");
    RawEvent event =
        RawEvent.builder(Buffer.buffer("{}"))
            .header("traceparent", parent)
            .header("tracestate", "a=b, c=d")
            .build();
    assertThat(await(bus.deliver(event)).accepted()).isTrue();
    ConsumerRecord<byte[], byte[]> record = records(1).get(0);
    assertThat(header(record, "traceparent")).isEqualTo(parent);
    assertThat(header(record, "tracestate")).isEqualTo("a=b, c=d");
    await(bus.close());
  }

  /** Own names that look as CloudEvents do in Kafka. */
  @Test
  void namesOfTheKafkaBinding_comeBackAsTheyWere() throws Exception {
    List<Map<String, String>> headers =
        List.of(
            Map.of("ce-specversion", "1.0", "ce-x", "1", "ce_x", "2", "ce_y", "3"),
            Map.of("ce_specversion", "1.0", "ce-x", "1", "ce_x", "2"),
            Map.of("ce-specversion", "1.0", "ce_specversion", "2"),
            Map.of("ce-x", "1", "ce_x", "2"));
    List<ShardEvent> events = new ArrayList<>();
    for (Map<String, String> each : headers) {
      events.add(
          new ShardEvent(
              0, events.size(), now(), Buffer.buffer("1"), null, null, Headers.of(each)));
    }
    await(sink.write(new Batch(0, 0, events, new ProducerId("test", 1))));
    assertThat(readAll(10))
        .extracting(stored -> stored.event().headers().toMap())
        .isEqualTo(headers);
    assertThat(header(records(4).get(0), "ce_x")).isEqualTo("1");
  }

  @Test
  void headersOfOthers_doNotHideTheEvent() throws Exception {
    config =
        new JsonObject()
            .put(
                "properties", new JsonObject().put("interceptor.classes", Meddler.class.getName()));
    reopen();
    await(sink.write(batch(0, 0, 1)));
    StoredEvent got = readAll(10).get(0);
    assertThat(got.event().headers().toMap()).containsOnlyKeys("good", "twice");
    assertThat(got.event().headers().get("twice")).isEqualTo("b");
  }

  /** Adds headers, as an agent that traces may. */
  public static final class Meddler
      implements ProducerInterceptor<byte[], byte[]>, ConsumerInterceptor<byte[], byte[]> {

    @Override
    public ConsumerRecords<byte[], byte[]> onConsume(ConsumerRecords<byte[], byte[]> records) {
      return records;
    }

    @Override
    public void onCommit(Map<TopicPartition, OffsetAndMetadata> offsets) {}

    @Override
    public ProducerRecord<byte[], byte[]> onSend(ProducerRecord<byte[], byte[]> record) {
      record
          .headers()
          .add("good", bytes("value"))
          .add("", bytes("no name"))
          .add("no token", bytes("x"))
          .add("Upper", bytes("x"))
          .add("no-value", null)
          .add("control", new byte[] {0, 7})
          .add("twice", bytes("a"))
          .add("twice", bytes("b"));
      return record;
    }

    private static byte[] bytes(String text) {
      return text.getBytes(StandardCharsets.UTF_8);
    }

    @Override
    public void onAcknowledgement(RecordMetadata metadata, Exception exception) {}

    @Override
    public void close() {}

    @Override
    public void configure(Map<String, ?> configs) {}
  }

  @Test
  void until_endsAWalkEarly() throws Exception {
    assertUntilEndsEarly();
  }

  @Test
  void eventTooLarge_isRefusedForGoodAndAlone() throws Exception {
    for (int size : new int[] {500_000, 2_000_000}) { // for the broker; for the client already
      List<ShardEvent> events = new ArrayList<>(batch(0, 0, 20).events());
      events.set(7, new ShardEvent(0, 7, 7_000_000, Buffer.buffer(new byte[size]), null));
      SinkException failure =
          failure(sink.write(new Batch(0, 0, events, new ProducerId("test", epoch))));
      assertThat(failure.kind()).isEqualTo(SinkException.Kind.PARTIAL);
      BitSet seven = new BitSet();
      seven.set(7);
      assertThat(failure.failed()).isEqualTo(seven);
      assertThat(((SinkException) failure.getCause()).kind())
          .isEqualTo(SinkException.Kind.PERMANENT);
    }
    List<Long> expected = range(0, 20);
    expected.remove(7L);
    expected.addAll(List.copyOf(expected));
    assertThat(sequences(readAll(100), 0)).isEqualTo(expected);
  }

  /** The broker refuses a whole producer batch for one event, and the bus must find out which. */
  @Test
  void eventTheBrokerRefuses_doesNotTakeOthersWithIt() throws Exception {
    config = new JsonObject().put("topic", topic + "-compact");
    KafkaBroker.createTopic(
        bootstrap(), topic + "-compact", 1, Map.of("cleanup.policy", "compact"));
    reopen();
    await(deliver(batch(0, 0, 16))); // every second event has no key, which compaction needs
    assertThat(refused).containsExactly(1L, 3L, 5L, 7L, 9L, 11L, 13L, 15L);
    assertThat(sequences(readAll(100), 0).stream().distinct())
        .containsExactly(0L, 2L, 4L, 6L, 8L, 10L, 12L, 14L);
  }

  @Test
  void foreignRecords_arePassedOver() throws Exception {
    await(sink.write(batch(0, 0, 5)));
    try (var producer =
        new KafkaProducer<>(clientConfig(), new ByteArraySerializer(), new ByteArraySerializer())) {
      for (byte[] value : new byte[][] {{1}, null}) {
        producer.send(new ProducerRecord<>(topic, 0, null, value)).get(30, TimeUnit.SECONDS);
      }
      var bad = new ProducerRecord<byte[], byte[]>(topic, 0, null, new byte[] {2});
      bad.headers().add("Shardbus-Event", "a:b:c:d:e".getBytes(StandardCharsets.UTF_8));
      producer.send(bad).get(30, TimeUnit.SECONDS);
      var empty = new ProducerRecord<byte[], byte[]>(topic, 0, null, new byte[] {2});
      empty.headers().add("Shardbus-Event", null);
      producer.send(empty).get(30, TimeUnit.SECONDS);
    }
    await(sink.write(batch(0, 5, 5)));
    assertThat(sequences(readAll(3), 0)).isEqualTo(range(0, 10));
  }

  @Test
  void cursorBeyondTheEnd_startsOver() throws Exception {
    await(sink.write(batch(0, 0, 5)));
    PositionCursor end = PositionCursor.parse(await(sink.endCursor()), "kafka");
    String beyond = end.at("p0", 1_000_000L).format("kafka");
    EventPage page = await(sink.read(EventQuery.of(beyond, 10)));
    assertThat(sequences(page.events(), 0)).isEqualTo(range(0, 5));
    await(sink.write(batch(0, 5, 5)));
    assertThat(sequences(readAll(page.cursor(), 100), 0)).isEqualTo(range(5, 10));
  }

  private void deleteTopic() throws Exception {
    try (Admin admin = Admin.create(clientConfig())) {
      admin.deleteTopics(List.of(topic)).all().get(30, TimeUnit.SECONDS);
    }
  }

  /** The broker deletes a topic shortly after it has said so. It makes one anew if it is asked. */
  @Override
  void loseState() throws Exception {
    deleteTopic();
    Awaitility.await()
        .atMost(1, TimeUnit.MINUTES)
        .until(() -> Files.notExists(brokerDir.resolve(topic + "-0")));
  }

  @Override
  void deleteData() throws Exception {
    deleteAll(brokerDir);
    Files.createDirectory(brokerDir);
  }

  @Override
  void change() throws Exception {
    loseState();
    KafkaBroker.createTopic(bootstrap(), topic, 1, Map.of());
  }

  /** Although the new one holds more than the old one did. */
  @Test
  void cursorOfATopicThatWasDeleted_missesNothingOfTheNewOne() throws Exception {
    await(sink.write(batch(0, 0, 10)));
    String end = await(sink.endCursor());
    EventPage page = await(sink.read(EventQuery.of(null, 5)));
    assertThat(sequences(readAll(page.cursor(), 100), 0)).isEqualTo(range(5, 10));
    deleteTopic();
    KafkaBroker.createTopic(bootstrap(), topic, PARTITIONS, Map.of());
    await(deliver(batch(0, 100, 30)));
    for (String cursor : new String[] {end, page.cursor()}) {
      assertThat(sequences(readAll(cursor, 100), 0).stream().distinct().toList())
          .isEqualTo(range(100, 130));
    }
    await(deliver(batch(0, 130, 5)));
    assertThat(readAll(await(sink.endCursor()), 100)).isEmpty();
  }

  @Test
  void topicThatIsMissing_isMadeByTheBroker() throws Exception {
    config = new JsonObject().put("topic", topic + "-made");
    reopen();
    await(sink.write(batch(0, 0, 10)));
    assertThat(sequences(readAll(100), 0)).isEqualTo(range(0, 10));
  }

  @Test
  void topicThatIsGone_isNamed() throws Exception {
    await(sink.write(batch(0, 0, 10)));
    deleteTopic();
    // The broker deletes it shortly after it has said so.
    Awaitility.await()
        .atMost(60, TimeUnit.SECONDS)
        .untilAsserted(
            () ->
                assertThatThrownBy(() -> readAll(100))
                    .hasMessageContaining(topic)
                    .hasMessageContaining("does not host"));
  }

  @Test
  void unreachableBroker_isNamedAtTheOpening() {
    Sink bad =
        Sinks.create(
            new SinkOptions("kafka")
                .setConfig(
                    new JsonObject()
                        .put("bootstrapServers", "127.0.0.1:1")
                        .put("maxBlock", "300ms")
                        .put("startTimeout", "500ms")));
    assertThatThrownBy(() -> await(bad.open(context())))
        .hasMessageContaining("127.0.0.1:1")
        .hasMessageContaining("\"shardbus\"");
    assertThat(bad.close()).satisfies(closed -> Awaitility.await().until(closed::succeeded));
  }

  @Test
  void ownedProperties_areRefusedByName() {
    assertThatThrownBy(
            () ->
                new KafkaSinkOptions(
                    new JsonObject()
                        .put("properties", new JsonObject().put("acks", "1").put("linger.ms", 5))))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("acks")
        .hasMessageNotContaining("linger.ms");
  }

  @Test
  void secrets_areNotQuoted() {
    String[] jaas = {
      "org.apache.kafka.common.security.plain.PlainLoginModule required username=\"u\""
          + " password=\"hunter22\" oops;",
      "hunter22",
    };
    for (String value : jaas) {
      JsonObject properties =
          new JsonObject()
              .put("security.protocol", "SASL_PLAINTEXT")
              .put("sasl.mechanism", "PLAIN")
              .put("sasl.jaas.config", value)
              .put("ssl.truststore.password", "hunter22");
      config = new JsonObject().put("properties", properties);
      Sink bad = create();
      assertThatThrownBy(() -> await(bad.open(context())))
          .satisfies(
              failure -> {
                for (Throwable t = failure; t != null; t = t.getCause()) {
                  assertThat(t.toString()).doesNotContain("hunter22");
                }
              })
          .hasMessageContaining(topic);
      assertThat(bad.toString()).doesNotContain("hunter22");
    }
  }

  @Test
  void properties_reachTheClients() throws Exception {
    config =
        new JsonObject()
            .put(
                "properties", new JsonObject().put("compression.type", "gzip").put("linger.ms", 1));
    reopen();
    await(sink.write(batch(0, 0, 10)));
    assertThat(readAll(10)).hasSize(10);
    config = new JsonObject().put("properties", new JsonObject().put("compression.type", "zip"));
    assertThatThrownBy(this::reopen).hasMessageContaining("compression.type");
  }
}
