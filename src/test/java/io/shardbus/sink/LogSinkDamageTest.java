package io.shardbus.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.event.Batch;
import io.shardbus.event.ShardEvent;
import io.shardbus.files.SqliteFiles;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What the log does with files and folders that are not as it left them. */
class LogSinkDamageTest extends LogSinkFixture {

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
  void logOfAnotherFormat_isRefusedAndLeftAsItIs() throws Exception {
    await(sink.close());
    Path format = dir.resolve("log").resolve("format");
    for (String other : new String[] {"1", "2", "5", "7", "what?"}) {
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
