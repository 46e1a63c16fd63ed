package io.shardbus.files;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.sink.SinkOptions;
import io.shardbus.testing.AckingProcess;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

/** Who can open what a bus writes. */
class PrivateFilesTest {

  @TempDir Path dir;

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private static Map<String, String> permissions(Path top) throws Exception {
    Map<String, String> found = new TreeMap<>();
    try (Stream<Path> all = Files.walk(top)) {
      for (Path path : all.toList()) {
        found.put(
            top.relativize(path).toString(),
            PosixFilePermissions.toString(Files.getPosixFilePermissions(path)));
      }
    }
    return found;
  }

  @ParameterizedTest
  @ValueSource(strings = {"000", "022", "077"})
  void everythingNew_isForItsOwnerAlone(String umask) throws Exception {
    Path acks = dir.resolve("acks");
    Path top = dir.resolve("a");
    Process process =
        AckingProcess.startWith(
            List.of("sh", "-c", "umask " + umask + "; exec \"$@\"", "sh"),
            top.resolve("b").resolve("data"),
            0,
            acks,
            dir.resolve("errors"));
    Map<String, String> found;
    try {
      Awaitility.await().atMost(60, TimeUnit.SECONDS).until(() -> Files.size(acks) > 1_000);
    } finally {
      process.destroyForcibly().waitFor();
    }
    found = permissions(top);
    assertThat(found.keySet())
        .contains("", "b", "b/data", "b/data/log", "b/data/bus.lock", "b/data/producer")
        .contains("b/data/log/lock", "b/data/log/id", "b/data/dead-letters.db")
        .anyMatch(name -> name.endsWith(".db-shm"))
        .anyMatch(name -> name.startsWith("b/data/log/") && name.endsWith(".db-wal"))
        .contains("b/data/dead-letters.db-wal");
    found.forEach(
        (name, permissions) ->
            assertThat(permissions)
                .as(name)
                .isEqualTo(Files.isDirectory(top.resolve(name)) ? "rwx------" : "rw-------"));
  }

  @ParameterizedTest
  @CsvSource({"rwxr-xr-x,1", "rwx--x--x,1", "rwxrwx---,0", "rwx------,0"})
  void folderThatOthersCanRead_isUsedAndNamedOnce(String permissions, int warnings)
      throws Exception {
    Path data = Files.createDirectory(dir.resolve("data"));
    Files.createDirectory(data.resolve("log"));
    Files.setPosixFilePermissions(data, PosixFilePermissions.fromString(permissions));
    Vertx vertx = Vertx.vertx();
    ListAppender<ILoggingEvent> seen = new ListAppender<>();
    Logger log = (Logger) LoggerFactory.getLogger(PrivateFiles.class);
    seen.start();
    log.addAppender(seen);
    try {
      ShardBusOptions options =
          new ShardBusOptions().setDataDir(data.toString()).setSink(new SinkOptions("log"));
      await(await(ShardBus.start(vertx, options)).close());
    } finally {
      log.detachAppender(seen);
      await(vertx.close());
    }
    assertThat(seen.list).hasSize(warnings);
    assertThat(seen.list)
        .allSatisfy(
            event -> {
              assertThat(event.getLevel()).isEqualTo(Level.WARN);
              assertThat(event.getFormattedMessage())
                  .contains("dataDir")
                  .contains("chmod -R o-rwx '" + data + "'");
            });
    assertThat(permissions(data))
        .containsEntry("", permissions)
        .containsEntry("log/id", "rw-------");
  }

  /** The folder of a log that is not in the data folder. */
  @Test
  void folderOfTheLog_isNamedToo() throws Exception {
    Path folder = Files.createDirectory(dir.resolve("events"));
    Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
    Vertx vertx = Vertx.vertx();
    ListAppender<ILoggingEvent> seen = new ListAppender<>();
    Logger log = (Logger) LoggerFactory.getLogger(PrivateFiles.class);
    seen.start();
    log.addAppender(seen);
    try {
      JsonObject config = new JsonObject().put("dir", folder.toString());
      ShardBusOptions options =
          new ShardBusOptions()
              .setDataDir(dir.resolve("data").toString())
              .setSink(new SinkOptions("log").setConfig(config));
      await(await(ShardBus.start(vertx, options)).close());
    } finally {
      log.detachAppender(seen);
      await(vertx.close());
    }
    assertThat(seen.list)
        .singleElement()
        .satisfies(event -> assertThat(event.getFormattedMessage()).contains("'" + folder + "'"));
  }

  @Test
  void fileThatAKilledProcessLeft_isMadeAnew() throws Exception {
    Path file = dir.resolve("file");
    Path left = Files.writeString(dir.resolve("file.new"), "something long that was left");
    Files.setPosixFilePermissions(left, PosixFilePermissions.fromString("rw-r--r--"));
    DurableFile.write(file, "new");
    assertThat(file).hasContent("new");
    assertThat(permissions(file)).containsEntry("", "rw-------");
  }

  @Test
  void fileSystemWithoutPermissions_isUsed() throws Exception {
    try (FileSystem other =
        FileSystems.newFileSystem(dir.resolve("other.zip"), Map.of("create", "true"))) {
      Path folder = other.getPath("a", "b");
      PrivateFiles.makeFolders(folder);
      PrivateFiles.warnIfOpenToOthers(folder, "dataDir");
      assertThat(PrivateFiles.make(folder.resolve("file"))).isTrue();
      assertThat(PrivateFiles.make(folder.resolve("file"))).isFalse();
      try (FileChannel channel = PrivateFiles.open(folder.resolve("opened"))) {
        assertThat(channel.isOpen()).isTrue();
      }
      assertThat(folder.resolve("opened")).exists();
    }
  }
}
