package io.shardbus;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.delivery.DeadLetterStore;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.DeadLetter;
import io.shardbus.sink.EventPage;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.ReplayableSink;
import io.shardbus.sink.SinkContext;
import io.shardbus.sink.SinkOptions;
import io.shardbus.sink.Sinks;
import io.shardbus.sink.StoredEvent;
import io.shardbus.testing.AckingProcess;
import io.shardbus.testing.LogChecker;
import io.shardbus.testing.SmallDisk;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.sqlite.SQLiteConfig;
import org.sqlite.util.LibraryLoaderUtil;

/** A bus whose log runs out of room keeps what it has, and goes on by itself when there is room. */
@Tag("slow")
class DiskFullTest {

  @TempDir Path dir;

  @Test
  void fullDisk_losesNothingAndIsLeftBehind() throws Exception {
    try (SmallDisk disk = SmallDisk.mount(dir.resolve("data"), "40m")) {
      fillAndFree(dir.resolve("data"), disk);
    }
  }

  /** Not a byte can be written, and what was written last is merged into the log's files or not. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void startOnAFullDisk_readsAllAndGoesOnWhenThereIsRoom(boolean merged) throws Exception {
    try (SmallDisk disk = SmallDisk.mount(dir.resolve("data"), "40m")) {
      startAndFree(dir.resolve("data"), disk, merged);
    }
  }

  private void startAndFree(Path data, SmallDisk disk, boolean merged) throws Exception {
    DeadLetterStore letters = await(DeadLetterStore.open(data));
    ShardEvent refused = new ShardEvent(0, 0, 1, Buffer.buffer("refused"), null);
    await(letters.add(List.of(new DeadLetter(new ProducerId("p", 1), refused, "why", 1, 1))));
    await(letters.close());
    Path first = dir.resolve("acks0");
    Process process = AckingProcess.start(data, 0, first, dir.resolve("errors0"));
    try {
      Awaitility.await().atMost(60, TimeUnit.SECONDS).until(() -> Files.size(first) > 300_000);
    } finally {
      process.destroyForcibly().waitFor();
    }
    Set<Integer> confirmed = AckingProcess.acknowledged(first);
    if (merged) {
      assertThat(missing(confirmed, stored(data).get(0))).isEmpty();
    }
    deleteIndexes(data);
    disk.fill();
    for (int round = 1; round < 3; round++) {
      Path acks = dir.resolve("acks" + round);
      Path errors = dir.resolve("errors" + round);
      process =
          AckingProcess.startWith(
              disk.mounted() ? List.of() : limited(), data, round, acks, errors);
      try {
        Awaitility.await()
            .atMost(60, TimeUnit.SECONDS)
            .until(() -> text(errors).contains("cannot write"));
        assertThat(text(errors))
            .containsPattern(AckingProcess.FOUND + "\\d+ events, 1 dead letter");
        assertThat(found(errors)).isGreaterThanOrEqualTo(confirmed.size());
        assertThat(Files.readString(data.resolve("producer"))).contains(" " + (round + 1) + " ");
        if (disk.mounted() && merged) {
          assertThat(acks).isEmptyFile();
        }
        if (round == 2) {
          makeRoom(disk, process);
          long whenFull = Files.size(acks);
          Awaitility.await()
              .atMost(60, TimeUnit.SECONDS)
              .until(() -> Files.size(acks) > whenFull + 10_000);
        }
      } finally {
        process.destroyForcibly().waitFor();
      }
    }
    Map<Integer, Set<Integer>> stored = stored(data);
    assertThat(missing(confirmed, stored.get(0))).isEmpty();
    if (disk.mounted()) { // else the file of acknowledgements was cut off, too
      assertThat(missing(AckingProcess.acknowledged(dir.resolve("acks2")), stored.get(2)))
          .isEmpty();
    }
  }

  private static void makeRoom(SmallDisk disk, Process process) throws Exception {
    if (disk.mounted()) {
      disk.free();
    } else {
      limit(process, "unlimited");
    }
  }

  private static void limit(Process process, String bytes) throws Exception {
    String pid = Long.toString(process.pid());
    String limit = "--fsize=" + bytes + ":unlimited";
    assertThat(SmallDisk.run("prlimit", "--pid", pid, limit)).isZero();
  }

  private static String text(Path file) throws Exception {
    return Files.readString(file, StandardCharsets.UTF_8);
  }

  private static int found(Path errors) throws Exception {
    String behind = text(errors).split(AckingProcess.FOUND, 2)[1];
    return Integer.parseInt(behind.substring(0, behind.indexOf(' ')));
  }

  /** What SQLite would have to make anew, as after a power cut. */
  private static void deleteIndexes(Path data) throws Exception {
    try (Stream<Path> files = Files.list(data.resolve("log"))) {
      for (Path file : files.filter(each -> each.toString().endsWith("-shm")).toList()) {
        Files.delete(file);
      }
    }
  }

  /** Where nothing can be mounted: files may not grow, but SQLite's library is there already. */
  private List<String> limited() throws Exception {
    String name = LibraryLoaderUtil.getNativeLibName();
    try (InputStream library =
        SQLiteConfig.class.getResourceAsStream(
            LibraryLoaderUtil.getNativeLibResourcePath() + "/" + name)) {
      Files.copy(library, dir.resolve(name), StandardCopyOption.REPLACE_EXISTING);
    }
    String option = "JAVA_TOOL_OPTIONS=-Dorg.sqlite.lib.path=" + dir;
    return List.of("prlimit", "--fsize=16384:unlimited", "env", option);
  }

  /** The numbers of events in the log, by round. */
  private static Map<Integer, Set<Integer>> stored(Path data) throws Exception {
    Vertx vertx = Vertx.vertx();
    ReplayableSink log =
        (ReplayableSink)
            Sinks.create(new SinkOptions("log").setConfig(new JsonObject().put("writers", 2)));
    await(log.open(new SinkContext(vertx, new ProducerId("reader", 1), data)));
    Map<Integer, Set<Integer>> stored = new HashMap<>();
    String cursor = null;
    EventPage page;
    do {
      page = await(log.read(EventQuery.of(cursor, 10_000)));
      cursor = page.cursor();
      for (StoredEvent event : page.events()) {
        JsonObject json = event.event().payload().toJsonObject();
        Set<Integer> round = stored.computeIfAbsent(json.getInteger("round"), r -> new HashSet<>());
        assertThat(round.add(json.getInteger("n"))).isTrue();
      }
    } while (page.more());
    await(log.close());
    await(vertx.close());
    return stored;
  }

  /** AssertJ would compare each with all. */
  private static Set<Integer> missing(Set<Integer> confirmed, Set<Integer> stored) {
    Set<Integer> missing = new HashSet<>(confirmed);
    missing.removeAll(stored);
    return missing;
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private void fillAndFree(Path data, SmallDisk disk) throws Exception {
    Path acks = dir.resolve("acks");
    Path errors = dir.resolve("errors");
    if (disk.mounted()) {
      disk.take(30 << 20);
    }
    Process process = AckingProcess.start(data, 0, acks, errors);
    try {
      Awaitility.await().atMost(60, TimeUnit.SECONDS).until(() -> Files.size(acks) > 0);
      if (!disk.mounted()) { // where nothing can be mounted, its files may not grow
        limit(process, "900000");
      }
      Awaitility.await()
          .atMost(60, TimeUnit.SECONDS)
          .until(
              () ->
                  Files.readString(errors, StandardCharsets.UTF_8).contains("cannot write")
                      && Files.size(acks) == sizeLater(acks));
      long whenFull = Files.size(acks);
      makeRoom(disk, process);
      Awaitility.await()
          .atMost(60, TimeUnit.SECONDS)
          .until(() -> Files.size(acks) > whenFull + 10_000);
    } finally {
      process.destroyForcibly().waitFor();
    }
    Vertx vertx = Vertx.vertx();
    LogChecker log = new LogChecker(vertx, data);
    Set<Integer> lost = AckingProcess.acknowledged(acks);
    lost.removeAll(log.readOn(0));
    assertThat(lost).isEmpty();
    vertx.close().toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS);
  }

  /** Whether nothing more is acknowledged can only be seen by waiting. */
  private static long sizeLater(Path acks) throws Exception {
    long before = Files.size(acks);
    Awaitility.await().pollDelay(Duration.ofMillis(1500)).until(() -> true);
    assertThat(Files.size(acks)).isGreaterThanOrEqualTo(before);
    return Files.size(acks);
  }
}
