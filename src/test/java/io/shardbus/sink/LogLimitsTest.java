package io.shardbus.sink;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.Batch;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.shardbus.files.SqliteFiles;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What readers are told of events that the limits have deleted, and what the log says it keeps. */
@Tag("once")
class LogLimitsTest {

  private static final int BATCH = 500;
  private static final long SECOND = 1_000_000_000L;

  @TempDir Path dir;
  private final Vertx vertx = Vertx.vertx();
  private final Map<Integer, Integer> next = new ConcurrentHashMap<>();
  private ReplayableSink sink;

  @AfterEach
  void close() throws Exception {
    await(sink.close());
    await(vertx.close());
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private void open(JsonObject config) throws Exception {
    sink = (ReplayableSink) Sinks.create(new SinkOptions("log").setConfig(config));
    await(sink.open(new SinkContext(vertx, new ProducerId("p", 1), dir)));
  }

  private static JsonObject small(int writers) {
    return new JsonObject().put("writers", writers).put("segmentBytes", 65_536);
  }

  private Future<Void> write(int shard) {
    int first = next.merge(shard, BATCH, Integer::sum) - BATCH;
    long now = TimeUnit.MILLISECONDS.toNanos(System.currentTimeMillis());
    List<ShardEvent> events = new ArrayList<>();
    for (int i = first; i < first + BATCH; i++) {
      events.add(new ShardEvent(shard, i, now + i, Buffer.buffer("{\"n\":" + i + "}"), null));
    }
    return sink.write(new Batch(shard, first, events, new ProducerId("p", 1)));
  }

  private Future<Void> write(int shard, int batches) {
    Future<Void> chain = Future.succeededFuture();
    for (int i = 0; i < batches; i++) {
      chain = chain.compose(done -> write(shard));
    }
    return chain;
  }

  private List<Path> files() throws Exception {
    try (Stream<Path> files = Files.list(dir.resolve("log"))) {
      return files.filter(file -> file.toString().endsWith(".db")).sorted().toList();
    }
  }

  private static LongStream sequences(EventPage page) {
    return page.events().stream().mapToLong(stored -> stored.event().sequence());
  }

  /** Each event is read once, or counted as missed, whenever the files go. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void walkWhileFilesRollAndGo_readsOrMissesEachEventOnce(int writers) throws Exception {
    open(small(writers).put("maxBytes", 300_000L * writers));
    String cursor = await(sink.endCursor()); // of the empty log: nothing may be passed over
    Future<?> writing = Future.all(write(0, 60), write(1, 60));
    List<Path> first = files();
    Awaitility.await().until(() -> files().stream().noneMatch(first::contains));
    Map<Integer, Long> last = new HashMap<>();
    long read = 0;
    long missed = 0;
    EventPage page;
    boolean done;
    do {
      done = writing.isComplete();
      page = await(sink.read(EventQuery.of(cursor, 200)));
      for (StoredEvent stored : page.events()) {
        Long before = last.put(stored.event().shard(), stored.event().sequence());
        assertThat(stored.event().sequence()).isGreaterThan(before == null ? -1 : before);
      }
      read += page.events().size();
      missed += page.missed();
      cursor = page.cursor();
    } while (!done || page.more());
    await(writing);
    assertThat(read + missed).isEqualTo(2L * 60 * BATCH);
    assertThat(missed).isPositive();
  }

  @Test
  void cursorThatIsTooFarBack_isToldHowManyEventsAreGone() throws Exception {
    open(small(1).put("maxBytes", 300_000));
    await(write(0));
    EventPage first = await(sink.read(EventQuery.of(null, 100)));
    assertThat(first.missed()).isZero();
    await(write(0, 40));
    EventPage page = await(sink.read(EventQuery.of(first.cursor(), 100)));
    assertThat(page.missed()).isEqualTo(page.events().get(0).event().sequence() - 100);
    assertThat(page.missed()).isPositive();
    assertThat(await(sink.read(EventQuery.of(null, 100))).missed()).isZero();
    assertThat(await(sink.read(EventQuery.of(await(sink.endCursor()), 100))).missed()).isZero();
  }

  /** Files that {@code since} passed over are not missed when they go. */
  @Test
  void filesBeforeSince_areNotMissed() throws Exception {
    open(small(2));
    await(Future.all(write(0, 10), write(1, 10)));
    long since = TimeUnit.MILLISECONDS.toNanos(System.currentTimeMillis()) + SECOND / 100;
    Awaitility.await().until(() -> System.currentTimeMillis() * 1_000_000 > since);
    await(Future.all(write(0, 10), write(1, 10)));
    EventPage page = await(sink.read(EventQuery.of(null, 1).withSince(since)));
    for (int writer = 0; writer < 2; writer++) {
      String mine = "writer-" + writer;
      Path oldest =
          files().stream()
              .filter(f -> f.getFileName().toString().startsWith(mine))
              .findFirst()
              .get();
      for (Path part : SqliteFiles.of(oldest)) {
        Files.deleteIfExists(part);
      }
    }
    page = await(sink.read(EventQuery.of(page.cursor(), 100).withSince(since)));
    assertThat(page.missed()).isZero();
    assertThat(page.events()).hasSize(100);
  }

  /** A quarter of the retention: so events are not kept much longer than that. */
  @Test
  void retention_closesAFileAfterAQuarterOfIt() throws Exception {
    open(small(1).put("segmentBytes", 1 << 30).put("retention", "2s"));
    await(write(0));
    Awaitility.await()
        .atMost(20, TimeUnit.SECONDS)
        .until(
            () -> {
              await(write(0));
              return files().size() > 2;
            });
    Awaitility.await()
        .atMost(30, TimeUnit.SECONDS)
        .until(
            () -> sequences(await(sink.read(EventQuery.of(null, 10_000)))).noneMatch(n -> n == 0));
  }

  @Test
  void storage_tellsSizeTimesAndFreeSpace() throws Exception {
    open(small(2));
    Storage empty = sink.storage();
    assertThat(empty.oldest()).isNull();
    assertThat(empty.newest()).isNull();
    long before = TimeUnit.MILLISECONDS.toNanos(System.currentTimeMillis());
    await(Future.all(write(0, 5), write(1, 5)));
    List<Long> times =
        await(sink.read(EventQuery.of(null, 10_000))).events().stream()
            .map(stored -> stored.event().timestamp())
            .sorted()
            .toList();
    Awaitility.await()
        .atMost(30, TimeUnit.SECONDS)
        .untilAsserted(
            () -> {
              Storage storage = sink.storage();
              assertThat(storage.oldest()).isEqualTo(times.get(0)).isGreaterThanOrEqualTo(before);
              assertThat(storage.newest()).isEqualTo(times.get(times.size() - 1));
              assertThat(storage.bytes()).isGreaterThan(5_000 * 8).isGreaterThan(empty.bytes());
              assertThat(storage.freeBytes()).isPositive();
            });
  }
}
