package io.shardbus.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.event.Batch;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.shardbus.files.SqliteFiles;
import io.vertx.core.Future;
import io.vertx.core.json.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** When the log begins and deletes files, and what it reads from them. */
class LogSinkFilesTest extends LogSinkFixture {

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
    reopen(); // ends the deletion of old files, which a reader would pass over
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
    Awaitility.await().until(() -> files(".db").stream().noneMatch(old::contains));
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
    Awaitility.await().until(() -> files("0000101.db").size() == 1);
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

  @Test
  void secondClose_endsWithTheFirst() throws Exception {
    for (int i = 0; i < 5; i++) {
      Future<Void> write = sink.write(batch(0, 0, 20_000));
      Future<Void> first = sink.close();
      await(sink.close());
      assertThat(first.isComplete()).isTrue();
      await(write);
      epoch++;
      sink = create();
      await(sink.open(context()));
    }
  }

  /** From a clock that was wrong. */
  @Test
  void fileFromTheFuture_isRolledByTime() throws Exception {
    await(sink.write(timed(0, 0, 100, now() + 1_000_000_000L * MILLI)));
    config = config.copy().put("retention", "1h");
    reopen();
    Awaitility.await().until(() -> files("0000101.db").size() == 1);
  }

  @Test
  void fileThatIsGone_getsNoMoreEvents() throws Exception {
    await(sink.write(batch(0, 0, 10)));
    for (String file : files("")) {
      if (file.startsWith("writer-0")) {
        Files.delete(dir.resolve("log").resolve(file));
      }
    }
    await(sink.write(batch(0, 10, 10)));
    assertThat(sequences(readAll(100), 0)).isEqualTo(range(10, 20));
    Files.move(dir.resolve("log"), dir.resolve("elsewhere"));
    assertThatThrownBy(() -> await(sink.write(batch(0, 20, 10))))
        .hasMessageContaining("cannot write");
    Files.move(dir.resolve("elsewhere"), dir.resolve("log"));
    await(sink.write(batch(0, 20, 10)));
    assertThat(sequences(readAll(100), 0)).isEqualTo(range(10, 30));
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
      Awaitility.await().until(() -> files("0000201.db").size() == 1);
      await(sink.close());
      assertThat(files(".db")).contains(file);
    }
    sink = create();
    await(sink.open(context()));
    assertThat(readAll(1_000)).hasSize(200);
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
    Awaitility.await().until(() -> told.get() == 4);
    await(sink.close());
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
}
