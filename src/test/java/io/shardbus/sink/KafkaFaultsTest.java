package io.shardbus.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.event.Batch;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.support.PositionCursor;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the Kafka sink does when its broker goes away. */
@Tag("backend")
class KafkaFaultsTest {

  private static final int SHARDS = 4;
  private static final int BATCH = 200;

  /** Of each shard. */
  private static final int KEYS = 7;

  private static final ProducerId PRODUCER = new ProducerId("test", 1);

  @TempDir Path dir;
  private Vertx vertx;
  private Proxy proxy;
  private KafkaBroker broker;
  private ReplayableSink sink;

  /** One that no fault is tried on. */
  private ReplayableSink patient;

  private final AtomicInteger confirmed = new AtomicInteger();
  private final AtomicInteger failed = new AtomicInteger();
  private volatile boolean enough;

  @BeforeEach
  void start() throws Exception {
    vertx = Vertx.vertx();
    proxy = new Proxy(vertx);
    broker = new KafkaBroker(dir, 2, proxy.port());
    proxy.forwardTo(broker.port());
    broker.createTopic("shardbus", 2, Map.of());
    patient = open("30s", "30s", "key"); // first, while the broker is new
    sink =
        Awaitility.await()
            .atMost(1, TimeUnit.MINUTES)
            .ignoreExceptions()
            .until(() -> open("1s", "2s", "key"), opened -> true);
  }

  private ReplayableSink open(String deliveryTimeout, String maxBlock, String partitionBy)
      throws Exception {
    ReplayableSink made =
        (ReplayableSink)
            Sinks.create(
                new SinkOptions("kafka")
                    .setConfig(
                        new JsonObject()
                            .put("bootstrapServers", broker.bootstrap())
                            .put("deliveryTimeout", deliveryTimeout)
                            .put("maxBlock", maxBlock)
                            .put("partitionBy", partitionBy)
                            .put(
                                "properties",
                                new JsonObject()
                                    .put("reconnect.backoff.max.ms", 100)
                                    .put("batch.size", 8_000))));
    get(made.open(new SinkContext(vertx, PRODUCER, null)));
    return made;
  }

  @AfterEach
  void stop() throws Exception {
    get(sink.close());
    get(patient.close());
    broker.close();
    get(vertx.close());
  }

  private static <T> T get(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  /** Writes batch after batch, as the bus does, until it is enough; the number of events. */
  private Future<Integer> writeOn(int shard, int first) {
    if (enough) {
      return Future.succeededFuture(first);
    }
    List<ShardEvent> events = new ArrayList<>();
    for (int i = first; i < first + BATCH; i++) {
      String key = shard + " " + i % KEYS;
      events.add(new ShardEvent(shard, i, i, Buffer.buffer("{\"n\":" + i + "}"), key));
    }
    return untilTaken(new Batch(shard, first, events, PRODUCER))
        .compose(done -> writeOn(shard, first + BATCH));
  }

  private Future<Void> untilTaken(Batch batch) {
    return sink.write(batch)
        .onSuccess(done -> confirmed.addAndGet(batch.size()))
        .recover(
            e -> {
              failed.incrementAndGet();
              SinkException failure = (SinkException) e;
              Batch rest = batch;
              if (failure.kind() == SinkException.Kind.PARTIAL) {
                List<ShardEvent> left =
                    failure.failed().stream().mapToObj(batch.events()::get).toList();
                rest = new Batch(batch.shard(), left.get(0).sequence(), left, PRODUCER);
              } else if (failure.kind() == SinkException.Kind.PERMANENT) {
                return Future.failedFuture(failure);
              }
              Batch again = rest;
              return vertx.timer(50, TimeUnit.MILLISECONDS).compose(later -> untilTaken(again));
            });
  }

  private List<StoredEvent> readAll() throws Exception {
    List<StoredEvent> all = new ArrayList<>();
    String cursor = null;
    EventPage page;
    do {
      page = get(patient.read(EventQuery.of(cursor, 10_000)));
      all.addAll(page.events());
      cursor = page.cursor();
    } while (page.more());
    return all;
  }

  private void awaitConfirmed(int more) {
    int target = confirmed.get() + more;
    Awaitility.await().atMost(60, TimeUnit.SECONDS).until(() -> confirmed.get() >= target);
  }

  @Test
  void brokerStopsAndStarts_nothingIsLostAndFirstTimesAreInOrder() throws Exception {
    List<Future<Integer>> writers = startWriters();
    for (int round = 0; round < 3; round++) {
      awaitConfirmed(5_000);
      broker.stop();
      int before = failed.get();
      // Longer than the producer's own patience in some rounds, shorter in others.
      int failures = round % 2 == 0 ? SHARDS : 0;
      Awaitility.await()
          .atMost(60, TimeUnit.SECONDS)
          .until(() -> failed.get() >= before + failures);
      broker.start();
    }
    awaitConfirmed(5_000);
    assertFirstTimesInOrder(writers);
    assertThat(failed.get()).isGreaterThanOrEqualTo(SHARDS);
  }

  @Test
  void answersAreLost_eventsAreRepeatedButFirstTimesAreInOrder() throws Exception {
    List<Future<Integer>> writers = startWriters();
    for (int round = 0; round < 5; round++) {
      awaitConfirmed(3_000);
      proxy.keepBack(true);
      int before = failed.get();
      Awaitility.await().atMost(60, TimeUnit.SECONDS).until(() -> failed.get() >= before + SHARDS);
      proxy.keepBack(false);
    }
    awaitConfirmed(3_000);
    assertThat(assertFirstTimesInOrder(writers)).as("repeated events").isPositive();
  }

  private List<Future<Integer>> startWriters() {
    List<Future<Integer>> writers = new ArrayList<>();
    for (int shard = 0; shard < SHARDS; shard++) {
      writers.add(writeOn(shard, 0));
    }
    return writers;
  }

  /** How many events are there more than once. */
  private int assertFirstTimesInOrder(List<Future<Integer>> writers) throws Exception {
    enough = true;
    get(Future.all(writers));
    List<StoredEvent> all = readAll();
    int written = 0;
    for (int shard = 0; shard < SHARDS; shard++) {
      int count = writers.get(shard).result();
      written += count;
      for (int key = 0; key < KEYS; key++) {
        String wanted = shard + " " + key;
        int rest = key;
        assertThat(
                all.stream()
                    .map(StoredEvent::event)
                    .filter(event -> wanted.equals(event.key()))
                    .map(ShardEvent::sequence)
                    .distinct()
                    .toList())
            .isEqualTo(
                SinkContract.range(0, count).stream().filter(n -> n % KEYS == rest).toList());
      }
    }
    return all.size() - written;
  }

  @Test
  void brokerIsAway_isTransientAndCloseDoesNotWaitForIt() throws Exception {
    get(untilTaken(batch(0)));
    broker.stop();
    Future<Void> first = sink.write(batch(1));
    Awaitility.await().atMost(30, TimeUnit.SECONDS).until(first::failed);
    assertThat(((SinkException) first.cause()).kind()).isEqualTo(SinkException.Kind.TRANSIENT);
    assertThatThrownBy(() -> get(sink.endCursor())).hasMessageContaining(broker.bootstrap());
    List<Future<Void>> writes = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      writes.add(sink.write(batch(2 + i)));
    }
    long begun = System.nanoTime();
    get(sink.close());
    assertThat(System.nanoTime() - begun).isLessThan(TimeUnit.SECONDS.toNanos(10));
    assertThat(writes).allSatisfy(write -> assertThat(write.failed()).isTrue());
    broker.start();
  }

  /** By default the broker takes none that are more than an hour ahead of its clock. */
  @Test
  void clockThatIsWrong_makesNoDeadLetters() throws Exception {
    long now = TimeUnit.MILLISECONDS.toNanos(System.currentTimeMillis());
    List<ShardEvent> events = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      long time = now + (i < 20 ? 0 : TimeUnit.DAYS.toNanos(30)) + i;
      events.add(new ShardEvent(0, i, time, Buffer.buffer("x"), null));
    }
    get(untilTaken(new Batch(0, 0, events, PRODUCER)));
    assertThat(readAll().stream().map(StoredEvent::event).distinct().toList()).isEqualTo(events);
  }

  /**
   * What fails makes the sink look at the topic. While it is the same a shard keeps its partition;
   * of a new one all are used.
   */
  @Test
  void topicMadeAnewWithMorePartitions_usesThem() throws Exception {
    get(sink.close());
    sink = open("1s", "2s", "shard");
    get(untilTaken(batch(1)));
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrap()))) {
      admin
          .createPartitions(Map.of("shardbus", NewPartitions.increaseTo(3)))
          .all()
          .get(30, TimeUnit.SECONDS);
      failOnce();
      get(untilTaken(batch(2)));
      assertThat(partitionsInUse()).containsExactly("p0", "p1");
      admin.deleteTopics(List.of("shardbus")).all().get(30, TimeUnit.SECONDS);
    }
    Awaitility.await()
        .atMost(60, TimeUnit.SECONDS)
        .until(() -> Files.notExists(dir.resolve("shardbus-1")));
    broker.createTopic("shardbus", 5, Map.of());
    get(untilTaken(batch(4)));
    failOnce();
    get(untilTaken(batch(4)));
    assertThat(partitionsInUse()).contains("p4");
  }

  private void failOnce() {
    proxy.keepBack(true);
    Future<Void> write = sink.write(batch(0));
    Awaitility.await().atMost(60, TimeUnit.SECONDS).until(write::failed);
    proxy.keepBack(false);
  }

  private List<String> partitionsInUse() throws Exception {
    return PositionCursor.parse(get(patient.endCursor()), "kafka").positions().entrySet().stream()
        .filter(entry -> entry.getKey().matches("p\\d+") && entry.getValue() > 0)
        .map(Map.Entry::getKey)
        .toList();
  }

  @Test
  void attemptsThatAreGivenUp_doNotQueueUp() throws Exception {
    get(untilTaken(batch(0)));
    broker.stop();
    Future<Void> first = sink.write(batch(1));
    Awaitility.await().atMost(30, TimeUnit.SECONDS).until(first::failed);
    // Keeps the thread of the new producer waiting for the topic.
    Future<Void> blocks = sink.write(batch(1));
    List<Future<Void>> attempts = new ArrayList<>();
    for (int i = 0; i < 5; i++) {
      attempts.add(sink.write(batch(2)));
    }
    assertThat(blocks.isComplete()).isFalse();
    assertThat(attempts.subList(0, 4)).allSatisfy(stale -> assertThat(stale.failed()).isTrue());
    // Its turn comes when it has waited for as long as the bus would.
    Awaitility.await().atMost(30, TimeUnit.SECONDS).until(attempts.get(4)::failed);
    assertThat(attempts.get(4).cause()).message().containsAnyOf("busy", "not present in metadata");
    broker.start();
  }

  private static Batch batch(int shard) {
    return new Batch(
        shard, 0, List.of(new ShardEvent(shard, 0, 1, Buffer.buffer("x"), null)), PRODUCER);
  }
}
