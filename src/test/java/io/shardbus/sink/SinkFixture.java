package io.shardbus.sink;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.Batch;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.io.TempDir;

/** A sink that can be read back, with what writes to it and reads from it. */
abstract class SinkFixture {

  static final long MILLI = 1_000_000;

  @TempDir Path dir;
  Vertx vertx;
  ReplayableSink sink;
  long epoch = 1;

  abstract ReplayableSink create();

  @BeforeEach
  void open(TestInfo test) throws Exception {
    vertx = Vertx.vertx();
    sink = create();
    await(sink.open(context()));
  }

  @AfterEach
  void close() throws Exception {
    await(sink.close());
    await(vertx.close());
  }

  SinkContext context() {
    return new SinkContext(vertx, new ProducerId("test", epoch), dir);
  }

  void reopen() throws Exception {
    await(sink.close());
    epoch++;
    sink = create();
    await(sink.open(context()));
  }

  static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  Batch batch(int shard, int first, int count) {
    List<ShardEvent> events = new ArrayList<>();
    for (int i = first; i < first + count; i++) {
      events.add(
          new ShardEvent(
              shard,
              i,
              1_000_000L * i + shard,
              Buffer.buffer("{\"n\":" + i + ",\"s\":" + shard + "}"),
              i % 2 == 0 ? "key é " + i % 20 : null));
    }
    return new Batch(shard, first, events, new ProducerId("test", epoch));
  }

  List<StoredEvent> readAll(int limit) throws Exception {
    return readAll(null, limit);
  }

  List<StoredEvent> readAll(String cursor, int limit) throws Exception {
    List<StoredEvent> all = new ArrayList<>();
    EventPage page;
    do {
      page = await(sink.read(EventQuery.of(cursor, limit)));
      all.addAll(page.events());
      cursor = page.cursor();
    } while (page.more());
    return all;
  }

  static List<Long> sequences(List<StoredEvent> events, int shard) {
    return events.stream()
        .filter(stored -> stored.event().shard() == shard)
        .map(stored -> stored.event().sequence())
        .toList();
  }

  static List<Long> range(long from, long to) {
    List<Long> all = new ArrayList<>();
    for (long i = from; i < to; i++) {
      all.add(i);
    }
    return all;
  }

  static long now() {
    return TimeUnit.MILLISECONDS.toNanos(System.currentTimeMillis());
  }

  /** Events a millisecond apart, with ten keys. */
  Batch timed(int shard, int first, int count, long from) {
    List<ShardEvent> events = new ArrayList<>();
    for (int i = first; i < first + count; i++) {
      events.add(
          new ShardEvent(
              shard,
              i,
              from + i * MILLI + shard,
              Buffer.buffer("{\"n\":" + i + "}"),
              "k" + i % 10));
    }
    return new Batch(shard, first, events, new ProducerId("test", epoch));
  }

  /** Walks through all pages. */
  List<StoredEvent> walk(EventQuery query) throws Exception {
    List<StoredEvent> all = new ArrayList<>();
    EventQuery next = query;
    EventPage page;
    do {
      page = await(sink.read(next));
      assertThat(page.events().size()).isLessThanOrEqualTo(query.limit());
      all.addAll(page.events());
      next = next.withCursor(page.cursor());
    } while (page.more());
    return all;
  }
}
