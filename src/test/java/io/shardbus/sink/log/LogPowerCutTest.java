package io.shardbus.sink.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.Batch;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.shardbus.files.PrivateFiles;
import io.shardbus.sink.EventPage;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.SinkContext;
import io.shardbus.sink.StoredEvent;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Simulates power cuts. It copies the files of a log whenever the writer has nothing more to do.
 * What was written between two copies can be on the disk or not, sector by sector, in any order,
 * but not across a sync. So each cut takes the older copy and some sectors of the newer one. The
 * log that is opened from that must have each acknowledged event, as it was. It may have the batch
 * that was being written, but not a part of it. {@code -Dlog.cuts=N} sets how many cuts.
 */
@Tag("hot")
@Tag("slow")
class LogPowerCutTest {

  private static final int CUTS = Integer.getInteger("log.cuts", 200);
  private static final int SHM_BYTES = 32 << 10;
  private static final int WAL_HEADER = 32;
  private static final ProducerId PRODUCER = new ProducerId("test", 1);

  @TempDir Path dir;
  private final Vertx vertx = Vertx.vertx();
  private final Random random = new Random(3);
  private final List<ShardEvent> acknowledged = new ArrayList<>();
  private final Map<String, Integer> cuts = new TreeMap<>();
  private long sequence;

  @AfterEach
  void close() throws Exception {
    await(vertx.close());
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private LogSink open(Path folder, LogSinkOptions options) throws Exception {
    LogSink sink = new LogSink(options.setDir(folder.toString()));
    await(sink.open(new SinkContext(vertx, PRODUCER, null)));
    return sink;
  }

  private List<ShardEvent> events(int count) {
    List<ShardEvent> events = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      byte[] payload = new byte[random.nextInt(3_000)];
      random.nextBytes(payload);
      events.add(new ShardEvent(1, sequence, sequence, Buffer.buffer(payload), "key"));
      sequence++;
    }
    return events;
  }

  /** The files that are written, by name. */
  private static Map<String, byte[]> files(Path folder) throws IOException {
    Map<String, byte[]> found = new TreeMap<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        String name = file.getFileName().toString();
        if (name.startsWith("writer-")) {
          found.put(name, Files.readAllBytes(file));
        }
      }
    }
    return found;
  }

  private static void awaitIdle() {
    Awaitility.await()
        .atMost(30, TimeUnit.SECONDS)
        .pollDelay(0, TimeUnit.MILLISECONDS)
        .pollInterval(1, TimeUnit.MILLISECONDS)
        .until(
            () ->
                Thread.getAllStackTraces().keySet().stream()
                    .filter(thread -> thread.getName().equals("shardbus-log-0"))
                    .allMatch(thread -> thread.getState() == Thread.State.TIMED_WAITING));
  }

  /** What the disk has of a file if the power is cut while it is written. */
  private byte[] torn(byte[] before, byte[] after) {
    int sector = random.nextBoolean() ? 512 : 4096;
    double share = random.nextDouble();
    int longest = Math.max(before.length, after.length);
    int shortest = Math.min(before.length, after.length);
    int length =
        switch (random.nextInt(4)) {
          case 0 -> before.length;
          case 1 -> after.length;
          case 2 -> longest + random.nextInt(10_000); // the file system gave it more room
          default -> shortest + random.nextInt(longest - shortest + 1);
        };
    byte[] torn = new byte[length];
    if (random.nextBoolean()) { // what a new sector had before
      random.nextBytes(torn);
    }
    System.arraycopy(before, 0, torn, 0, Math.min(before.length, length));
    for (int at = 0; at < Math.min(after.length, length); at += sector) {
      if (random.nextDouble() < share) {
        int size = Math.min(sector, Math.min(after.length, length) - at);
        System.arraycopy(after, at, torn, at, size);
      }
    }
    return torn;
  }

  private void tear(
      Map<String, byte[]> image,
      String name,
      Map<String, byte[]> before,
      Map<String, byte[]> after) {
    byte[] nothing = new byte[0];
    byte[] torn = torn(before.getOrDefault(name, nothing), after.getOrDefault(name, nothing));
    if (before.containsKey(name) || torn.length > 0 || random.nextBoolean()) {
      image.put(name, torn);
    }
  }

  private static boolean isChanged(
      String name, Map<String, byte[]> before, Map<String, byte[]> after) {
    return !Arrays.equals(before.get(name), after.get(name));
  }

  /** SQLite writes the batch to the -wal, syncs it, and then perhaps merges it into the file. */
  private Map<String, byte[]> cutOfACommit(
      String file, Map<String, byte[]> before, Map<String, byte[]> after) {
    Map<String, byte[]> image = new TreeMap<>(before);
    String wal = file + "-wal";
    if (isChanged(file, before, after) && random.nextInt(3) > 0) {
      image.put(wal, after.get(wal));
      tear(image, file, before, after);
      cuts.merge("merge", 1, Integer::sum);
      return image;
    }
    byte[] old = before.getOrDefault(wal, new byte[0]);
    byte[] begun = Arrays.copyOf(old, Math.max(old.length, WAL_HEADER));
    System.arraycopy(after.get(wal), 0, begun, 0, WAL_HEADER);
    if (Arrays.equals(old, begun) || random.nextInt(4) > 0) {
      image.put(wal, torn(begun, after.get(wal)));
      cuts.merge("write", 1, Integer::sum);
    } else { // it begins from the front again, and syncs that before it goes on
      if (random.nextBoolean()) {
        image.put(wal, begun);
      }
      cuts.merge("begin", 1, Integer::sum);
    }
    return image;
  }

  /**
   * The log makes the next file, merges and closes the old one, and makes tables in the new one.
   */
  private Map<String, byte[]> cutOfARoll(
      String old, String next, Map<String, byte[]> before, Map<String, byte[]> after) {
    Map<String, byte[]> image = new TreeMap<>(before);
    image.put(next, new byte[0]);
    int stage = random.nextInt(4);
    cuts.merge("roll " + stage, 1, Integer::sum);
    if (stage == 1) {
      tear(image, old, before, after);
    } else if (stage >= 2) {
      image.put(old, after.get(old));
      if (stage == 3 || random.nextBoolean()) {
        image.remove(old + "-wal");
      }
    }
    if (stage == 3) {
      image.put(next, after.get(next));
      tear(image, next + "-wal", Map.of(), after);
    }
    return image;
  }

  /** The index of the -wal is never synced: it is old, new, lost, or anything. */
  private void addIndex(Map<String, byte[]> image, Map<String, byte[]> after) {
    for (String name : List.copyOf(image.keySet())) {
      String shm = name + "-shm";
      if (name.endsWith(".db")) {
        switch (random.nextInt(4)) {
          case 0 -> image.remove(shm);
          case 1 -> image.put(shm, new byte[SHM_BYTES]);
          case 2 -> {
            byte[] any = new byte[SHM_BYTES];
            random.nextBytes(any);
            image.put(shm, any);
          }
          default -> {
            if (after.containsKey(shm)) {
              image.put(shm, after.get(shm));
            }
          }
        }
      }
    }
  }

  private static List<ShardEvent> readAll(LogSink sink) throws Exception {
    List<ShardEvent> all = new ArrayList<>();
    EventQuery query = EventQuery.of(null, 1_000);
    EventPage page;
    do {
      page = await(sink.read(query));
      page.events().stream().map(StoredEvent::event).forEach(all::add);
      query = query.withCursor(page.cursor());
    } while (page.more());
    return all;
  }

  /**
   * @param written the batch that was not acknowledged yet
   */
  private void check(Map<String, byte[]> image, List<ShardEvent> written) throws Exception {
    int number = cuts.values().stream().mapToInt(Integer::intValue).sum();
    Path folder = dir.resolve("cut");
    PrivateFiles.makeFolders(folder);
    for (String name : List.of("format", "id")) {
      Files.copy(dir.resolve("log").resolve(name), folder.resolve(name));
    }
    for (Map.Entry<String, byte[]> file : image.entrySet()) {
      Files.write(folder.resolve(file.getKey()), file.getValue());
    }
    LogSink sink =
        open(folder, new LogSinkOptions().setSynchronous(LogSinkOptions.Synchronous.off));
    List<ShardEvent> got = readAll(sink);
    int sure = acknowledged.size();
    // Not asserted as a whole: it is too much to be shown.
    assertThat(got).as("cut %d %s", number, cuts).hasSizeGreaterThanOrEqualTo(sure);
    assertThat(got.subList(0, sure).equals(acknowledged)).as("cut %d %s", number, cuts).isTrue();
    List<ShardEvent> rest = got.subList(sure, got.size());
    assertThat(rest.isEmpty() || rest.equals(written)).as("cut %d: a part", number).isTrue();
    cuts.merge(rest.isEmpty() ? "without the last batch" : "with it", 0, Integer::sum);
    List<ShardEvent> more = List.of(new ShardEvent(2, 0, sequence, Buffer.buffer("more"), null));
    await(sink.write(new Batch(2, 0, more, PRODUCER)));
    got.addAll(more);
    assertThat(readAll(sink).equals(got)).as("cut %d goes on", number).isTrue();
    assertThat(sink.damaged()).as("cut %d", number).isZero();
    await(sink.close());
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        Files.delete(file);
      }
    }
  }

  private static String newest(Map<String, byte[]> files) {
    return files.keySet().stream().filter(name -> name.endsWith(".db")).reduce((a, b) -> b).get();
  }

  /**
   * Writes and cuts.
   *
   * @param count how many cuts
   * @param everywhere whether the power is also cut in the many commits that merge nothing
   */
  private void run(LogSinkOptions options, int writes, int size, int count, boolean everywhere)
      throws Exception {
    Path folder = dir.resolve("log");
    LogSink sink = open(folder, options);
    BlockingQueue<Map<String, byte[]>> committed = new LinkedBlockingQueue<>();
    sink.onAppend(
        () -> { // the writer is here, and writes nothing meanwhile
          try {
            committed.add(files(folder));
          } catch (IOException e) {
            throw new IllegalStateException(e);
          }
        });
    awaitIdle();
    Map<String, byte[]> idle = files(folder);
    boolean merged = true;
    for (int i = 0; i < writes; i++) {
      List<ShardEvent> batch = events(1 + random.nextInt(size));
      await(sink.write(new Batch(1, batch.get(0).sequence(), batch, PRODUCER)));
      Map<String, byte[]> after = committed.poll(30, TimeUnit.SECONDS);
      assertThat(after).isNotNull();
      String file = newest(after);
      boolean merges = isChanged(file, idle, after);
      int each = everywhere ? count / writes / 2 + 1 : merges || merged ? count / 6 + 1 : 0;
      for (int cut = 0; cut < each; cut++) {
        Map<String, byte[]> image = cutOfACommit(file, idle, after);
        addIndex(image, after);
        check(image, batch);
      }
      merged = merges;
      acknowledged.addAll(batch);
      awaitIdle();
      idle = files(folder);
      String next = newest(idle);
      for (int cut = 0; cut < each && !next.equals(file); cut++) {
        Map<String, byte[]> image = cutOfARoll(file, next, after, idle);
        addIndex(image, idle);
        check(image, List.of());
      }
    }
    await(sink.close());
  }

  @Test
  void cutsWhileFilesRoll_loseNothingThatWasAcknowledged() throws Exception {
    run(new LogSinkOptions().setSegmentBytes(65_536), 50, 30, CUTS * 4 / 5, true);
    assertThat(cuts.keySet())
        .contains("write", "roll 0", "roll 1", "roll 2", "roll 3")
        .contains("with it", "without the last batch");
  }

  /** SQLite merges once the -wal has 4 MB. */
  @Test
  void cutsWhileSqliteMerges_loseNothingThatWasAcknowledged() throws Exception {
    run(new LogSinkOptions(), 70, 200, CUTS / 5, false);
    assertThat(cuts.keySet())
        .contains("begin", "write", "merge", "with it", "without the last batch");
  }
}
