package io.shardbus.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.event.Batch;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.shardbus.files.SqliteFiles;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LogSinkTest extends SinkContract {

  private JsonObject config = new JsonObject().put("writers", 2);

  @Override
  ReplayableSink create() {
    return (ReplayableSink) Sinks.create(new SinkOptions("log").setConfig(config));
  }

  @Override
  boolean durable() {
    return true;
  }

  private List<String> files(String suffix) throws Exception {
    try (var files = Files.list(dir.resolve("log"))) {
      return files
          .map(f -> f.getFileName().toString())
          .filter(n -> n.endsWith(suffix))
          .sorted()
          .toList();
    }
  }

  private void writeMuch(int batches) throws Exception {
    await(writing(batches));
  }

  private Future<?> writing(int batches) {
    List<Future<Void>> chains = new ArrayList<>();
    for (int shard = 0; shard < 2; shard++) {
      Future<Void> chain = Future.succeededFuture();
      for (int i = 0; i < batches; i++) {
        var next = batch(shard, i * 500, 500);
        chain = chain.compose(done -> sink.write(next));
      }
      chains.add(chain);
    }
    return Future.all(chains);
  }

  /** A process can be killed while it makes a file, before the file has its write-ahead log. */
  @ParameterizedTest
  @ValueSource(ints = {1, 5})
  void fileWithAJournalToRollBack_isMended(int writer) throws Exception {
    await(sink.write(batch(0, 0, 10)));
    await(sink.close());
    Path scratch = dir.resolve("scratch.db");
    Path file = dir.resolve("log").resolve("writer-" + writer + "-0000000000000000001.db");
    for (Path old : SqliteFiles.of(file)) {
      Files.deleteIfExists(old);
    }
    try (Connection connection = DriverManager.getConnection("jdbc:sqlite:" + scratch);
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE TABLE scratch (x BLOB)");
      statement.execute("PRAGMA cache_size = 2");
      connection.setAutoCommit(false);
      for (int i = 0; i < 100; i++) {
        statement.execute("INSERT INTO scratch VALUES (randomblob(5000))");
      }
      Files.copy(scratch, file);
      Files.copy(Path.of(scratch + "-journal"), Path.of(file + "-journal"));
    }
    reopen();
    assertThat(Path.of(file + "-journal")).doesNotExist();
    int before = readAll(100).size();
    await(sink.write(batch(1, 0, 10)));
    assertThat(readAll(100)).hasSize(before + 10);
  }

  @Test
  void files_areRolledAndReadThrough() throws Exception {
    config = config.copy().put("segmentBytes", 65_536);
    reopen();
    writeMuch(20);
    assertThat(files(".db").size()).isGreaterThan(8);
    for (int limit : new int[] {10_000, 333}) {
      List<StoredEvent> got = readAll(limit);
      for (int shard = 0; shard < 2; shard++) {
        assertThat(sequences(got, shard)).isEqualTo(range(0, 10_000));
      }
    }
    reopen();
    await(sink.write(batch(0, 0, 10)));
    assertThat(readAll(10_000)).hasSize(20_010);
  }

  private long bytes() throws Exception {
    long bytes = 0;
    for (String file : files("")) {
      bytes += dir.resolve("log").resolve(file).toFile().length(); // 0 if it was just deleted
    }
    return bytes;
  }

  @Test
  void maxBytes_deletesTheOldestFiles() throws Exception {
    config = config.copy().put("segmentBytes", 65_536).put("maxBytes", 600_000);
    reopen();
    writeMuch(40);
    reopen(); // by then nothing more is deleted, which a reader would pass over
    List<StoredEvent> got = readAll(10_000);
    assertThat(got.size()).isBetween(1_000, 30_000);
    List<Long> left = sequences(got, 0);
    assertThat(left).isEqualTo(range(left.get(0), 20_000));
    assertThat(left.get(0)).isPositive();
  }

  @Test
  void filesDeletedWhileAPageIsRead_arePassedOver() throws Exception {
    config = config.copy().put("segmentBytes", 65_536);
    reopen();
    writeMuch(10);
    List<String> old = files(".db").stream().filter(f -> f.startsWith("writer-0")).toList();
    assertThat(old).hasSizeGreaterThan(3);
    EventFilter deleting =
        event -> {
          for (String file : old.subList(0, 2)) {
            SqliteFiles.of(dir.resolve("log").resolve(file))
                .forEach(part -> part.toFile().delete());
          }
          return true;
        };
    EventPage page = await(sink.read(EventQuery.of(null, 10_000).withFilter(deleting)));
    assertThat(files(".db")).doesNotContainAnyElementsOf(old.subList(0, 2));
    assertThat(sequences(page.events(), 1)).isEqualTo(range(0, 5_000));
    List<Long> left = sequences(page.events(), 0);
    assertThat(left).isSorted().doesNotHaveDuplicates().endsWith(4_999L);
    assertThat(left).containsAll(range(4_900, 5_000)).hasSizeLessThan(5_000);
  }

  @Test
  void readingOnWhileTheLimitsDelete_neverFails() throws Exception {
    config = config.copy().put("segmentBytes", 65_536).put("maxBytes", 600_000);
    reopen();
    // The limits delete by age, also the last events of the shard that is ready first.
    Future<?> writing = writing(60).compose(done -> sink.write(batch(0, 30_000, 10)));
    List<Long> got = new ArrayList<>();
    String cursor = null;
    EventPage page;
    boolean last;
    do {
      last = writing.isComplete();
      page = await(sink.read(EventQuery.of(cursor, 200)));
      got.addAll(sequences(page.events(), 0));
      cursor = page.cursor();
    } while (!last || page.more());
    await(writing);
    assertThat(got).isSorted().doesNotHaveDuplicates().endsWith(30_009L);
  }

  /** With files of the default size nothing could ever be deleted. */
  @Test
  void maxBytes_holdsWhateverTheSizeOfFiles() throws Exception {
    config = config.copy().put("maxBytes", 1_000_000);
    reopen();
    long largest = 0;
    for (int i = 0; i < 60; i++) {
      await(Future.all(sink.write(batch(0, i * 200, 200)), sink.write(batch(1, i * 200, 200))));
      largest = Math.max(largest, bytes());
    }
    // Each writer can be over by one transaction and what SQLite keeps beside it.
    assertThat(largest).isLessThan(1_200_000);
    assertThat(sequences(readAll(10_000), 0)).endsWith(11_999L).doesNotContain(0L);
  }

  @Test
  void maxBytesTooSmall_isRefused() {
    config = new JsonObject().put("writers", 4).put("maxBytes", 1_048_575);
    assertThatThrownBy(this::create)
        .hasMessageContaining("maxBytes: 1048575 must be 0 or at least 1048576 with writers 4");
  }

  private void age(String file) throws Exception {
    Instant old = Instant.now().minus(Duration.ofHours(2));
    Files.setLastModifiedTime(dir.resolve("log").resolve(file), FileTime.from(old));
  }

  @Test
  void retention_deletesOldFilesOnly() throws Exception {
    config = config.copy().put("segmentBytes", 65_536);
    reopen();
    writeMuch(10);
    await(sink.close());
    List<String> all = files(".db");
    List<String> old = all.stream().filter(f -> f.startsWith("writer-0")).limit(2).toList();
    for (String file : old) {
      age(file);
    }
    config = config.copy().put("retention", "1h");
    sink = create();
    await(sink.open(context()));
    org.awaitility.Awaitility.await().until(() -> files(".db").stream().noneMatch(old::contains));
    assertThat(files(".db")).containsAll(all.subList(2, all.size()));
    assertThat(sequences(readAll(10_000), 1)).isEqualTo(range(0, 5_000));
    List<Long> left = sequences(readAll(10_000), 0);
    assertThat(left).isEqualTo(range(left.get(0), 5_000));
    assertThat(left.get(0)).isPositive();
  }

  /** Events of tests are from 1970: their file is older than any retention. */
  @Test
  void quietLog_doesNotKeepItsEventsForEver() throws Exception {
    await(sink.write(batch(0, 0, 100)));
    String cursor = await(sink.endCursor());
    await(sink.close());
    List<String> old = files(".db").stream().filter(f -> f.startsWith("writer-0")).toList();
    config = config.copy().put("retention", "1h");
    sink = create();
    await(sink.open(context()));
    org.awaitility.Awaitility.await().until(() -> files("0000101.db").size() == 1);
    await(sink.close());
    age(old.get(0));
    sink = create();
    await(sink.open(context()));
    assertThat(files(".db")).doesNotContainAnyElementsOf(old);
    assertThat(readAll(100)).isEmpty();
    reopen();
    await(sink.write(batch(0, 0, 10)));
    assertThat(readAll(cursor, 100)).as("positions go on").hasSize(10);
  }

  /** What SQLite has not merged into a file does not make the file itself younger. */
  @Test
  void retention_sparesWhatWasWrittenJustNow() throws Exception {
    config = config.copy().put("retention", "1h");
    reopen();
    await(sink.write(batch(0, 0, 100)));
    String file = files(".db").stream().filter(f -> f.startsWith("writer-0")).toList().get(0);
    try (Connection reader =
            DriverManager.getConnection("jdbc:sqlite:" + dir.resolve("log").resolve(file));
        Statement held = reader.createStatement()) {
      reader.setAutoCommit(false);
      assertThat(held.executeQuery("SELECT count(*) FROM blocks").next()).isTrue();
      await(sink.write(batch(0, 100, 100)));
      await(sink.close());
      age(file);
      sink = create(); // the events are from 1970: a new file is begun, and the limits enforced
      await(sink.open(context()));
      org.awaitility.Awaitility.await().until(() -> files("0000201.db").size() == 1);
      await(sink.close());
      assertThat(files(".db")).contains(file);
    }
    sink = create();
    await(sink.open(context()));
    assertThat(readAll(1_000)).hasSize(200);
  }

  private void damage(String victim) throws Exception {
    try (RandomAccessFile file =
        new RandomAccessFile(dir.resolve("log/" + victim).toFile(), "rw")) {
      for (int at = 4096; at < file.length(); at += 4096) {
        file.seek(at);
        file.write(new byte[512]);
      }
    }
  }

  /** Not looked at when the log is opened, for there can be many. */
  @Test
  void damagedOldFile_costsItsOwnEventsOnly() throws Exception {
    config = config.copy().put("segmentBytes", 65_536);
    reopen();
    writeMuch(10);
    await(sink.close());
    List<String> old = files(".db").stream().filter(f -> f.startsWith("writer-0")).toList();
    assertThat(old).hasSizeGreaterThan(2);
    damage(old.get(1));
    sink = create();
    await(sink.open(context()));
    EventQuery all = EventQuery.of(null, 10_000);
    await(Future.all(sink.read(all), sink.read(all), sink.read(all), sink.read(all)));
    List<StoredEvent> got = readAll(10_000);
    assertThat(files(".db")).contains(old.get(1));
    assertThat(sequences(got, 1)).isEqualTo(range(0, 5_000));
    assertThat(sequences(got, 0))
        .startsWith(0L)
        .endsWith(4_999L)
        .isSorted()
        .doesNotHaveDuplicates()
        .hasSizeBetween(1_000, 4_999);
  }

  @Test
  void damagedNewestFile_isNotWrittenAnyMoreAndTheRestIsServed() throws Exception {
    writeMuch(10);
    await(sink.close());
    List<String> before = files(".db");
    damage(before.get(0));
    reopen();
    assertThat(files(".db")).containsAll(before).hasSize(before.size() + 1);
    await(sink.write(batch(0, 0, 10)));
    List<StoredEvent> got = readAll(10_000);
    assertThat(sequences(got, 1)).isEqualTo(range(0, 5_000));
    assertThat(sequences(got, 0)).endsWith(7L, 8L, 9L).hasSizeLessThan(5_000);
    assertThat(got.stream().filter(stored -> stored.epoch() == epoch)).hasSize(10);
  }

  /** Their newest file tells where positions go on when there are as many writers again. */
  @ParameterizedTest
  @ValueSource(strings = {"retention", "maxBytes"})
  void limitsOnAWriterThatIsGone_keepItsPositions(String limit) throws Exception {
    await(sink.write(batch(1, 0, 8_000)));
    String cursor = await(sink.endCursor());
    await(sink.close());
    age("writer-1-0000000000000000001.db");
    config = new JsonObject().put("writers", 1);
    config.put(limit, limit.equals("retention") ? "1h" : 262_144);
    sink = create();
    await(sink.open(context()));
    for (int i = 0; i < 2; i++) {
      assertThat(readAll(10_000)).isEmpty();
      assertThat(readAll(cursor, 10_000)).isEmpty();
      reopen();
    }
    config = new JsonObject().put("writers", 2);
    reopen();
    await(sink.write(batch(1, 0, 50)));
    assertThat(sequences(readAll(cursor, 100), 1)).isEqualTo(range(0, 50));
  }

  @Test
  void damagedFileOfAWriterThatIsGone_keepsItsPositions() throws Exception {
    await(sink.write(batch(1, 0, 500)));
    String cursor = await(sink.endCursor());
    await(sink.close());
    damage("writer-1-0000000000000000001.db");
    config = new JsonObject().put("writers", 1);
    sink = create();
    await(sink.open(context()));
    assertThat(readAll(100)).isEmpty();
    config = new JsonObject().put("writers", 2);
    reopen();
    await(sink.write(batch(1, 0, 50)));
    assertThat(sequences(readAll(cursor, 100), 1)).isEqualTo(range(0, 50));
  }

  @Test
  void fileThatIsDamagedWhileItIsWritten_isLeftForANewOne() throws Exception {
    await(Future.all(sink.write(batch(0, 0, 500)), sink.write(batch(1, 0, 500))));
    String cursor = await(sink.endCursor());
    String victim = "writer-0-0000000000000000001.db";
    String url = "jdbc:sqlite:" + dir.resolve("log").resolve(victim);
    for (String work : List.of("PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA user_version = 1")) {
      // The second has the writer look at the file again, rather than at what it remembers.
      try (Connection other = DriverManager.getConnection(url);
          Statement statement = other.createStatement()) {
        statement.execute(work);
      }
      damage(victim);
    }
    await(sink.write(batch(0, 400, 200)));
    assertThat(files(".db")).contains(victim).hasSize(3);
    assertThat(sequences(readAll(1_000), 0))
        .as("not what was confirmed")
        .isEqualTo(range(500, 600));
    assertThat(readAll(cursor, 1_000)).hasSize(100);
    assertThat(sequences(readAll(1_000), 1)).isEqualTo(range(0, 500));
    reopen();
    await(sink.write(batch(0, 0, 10)));
    assertThat(readAll(cursor, 1_000)).hasSize(110);
  }

  /** The writer goes on writing to pages that are sound, and would not find out for long. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2})
  void newestFileThatIsDamaged_isLeftWhenAReaderFindsOut(int writers) throws Exception {
    await(Future.all(sink.write(batch(0, 0, 500)), sink.write(batch(1, 0, 500))));
    String cursor = await(sink.endCursor());
    String victim = "writer-1-0000000000000000001.db";
    config = new JsonObject().put("writers", writers);
    reopen();
    damage(victim);
    Awaitility.await()
        .until(
            () -> {
              assertThat(sequences(readAll(1_000), 0)).isEqualTo(range(0, 500));
              return files(".db").size() == 1 + writers;
            });
    await(sink.write(batch(1, 500, 100)));
    assertThat(sequences(readAll(cursor, 1_000), 1)).isEqualTo(range(500, 600));
  }

  @Test
  void filesThatAreNoDatabase_areLeftHoweverOften() throws Exception {
    config = config.copy().put("writers", 1);
    reopen();
    String cursor = null;
    for (int time = 1; time <= 3; time++) {
      await(sink.write(batch(0, 0, 100)));
      assertThat(readAll(cursor, 1_000)).hasSize(100);
      cursor = await(sink.endCursor());
      await(sink.close());
      List<String> mine = files(".db").stream().filter(f -> f.startsWith("writer-0")).toList();
      assertThat(mine).hasSize(time);
      Path newest = dir.resolve("log").resolve(mine.get(time - 1));
      Files.writeString(newest, "this is no database ".repeat(500));
      epoch++;
      sink = create();
      await(sink.open(context()));
    }
    await(sink.write(batch(0, 0, 10)));
    assertThat(readAll(cursor, 100)).hasSize(10);
    assertThat(readAll(100)).hasSize(10);
  }

  @Test
  void failedOpening_leavesTheFolderFree() throws Exception {
    await(sink.write(batch(0, 0, 10)));
    await(sink.close());
    Path blocked = dir.resolve("log").resolve("writer-1-0000000000000000001.db");
    for (Path part : SqliteFiles.of(blocked)) {
      Files.deleteIfExists(part);
    }
    Files.createDirectory(blocked);
    for (int i = 0; i < 2; i++) {
      ReplayableSink failing = create();
      assertThatThrownBy(() -> await(failing.open(context())))
          .cause()
          .hasMessageContaining("sink log: cannot write to " + dir.resolve("log"));
    }
    Files.delete(blocked);
    sink = create();
    await(sink.open(context()));
    assertThat(readAll(100)).hasSize(10);
  }

  @Test
  void fewerWriters_stillServeTheOldFiles() throws Exception {
    writeMuch(2);
    String end = await(sink.endCursor());
    config = config.copy().put("writers", 1);
    reopen();
    assertThat(readAll(10_000)).hasSize(2_000);
    assertThat(readAll(await(sink.endCursor()), 10_000)).isEmpty();
    assertThat(readAll(end, 10_000)).isEmpty();
  }

  @Test
  void cursorOfALogThatIsGone_missesNothingOfTheNewOne() throws Exception {
    await(sink.write(batch(0, 0, 50)));
    String cursor = await(sink.endCursor());
    await(sink.close());
    Files.move(dir.resolve("log"), dir.resolve("old"));
    sink = create();
    await(sink.open(context()));
    await(sink.write(batch(0, 0, 30)));
    assertThat(sequences(readAll(cursor, 10), 0)).isEqualTo(range(0, 30));
    await(sink.close());
    Files.writeString(dir.resolve("log").resolve("id"), "x");
    ReplayableSink failing = create();
    assertThatThrownBy(() -> await(failing.open(context())))
        .cause()
        .hasMessageContaining("cannot use " + dir.resolve("log").resolve("id"))
        .hasMessageContaining("damaged");
  }

  /** Two writers give the same positions. */
  @Test
  void fileOfAnotherWriter_isNotServed() throws Exception {
    await(sink.write(batch(0, 0, 10)));
    await(sink.write(batch(1, 0, 10)));
    await(sink.close());
    Files.copy(
        dir.resolve("log/writer-0-0000000000000000001.db"),
        dir.resolve("log/writer-1-0000000000000000001.db"),
        StandardCopyOption.REPLACE_EXISTING);
    reopen();
    assertThat(readAll(3).stream().map(StoredEvent::event)).isEqualTo(batch(0, 0, 10).events());
    assertThat(sink.damaged()).isEqualTo(1);
  }

  /** Also if only the columns beside them are read. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1})
  void blockOfAnotherFile_isNotServed(int shard) throws Exception {
    for (int i = 0; i < 3; i++) {
      await(sink.write(batch(0, i * 10, 10)));
      await(sink.write(batch(1, i * 5, 5)));
    }
    await(sink.close());
    try (Connection connection =
            DriverManager.getConnection(
                "jdbc:sqlite:" + dir.resolve("log/writer-1-0000000000000000001.db"));
        Statement statement = connection.createStatement()) {
      statement.execute(
          "ATTACH '" + dir.resolve("log/writer-0-0000000000000000001.db") + "' AS other");
      statement.execute("INSERT OR REPLACE INTO blocks SELECT * FROM other.blocks WHERE last = 10");
    }
    reopen();
    List<StoredEvent> all = readAll(100);
    assertThat(sequences(all, 0)).isEqualTo(range(0, 30));
    assertThat(sequences(all, 1)).contains(0L, 14L).doesNotHaveDuplicates();
    EventQuery query = EventQuery.of(null, 100).withShard(shard);
    assertThat(await(sink.read(query)).events())
        .isEqualTo(all.stream().filter(stored -> stored.event().shard() == shard).toList());
    assertThat(sink.damaged()).isEqualTo(1);
  }

  @Test
  void folderInUse_isRefused() {
    ReplayableSink second = create();
    assertThatThrownBy(() -> await(second.open(context())))
        .cause()
        .hasMessageContaining("sink log: the folder " + dir.resolve("log") + " is in use");
  }

  @Test
  void badFolders_areNamed() throws Exception {
    Path file = Files.createFile(dir.resolve("file"));
    config = new JsonObject().put("dir", file.resolve("log").toString());
    assertThatThrownBy(this::create)
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("dir: cannot make the folder " + file.resolve("log"));
    config = new JsonObject();
    ReplayableSink homeless = create();
    assertThatThrownBy(
            () -> await(homeless.open(new SinkContext(vertx, context().producer(), null))))
        .cause()
        .hasMessageContaining("dataDir");
  }

  @Test
  void shards_doNotQueueBehindOneFile() throws Exception {
    await(Future.all(sink.write(batch(0, 0, 10)), sink.write(batch(1, 0, 10))));
    Path file = dir.resolve("log").resolve("writer-0-0000000000000000001.db");
    try (Connection other = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = other.createStatement()) {
      statement.execute("BEGIN IMMEDIATE");
      Future<Void> heldUp = sink.write(batch(0, 10, 10));
      await(Future.all(sink.write(batch(1, 10, 10)), sink.write(batch(3, 0, 10))));
      assertThat(heldUp.succeeded()).isFalse();
      statement.execute("ROLLBACK");
      await(heldUp.recover(tooLate -> sink.write(batch(0, 10, 10))));
    }
  }

  /** What the bus does when the writer of a shard is kept busy by another for too long. */
  @Test
  void attemptsThatQueueUp_areWrittenOnce() throws Exception {
    config = config.copy().put("writers", 1);
    reopen();
    List<Future<Void>> writes = new ArrayList<>();
    writes.add(sink.write(batch(0, 0, 20_000)));
    for (int attempt = 0; attempt < 3; attempt++) {
      writes.add(sink.write(batch(1, 0, 10)));
    }
    await(Future.all(writes));
    assertThat(sequences(readAll(10_000), 1)).isEqualTo(range(0, 10));
  }

  @Test
  void throwingListener_harmsNobody() throws Exception {
    AtomicInteger told = new AtomicInteger();
    for (int i = 0; i < 2; i++) {
      sink.onAppend(
          () -> {
            told.incrementAndGet();
            throw new AssertionError("a listener that fails");
          });
    }
    await(sink.write(batch(0, 0, 10)));
    await(sink.write(batch(0, 10, 10)));
    org.awaitility.Awaitility.await().until(() -> told.get() == 4);
    await(sink.close());
  }

  /** A batch as a writer with the same past would have committed it: its block, in a database. */
  private Path committed(Batch... batches) throws Exception {
    Path elsewhere = Files.createTempDirectory(dir, "elsewhere");
    ReplayableSink other =
        (ReplayableSink)
            Sinks.create(new SinkOptions("log").setConfig(new JsonObject().put("writers", 1)));
    await(other.open(new SinkContext(vertx, context().producer(), elsewhere)));
    for (Batch batch : batches) {
      await(other.write(batch));
    }
    await(other.close());
    return elsewhere.resolve("log").resolve("writer-0-0000000000000000001.db");
  }

  private static void commit(Statement statement) throws SQLException {
    statement.execute("INSERT INTO blocks SELECT * FROM other.blocks WHERE last = 20");
    statement.execute("COMMIT");
  }

  /** A commit whose sync failed can be in the file all the same. */
  @Test
  void failedCommitThatIsThere_isRecognised() throws Exception {
    config = config.copy().put("writers", 1);
    reopen();
    await(sink.write(batch(0, 0, 10)));
    Path file = dir.resolve("log").resolve(files(".db").get(0));
    Path committed = committed(batch(0, 0, 10), batch(0, 10, 10));
    try (Connection other = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = other.createStatement()) {
      statement.execute("ATTACH '" + committed + "' AS other");
      statement.execute("BEGIN IMMEDIATE");
      assertThatThrownBy(() -> await(sink.write(batch(0, 10, 10)))).hasMessageContaining("cannot");
      commit(statement);
    }
    await(sink.write(batch(0, 10, 10)));
    await(sink.write(batch(0, 20, 10)));
    assertThat(sequences(readAll(1_000), 0)).isEqualTo(range(0, 30));
  }

  /** Ten events, in a block that fills a small file. */
  private Batch large(int first) {
    List<ShardEvent> events = new ArrayList<>();
    for (ShardEvent event : batch(0, first, 10).events()) {
      Buffer payload = Buffer.buffer(new byte[9_999]);
      events.add(new ShardEvent(0, event.sequence(), event.timestamp(), payload, null));
    }
    return new Batch(0, first, events, context().producer());
  }

  /** The next file must begin behind what a commit that failed has left in the one before. */
  @Test
  void failedCommitThatIsThere_isRecognisedBeforeTheNextFileBegins() throws Exception {
    config = config.copy().put("writers", 1).put("segmentBytes", 65_536);
    reopen();
    await(sink.write(batch(0, 0, 10)));
    Path file = dir.resolve("log").resolve(files(".db").get(0));
    Path committed = committed(batch(0, 0, 10), large(10));
    try (Connection other = DriverManager.getConnection("jdbc:sqlite:" + file);
        Statement statement = other.createStatement()) {
      statement.execute("ATTACH '" + committed + "' AS other");
      statement.execute("BEGIN IMMEDIATE");
      // On the writer's thread, before it does anything else.
      Future<Void> failed =
          sink.write(large(10))
              .recover(
                  failure -> {
                    try {
                      commit(statement);
                      return Future.succeededFuture();
                    } catch (SQLException e) {
                      return Future.failedFuture(e);
                    }
                  });
      await(failed);
      // Before the last connection to the file is closed, which merges its parts: while that goes
      // on, it looks smaller than it is.
      await(sink.write(batch(1, 0, 10)));
    }
    await(sink.write(batch(0, 10, 20)));
    List<StoredEvent> got = readAll(1_000);
    assertThat(sequences(got, 1)).isEqualTo(range(0, 10));
    assertThat(sequences(got, 0)).isEqualTo(range(0, 30));
    assertThat(files(".db")).contains("writer-0-0000000000000000021.db");
  }

  @Test
  void until_endsAWalkEarly() throws Exception {
    assertUntilEndsEarly();
  }

  /** The folder holds the producer, also where the bus keeps none. */
  @Test
  void producers_areToldApart() throws Exception {
    Batch mine = batch(0, 0, 10);
    await(sink.write(mine));
    reopen();
    await(sink.write(new Batch(0, 0, mine.events(), new ProducerId("another", 0))));
    assertThat(readAll(100).stream().map(StoredEvent::producer).distinct())
        .containsExactly(new ProducerId("test", 1), new ProducerId("another", 0));
  }

  /** A shard can be late, and a clock can be set back. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3})
  void timesThatGoBack_areAllFound(long seed) throws Exception {
    Random random = new Random(seed);
    config = config.copy().put("segmentBytes", 65_536);
    reopen();
    long from = now() - 3_600_000 * MILLI;
    List<ShardEvent> all = new ArrayList<>();
    int[] next = new int[3];
    for (int i = 0; i < 120; i++) {
      int shard = random.nextInt(next.length);
      long time = from + (i * 20_000L - random.nextInt(300_000)) * MILLI;
      Batch batch = timed(shard, next[shard], 1 + random.nextInt(200), time);
      await(sink.write(batch));
      all.addAll(batch.events());
      next[shard] += batch.size();
      if (random.nextInt(20) == 0) {
        reopen();
        next = new int[next.length];
      }
    }
    for (int i = 0; i < 50; i++) {
      long since = from + random.nextInt(2_700_000) * MILLI;
      long until = since + random.nextInt(600_000) * MILLI;
      EventQuery query = EventQuery.of(null, 3_000).withSince(since).withUntil(until);
      assertThat(walk(query).stream().map(StoredEvent::event))
          .containsExactlyInAnyOrderElementsOf(
              all.stream()
                  .filter(event -> event.timestamp() >= since && event.timestamp() < until)
                  .toList());
    }
  }

  /** The index of times goes on in a file that is opened again. */
  @Test
  void since_findsAllOfAReopenedFile() throws Exception {
    long from = now() - 20_000 * MILLI;
    for (int i = 0; i < 20; i++) {
      await(sink.write(timed(0, 0, 700, from + i * 700L * MILLI)));
      reopen();
    }
    for (int i = 0; i < 14_000; i += 333) {
      List<StoredEvent> got = walk(EventQuery.of(null, 10_000).withSince(from + i * MILLI));
      assertThat(got).as("from %d", i).hasSize(14_000 - i);
    }
  }

  @Test
  void oldFiles_areNotLookedAtForYoungerEvents() throws Exception {
    config = config.copy().put("segmentBytes", 65_536);
    reopen();
    writeMuch(10);
    await(sink.close());
    List<String> old = files(".db").stream().filter(f -> f.startsWith("writer-0")).toList();
    for (String file : old.subList(0, old.size() - 1)) {
      age(file);
      Files.write(dir.resolve("log").resolve(file), new byte[100]); // it cannot even be opened
      age(file);
    }
    sink = create();
    await(sink.open(context()));
    long hour = 3_600_000 * MILLI;
    assertThat(walk(EventQuery.of(null, 10_000).withSince(now() - hour))).isEmpty();
    assertThat(files(".damaged")).isEmpty();
  }

  @Test
  void logOfAnotherFormat_isRefusedAndLeftAsItIs() throws Exception {
    await(sink.close());
    Path format = dir.resolve("log").resolve("format");
    for (String other : new String[] {"1", "2", "3", "6", "what?"}) {
      Files.writeString(format, other);
      refusesFormat(other.matches("\\d") ? other : "unknown");
      assertThat(format).hasContent(other);
    }
    Files.delete(format); // as before there were formats
    refusesFormat("1");
    assertThat(format).doesNotExist();
    Files.delete(dir.resolve("log").resolve("id"));
    refusesFormat("1");
  }

  /** Another number would make every cursor begin anew, and events would come twice. */
  @Test
  void numberOfTheLogThatIsDamaged_isRefused() throws Exception {
    await(sink.close());
    Path id = dir.resolve("log").resolve("id");
    byte[] bytes = Files.readAllBytes(id);
    bytes[3] ^= 1;
    Files.write(id, bytes);
    ReplayableSink failing = create();
    assertThatThrownBy(() -> await(failing.open(context())))
        .cause()
        .hasMessageContaining(id + ": it is damaged");
  }

  private void refusesFormat(String named) throws Exception {
    List<String> before = files("");
    ReplayableSink failing = create();
    assertThatThrownBy(() -> await(failing.open(context())))
        .cause()
        .hasMessageContaining(dir.resolve("log") + " holds a log of format " + named);
    assertThat(files("")).isEqualTo(before);
  }
}
