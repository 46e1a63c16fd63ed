package io.shardbus.sink.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.Batch;
import io.shardbus.event.Headers;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.EventFilter;
import io.shardbus.sink.EventPage;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.SinkContext;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The columns beside a block choose it. A damaged column hides no event, and repeats none. */
class LogColumnsTest {

  private static final int SHARDS = 3;
  private static final int BLOCKS = 30;
  private static final int EVENTS = 4;
  private static final long SECOND = 1_000_000_000L;
  private static final ProducerId PRODUCER = new ProducerId("test", 1);

  @TempDir Path dir;
  private final Vertx vertx = Vertx.vertx();
  private LogSink sink;

  /** In their order. */
  private final List<ShardEvent> written = new ArrayList<>();

  /** How many blocks a reader had to read. */
  private int tested;

  private final class WithId implements EventFilter {

    @Override
    public boolean test(ShardEvent event) {
      tested++;
      return event.id() != null;
    }

    @Override
    public boolean needsId() {
      return true;
    }
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
  }

  @BeforeEach
  void write() throws Exception {
    open();
    for (int i = 0; i < BLOCKS; i++) {
      List<ShardEvent> events = new ArrayList<>();
      for (int e = 0; e < EVENTS; e++) {
        events.add(
            new ShardEvent(
                i % SHARDS,
                (long) i / SHARDS * EVENTS + e,
                i * SECOND + e,
                Buffer.buffer("payload"),
                null,
                i % 5 == 0 && e == 2 ? "id" + i : null,
                Headers.none()));
      }
      written.addAll(events);
      await(sink.write(new Batch(i % SHARDS, events.get(0).sequence(), events, PRODUCER)));
    }
  }

  private void open() throws Exception {
    sink = new LogSink(new LogSinkOptions().setDir(dir.toString()));
    await(sink.open(new SinkContext(vertx, PRODUCER, null)));
  }

  @AfterEach
  void close() throws Exception {
    await(sink.close());
    await(vertx.close());
  }

  private Connection file() throws Exception {
    return DriverManager.getConnection(
        "jdbc:sqlite:" + dir.resolve("writer-0-0000000000000000001.db"));
  }

  private List<ShardEvent> read(EventQuery query) throws Exception {
    List<ShardEvent> all = new ArrayList<>();
    EventPage page;
    EventQuery next = query;
    do {
      page = await(sink.read(next));
      page.events().forEach(stored -> all.add(stored.event()));
      next = query.withCursor(page.cursor());
    } while (page.more());
    return all;
  }

  private List<ShardEvent> wanted(EventQuery query) {
    EventFilter filter = query.filter();
    return written.stream()
        .filter(event -> query.shard() == null || event.shard() == query.shard())
        .filter(event -> event.timestamp() >= query.since() && event.timestamp() < query.until())
        .filter(event -> filter == null || filter.test(event))
        .toList();
  }

  private List<EventQuery> queries() {
    EventQuery all = EventQuery.of(null, 1_000);
    return List.of(
        all,
        all.withShard(1),
        all.withSince(7 * SECOND + 1),
        all.withUntil(13 * SECOND + 2),
        all.withSince(7 * SECOND).withUntil(20 * SECOND).withShard(2),
        all.withFilter(new WithId()));
  }

  private void assertAllIsRead(String as) throws Exception {
    for (EventQuery query : queries()) {
      assertThat(read(query)).as("%s, %s", as, query).isEqualTo(wanted(query));
    }
    assertThat(sink.damaged()).as(as).isZero();
  }

  /** One bit after the other, in the row of a block and in one that says how old events are. */
  @ParameterizedTest
  @CsvSource({
    "blocks, count, last = 44",
    "blocks, shard, last = 44",
    "blocks, newest, last = 44",
    "blocks, span, last = 44",
    "blocks, ids, last = 44",
    "blocks, sum, last = 44",
    "times, position, position = 44",
    "times, sum, position = 44"
  })
  void columnWithAFlippedBit_hidesNothing(String table, String column, String row)
      throws Exception {
    try (Connection file = file();
        Statement statement = file.createStatement()) {
      long value;
      long id;
      try (ResultSet result =
          statement.executeQuery("SELECT " + column + ", rowid FROM " + table + " WHERE " + row)) {
        assertThat(result.next()).isTrue();
        value = result.getLong(1);
        id = result.getLong(2);
      }
      try (PreparedStatement update =
          file.prepareStatement("UPDATE " + table + " SET " + column + " = ? WHERE rowid = ?")) {
        update.setLong(2, id);
        for (int bit = 0; bit < Long.SIZE; bit++) {
          update.setLong(1, value ^ 1L << bit);
          update.executeUpdate();
          assertAllIsRead(column + " bit " + bit);
        }
      }
    }
  }

  @Test
  void sound_isAsDescribed() throws Exception {
    try (Connection file = file();
        Statement statement = file.createStatement();
        ResultSet row = statement.executeQuery("SELECT * FROM blocks WHERE last = 44")) {
      CRC32C number = new CRC32C();
      number.update("writer-0-0000000000000000001.db".getBytes(StandardCharsets.US_ASCII));
      long sum = number.getValue();
      for (String column : List.of("last", "count", "shard", "newest", "span", "ids")) {
        sum = (sum * 48_271 + row.getLong(column) % 2_147_483_647L) % 2_147_483_647L;
      }
      assertThat(row.getLong("sum")).isEqualTo(sum);
    }
  }

  /** A writer that goes on from a position that is too low would give positions twice. */
  @Test
  void lastPositionThatIsDamaged_isNotGoneOnFrom() throws Exception {
    String cursor = await(sink.read(EventQuery.of(null, 1_000))).cursor();
    await(sink.close());
    try (Connection file = file();
        Statement statement = file.createStatement()) {
      statement.execute("UPDATE blocks SET last = 118 WHERE last = 120");
    }
    open();
    List<ShardEvent> more = List.of(new ShardEvent(0, 40, 0, Buffer.buffer("more"), null));
    await(sink.write(new Batch(0, 40, more, PRODUCER)));
    assertThat(read(EventQuery.of(cursor, 1_000))).isEqualTo(more);
    written.addAll(more);
    assertThat(read(EventQuery.of(null, 1_000))).isEqualTo(written);
  }

  @Test
  void rowsThatAreGone_areTold() throws Exception {
    try (Connection file = file();
        Statement statement = file.createStatement()) {
      statement.execute("DELETE FROM blocks WHERE last = 44");
    }
    EventQuery ofOther = EventQuery.of(null, 1_000).withShard(0);
    assertThat(read(ofOther)).isEqualTo(wanted(ofOther));
    assertThat(sink.damaged()).isEqualTo(1);
  }

  /** Wherever and whatever readers begin with. */
  @Test
  void blocksInARowThatAreDamaged_areOnePlace() throws Exception {
    try (Connection file = file();
        Statement statement = file.createStatement()) {
      statement.execute("UPDATE blocks SET block = zeroblob(60) WHERE last IN (40, 44, 48)");
      statement.execute("UPDATE blocks SET count = 3 WHERE last = 44");
      statement.execute("DELETE FROM blocks WHERE last = 52");
    }
    EventQuery all = EventQuery.of(null, 1_000);
    List<ShardEvent> left = new ArrayList<>(written);
    left.subList(36, 52).clear();
    for (int begin = 0; begin < BLOCKS; begin++) {
      long since = begin * SECOND;
      assertThat(read(all.withSince(since)))
          .isEqualTo(left.stream().filter(event -> event.timestamp() >= since).toList());
    }
    assertThat(read(EventQuery.of(null, 1))).isEqualTo(left);
    assertThat(sink.damaged()).isEqualTo(1);
  }

  /** A start reads the ids of stored events. It reads only the blocks that have some. */
  @Test
  void recallOfIds_readsOnlyTheBlocksThatHaveAny() throws Exception {
    assertThat(read(EventQuery.of(null, 1_000).withFilter(new WithId()))).hasSize(BLOCKS / 5);
    assertThat(tested).isEqualTo(BLOCKS / 5 * EVENTS);
  }
}
