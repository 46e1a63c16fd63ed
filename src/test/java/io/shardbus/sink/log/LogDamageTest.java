package io.shardbus.sink.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.Batch;
import io.shardbus.event.Headers;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.shardbus.files.PrivateFiles;
import io.shardbus.files.SqliteFiles;
import io.shardbus.sink.EventPage;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.SinkContext;
import io.shardbus.sink.StoredEvent;
import io.shardbus.sink.log.BlockCodec.Block;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Damages copies of a log at random and reads them. It simulates what disks do: flipped bits, lost
 * and added bytes, zeroed and foreign pages, truncated files. {@code -Dlog.damages=N} sets how
 * often, {@code -Dlog.damage=N} with which it begins.
 */
@Tag("hot")
@Tag("slow")
class LogDamageTest {

  private static final int DAMAGES = Integer.getInteger("log.damages", 100);
  private static final int FIRST = Integer.getInteger("log.damage", 0);
  private static final int SHARDS = 3;
  private static final int PAGE = 8192;
  private static final ProducerId PRODUCER = new ProducerId("test", 1);

  @TempDir Path dir;
  private final Vertx vertx = Vertx.vertx();

  /** By shard and sequence. */
  private final Map<String, ShardEvent> written = new HashMap<>();

  @AfterEach
  void close() throws Exception {
    await(vertx.close());
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private LogSink open(Path folder) throws Exception {
    LogSink sink =
        new LogSink(
            new LogSinkOptions()
                .setDir(folder.toString())
                .setSegmentBytes(900_000)
                .setSynchronous(LogSinkOptions.Synchronous.off));
    await(sink.open(new SinkContext(vertx, PRODUCER, null)));
    return sink;
  }

  private static String name(ShardEvent event) {
    return event.shard() + "/" + event.sequence();
  }

  /** Blocks of one event and of many, small and with pages of their own. */
  private void write(Path folder) throws Exception {
    Random random = new Random(1);
    LogSink sink = open(folder);
    long[] next = new long[SHARDS];
    for (int i = 0; i < 600; i++) {
      int shard = i % SHARDS;
      int count = random.nextInt(4) == 0 ? 1 + random.nextInt(40) : 1;
      List<ShardEvent> events = new ArrayList<>();
      for (int e = 0; e < count; e++) {
        byte[] payload = new byte[random.nextInt(random.nextInt(30) == 0 ? 3_000 : 40)];
        random.nextBytes(payload);
        ShardEvent event =
            new ShardEvent(
                shard,
                next[shard]++,
                1_000_000L * i + e,
                Buffer.buffer(payload),
                random.nextBoolean() ? "key" + e : null,
                random.nextBoolean() ? "id" + i : null,
                Headers.none());
        events.add(event);
        written.put(name(event), event);
      }
      await(sink.write(new Batch(shard, events.get(0).sequence(), events, PRODUCER)));
    }
    await(sink.close());
  }

  private static void copy(Path from, Path to) throws IOException {
    PrivateFiles.makeFolders(to);
    try (Stream<Path> files = Files.list(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(file.getFileName()));
      }
    }
  }

  private static void delete(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
    Files.delete(folder);
  }

  private static List<Path> databases(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files.filter(file -> file.toString().endsWith(".db")).sorted().toList();
    }
  }

  /** What chooses blocks, changed in a way that SQLite does not notice. */
  private static void damageColumn(Path file, Random random) throws SQLException {
    String column =
        List.of("last", "count", "shard", "newest", "span", "ids", "sum").get(random.nextInt(7));
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = connection.createStatement()) {
      statement.execute(
          "UPDATE OR IGNORE blocks SET %s = %s + %d WHERE last = (SELECT max(last) FROM blocks WHERE last < %d)"
              .formatted(column, column, 1L << random.nextInt(40), random.nextInt(4_000)));
      statement.execute(
          "UPDATE times SET position = position + %d WHERE time %% 7 = 0"
              .formatted(random.nextInt(1_000)));
    } catch (SQLException e) {
      if (!Segment.isDamage(e)) {
        throw e;
      }
    }
  }

  private static void damage(List<Path> files, Random random) throws IOException, SQLException {
    Path file = files.get(random.nextInt(files.size()));
    int kind = random.nextInt(16);
    if (kind < 3) {
      damageColumn(file, random);
      return;
    } else if (kind == 3) { // a file in the place of another
      Files.copy(
          files.get(random.nextInt(files.size())), file, StandardCopyOption.REPLACE_EXISTING);
      return;
    }
    byte[] bytes = Files.readAllBytes(file);
    int at = random.nextInt(bytes.length);
    switch (random.nextInt(8)) {
      case 0, 1, 2 -> {
        int flips = 1 << random.nextInt(6);
        for (int i = 0; i < flips; i++) {
          bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
        }
        Files.write(file, bytes);
      }
      case 3 -> { // a page of zeros
        int page = at / PAGE * PAGE;
        Arrays.fill(bytes, page, Math.min(bytes.length, page + PAGE), (byte) 0);
        Files.write(file, bytes);
      }
      case 4 -> { // a page in the place of another, or of one of another file
        byte[] from = Files.readAllBytes(files.get(random.nextInt(files.size())));
        int size = Math.min(PAGE, Math.min(from.length, bytes.length)); // a file may be smaller
        int page = random.nextInt(Math.max(1, from.length / PAGE)) * PAGE;
        System.arraycopy(from, page, bytes, Math.min(at / PAGE * PAGE, bytes.length - size), size);
        Files.write(file, bytes);
      }
      case 5 -> {
        try (RandomAccessFile cut = new RandomAccessFile(file.toFile(), "rw")) {
          cut.setLength(at);
        }
      }
      case 6 -> { // bytes are gone, and all others move up
        int to = Math.min(bytes.length, at + 1 + random.nextInt(10_000));
        byte[] less = Arrays.copyOf(bytes, bytes.length - (to - at));
        System.arraycopy(bytes, to, less, at, bytes.length - to);
        Files.write(file, less);
      }
      default -> {
        byte[] more = Arrays.copyOf(bytes, bytes.length + 1 + random.nextInt(10_000));
        for (int i = bytes.length; i < more.length; i++) {
          more[i] = (byte) random.nextInt();
        }
        Files.write(file, more);
      }
    }
  }

  /** The keys of all rows, by file. */
  private static Map<Path, List<Long>> keys(Path folder) throws IOException, SQLException {
    Map<Path, List<Long>> keys = new HashMap<>();
    for (Path file : databases(folder)) {
      List<Long> some = new ArrayList<>();
      try (Connection connection = SqliteFiles.openUnchanging(file);
          PreparedStatement select = connection.prepareStatement("SELECT last FROM blocks");
          ResultSet row = select.executeQuery()) {
        while (row.next()) {
          some.add(row.getLong(1));
        }
      }
      keys.put(file.getFileName(), some);
    }
    return keys;
  }

  /** What SQLite finds, each block by the key of its row. */
  private static Set<String> reachable(Path folder, Map<Path, List<Long>> keys) throws IOException {
    Set<String> found = new HashSet<>();
    for (Path file : databases(folder)) {
      try (Connection connection = SqliteFiles.openUnchanging(file);
          PreparedStatement select =
              connection.prepareStatement("SELECT block FROM blocks WHERE last = ?")) {
        int number = Segment.of(file).orElseThrow().number();
        for (long last : keys.get(file.getFileName())) {
          select.setLong(1, last);
          try (ResultSet row = select.executeQuery()) {
            byte[] bytes = row.next() ? row.getBytes(1) : null;
            Block block = bytes == null ? null : BlockCodec.decode(number, bytes);
            if (block != null) {
              block.events().forEach(event -> found.add(name(event)));
            }
          } catch (SQLException e) {
            // Not to be reached.
          }
        }
      } catch (SQLException e) {
        // Nothing in the file is.
      }
    }
    return found;
  }

  /** Everything, or what was chosen by time and shard. */
  private static EventQuery query(Random random) {
    EventQuery query = EventQuery.of(null, 1 + random.nextInt(60));
    if (random.nextBoolean()) {
      return query;
    }
    long since = 1_000_000L * random.nextInt(600);
    query = random.nextBoolean() ? query.withSince(since) : query;
    query = random.nextBoolean() ? query.withUntil(since + 100_000_000) : query;
    return random.nextBoolean() ? query.withShard(random.nextInt(SHARDS)) : query;
  }

  private boolean isWanted(String name, EventQuery query) {
    ShardEvent event = written.get(name);
    return event.timestamp() >= query.since()
        && event.timestamp() < query.until()
        && (query.shard() == null || query.shard() == event.shard());
  }

  private List<StoredEvent> readAll(LogSink sink, EventQuery query) throws Exception {
    List<StoredEvent> all = new ArrayList<>();
    String cursor = null;
    EventPage page;
    do {
      page = await(sink.read(query.withCursor(cursor)));
      all.addAll(page.events());
      assertThat(page.more() && page.cursor().equals(cursor)).as("goes on").isFalse();
      cursor = page.cursor();
    } while (page.more());
    return all;
  }

  @Test
  void damagedCopies_giveNoWrongEventAndAllThatCanBeReached() throws Exception {
    Path original = dir.resolve("original");
    write(original);
    Map<Path, List<Long>> keys = keys(original);
    assertThat(keys).hasSizeGreaterThan(2);
    long lost = 0;
    for (int seed = FIRST; seed < FIRST + DAMAGES; seed++) {
      Random random = new Random(seed);
      Path copy = dir.resolve("copy" + seed);
      copy(original, copy);
      List<Path> files = databases(copy);
      for (int i = random.nextInt(2); i >= 0; i--) {
        damage(files, random);
      }
      Set<String> reachable = reachable(copy, keys);
      LogSink sink = open(copy);
      EventQuery query = query(random);
      List<StoredEvent> got = readAll(sink, query);
      Set<String> names = new HashSet<>();
      for (StoredEvent stored : got) {
        String name = name(stored.event());
        assertThat(stored.event()).as("damage %d", seed).isEqualTo(written.get(name));
        assertThat(stored.producer()).isEqualTo(PRODUCER);
        assertThat(names.add(name)).as("damage %d: %s comes once", seed, name).isTrue();
        assertThat(isWanted(name, query)).as("damage %d: %s is wanted", seed, name).isTrue();
      }
      reachable.removeAll(names);
      reachable.removeIf(name -> !isWanted(name, query));
      assertThat(reachable).as("missing after damage %d", seed).isEmpty();
      lost +=
          written.keySet().stream().filter(name -> isWanted(name, query)).count() - names.size();
      await(sink.close());
      delete(copy);
    }
    assertThat(lost).as("damages that matter").isPositive();
  }
}
