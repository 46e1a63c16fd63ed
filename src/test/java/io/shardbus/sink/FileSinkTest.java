package io.shardbus.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.shardbus.event.Batch;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.shardbus.testing.SmallDisk;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileSinkTest {

  private final Vertx vertx = Vertx.vertx();
  @TempDir private Path dir;
  private Sink sink;

  @AfterEach
  void tearDown() throws Exception {
    if (sink != null) {
      await(sink.close());
    }
    await(vertx.close());
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private JsonObject config() {
    return new JsonObject().put("envelope", false);
  }

  private void open(JsonObject config) throws Exception {
    sink = Sinks.create(new SinkOptions("file").setConfig(config));
    await(sink.open(new SinkContext(vertx, new ProducerId("p", 1), dir)));
  }

  private static Batch batch(int first, String... payloads) {
    List<ShardEvent> events = new ArrayList<>();
    for (int i = 0; i < payloads.length; i++) {
      events.add(new ShardEvent(0, first + i, 1, Buffer.buffer(payloads[i]), null));
    }
    return new Batch(0, first, events, new ProducerId("p", 1));
  }

  private static String[] numbers(int from, int to) {
    return IntStream.range(from, to).mapToObj(Integer::toString).toArray(String[]::new);
  }

  private List<Path> files(String ending) throws IOException {
    try (Stream<Path> all = Files.list(dir.resolve("events"))) {
      return all.filter(file -> file.toString().endsWith(ending)).sorted().toList();
    }
  }

  private SinkException failure(Batch batch) {
    Throwable failure = catchThrowable(() -> await(sink.write(batch)));
    assertThat(failure).isInstanceOf(ExecutionException.class);
    return (SinkException) failure.getCause();
  }

  private void append(Path file, String text) throws IOException {
    Files.writeString(file, text, StandardOpenOption.APPEND);
  }

  @Test
  void file_isRolledBySize() throws Exception {
    open(config().put("maxBytes", 10));
    for (int i = 0; i < 5; i++) {
      await(sink.write(batch(4 * i, numbers(10, 14))));
    }
    assertThat(files(".ndjson")).hasSize(4);
    assertThat(files(".open")).hasSize(1);
    for (Path file : files(".ndjson")) {
      assertThat(file).hasContent("10\n11\n12\n13\n");
    }
  }

  @Test
  void file_isRolledByTimeAlsoWithoutEvents() throws Exception {
    open(config().put("maxAge", "50ms"));
    await(sink.write(batch(0, "1")));
    Awaitility.await().until(() -> files(".ndjson").size() == 1);
    assertThat(files(".open")).isEmpty();
  }

  @Test
  void completeFiles_areCompressed() throws Exception {
    open(config().put("maxBytes", 1).put("gzip", true));
    await(sink.write(batch(0, "1", "2")));
    await(sink.write(batch(2, "3")));
    await(sink.close());
    assertThat(files(".ndjson")).isEmpty();
    Process gzip = new ProcessBuilder("gzip", "-dc", files(".gz").get(0).toString()).start();
    assertThat(new String(gzip.getInputStream().readAllBytes(), StandardCharsets.UTF_8))
        .isEqualTo("1\n2\n");
    // A crash can leave a file that is not compressed, or compressed in part, or twice.
    Path part = dir.resolve("events/20200101T000000000Z.ndjson.open");
    Files.writeString(part, "0\n");
    Files.writeString(dir.resolve("events/20200101T000000000Z.ndjson.gz.new"), "torn");
    Path twice = dir.resolve("events/20200102T000000000Z.ndjson.open");
    Files.writeString(twice, "0\n");
    Path good = Files.writeString(dir.resolve("events/20200102T000000000Z.ndjson.gz"), "good");
    open(config().put("gzip", true));
    await(sink.close());
    assertThat(part).doesNotExist();
    assertThat(twice).doesNotExist();
    assertThat(good).hasContent("good");
    assertThat(files(".gz")).hasSize(3);
    assertThat(files(".new")).isEmpty();
  }

  /** A reader takes complete files, each once. */
  @Test
  void fileThatIsToBeCompressed_doesNotShowAsComplete() throws Exception {
    open(config().put("maxBytes", 1).put("gzip", true));
    await(sink.write(batch(0, "1")));
    Path open = files(".open").get(0);
    Path inTheWay = Path.of(open.toString().replace(".open", ".gz.new"));
    Files.createDirectory(inTheWay);
    await(sink.write(batch(1, "2")));
    await(sink.close());
    assertThat(files(".ndjson")).isEmpty();
    assertThat(files(".gz")).isEmpty();
    assertThat(open).hasContent("1\n");
    Files.deleteIfExists(inTheWay);
    open(config().put("gzip", true));
    await(sink.close());
    assertThat(files(".ndjson")).isEmpty();
    assertThat(files(".gz")).hasSize(1);
    assertThat(files(".open")).hasSize(1).doesNotContain(open);
  }

  /** Readers may have taken it already. */
  @Test
  void completeFile_staysAsItIsWhenGzipIsTurnedOn() throws Exception {
    Files.createDirectory(dir.resolve("events"));
    Path complete = Files.writeString(dir.resolve("events/20200101T000000000Z.ndjson"), "0\n");
    open(config().put("gzip", true));
    await(sink.close());
    assertThat(complete).hasContent("0\n");
    assertThat(files(".gz")).isEmpty();
  }

  @Test
  void tornLine_isCutOffAndTheFileGoesOn() throws Exception {
    open(config());
    await(sink.write(batch(0, "1", "2")));
    await(sink.close());
    Path open = files(".open").get(0);
    append(open, "{\"torn\":" + " ".repeat(200_000));
    open(config());
    await(sink.write(batch(0, "3")));
    assertThat(files(".open")).containsExactly(open);
    assertThat(open).hasContent("1\n2\n3\n");
    await(sink.close());
    Files.writeString(open, "only a torn line");
    open(config());
    await(sink.write(batch(0, "4")));
    assertThat(open).hasContent("4\n");
  }

  @Test
  void fullDisk_isATransientFailureThatLeavesNoPartOfALine() throws Exception {
    try (SmallDisk disk = SmallDisk.mount(dir.resolve("events"), "1m")) {
      assumeTrue(disk.mounted(), "cannot mount a file system here");
      open(config());
      await(sink.write(batch(0, "1")));
      disk.fill();
      SinkException failure = failure(batch(1, "\"" + "x".repeat(100_000) + "\"", "2"));
      assertThat(failure.kind()).isEqualTo(SinkException.Kind.TRANSIENT);
      assertThat(failure).hasMessageContaining("No space left");
      assertThat(files(".open").get(0)).hasContent("1\n");
      disk.free();
      await(sink.write(batch(1, "3", "2")));
      assertThat(files(".open").get(0)).hasContent("1\n3\n2\n");
      await(sink.close());
    }
  }

  @Test
  void eventThatIsNoJson_failsAloneForGood() throws Exception {
    open(config());
    SinkException failure = failure(batch(0, "1", "no json", "{\n}"));
    assertThat(failure.isForGood()).isTrue();
    assertThat(failure.failed().stream()).containsExactly(1);
    assertThat(files(".open").get(0)).hasContent("1\n{ }\n");
  }

  /** The answer to the first attempt may come too late. */
  @Test
  void eventThatIsNoJson_failsAgainWhenItsBatchIsRepeated() throws Exception {
    open(config());
    failure(batch(0, "1", "no json", "2"));
    assertThat(failure(batch(0, "1", "no json", "2")).failed().stream()).containsExactly(1);
    assertThat(files(".open").get(0)).hasContent("1\n2\n");
  }

  @Test
  void fileThatIsGone_getsNoMoreEvents() throws Exception {
    open(config());
    await(sink.write(batch(0, "1")));
    Files.delete(files(".open").get(0));
    await(sink.write(batch(1, "2")));
    assertThat(files(".open").get(0)).hasContent("2\n");
    Path elsewhere = dir.resolve("elsewhere");
    Files.move(dir.resolve("events"), elsewhere);
    SinkException failure = failure(batch(2, "3"));
    assertThat(failure.kind()).isEqualTo(SinkException.Kind.TRANSIENT);
    Files.move(elsewhere, dir.resolve("events"));
    await(sink.write(batch(2, "3")));
    assertThat(Files.readString(files(".open").get(files(".open").size() - 1))).endsWith("3\n");
  }

  /** From a clock that was wrong. */
  @Test
  void fileFromTheFuture_isRolledByTime() throws Exception {
    Files.createDirectory(dir.resolve("events"));
    Files.writeString(dir.resolve("events/20990101T000000000Z.ndjson.open"), "1\n");
    open(config().put("maxAge", "50ms"));
    Awaitility.await().until(() -> files(".ndjson").size() == 1);
  }

  /** Its time was over before its first event came. */
  @Test
  void oldEmptyFile_isRolledByTimeOnceItHasAnEvent() throws Exception {
    Files.createDirectory(dir.resolve("events"));
    Files.createFile(dir.resolve("events/20200101T000000000Z.ndjson.open"));
    open(config().put("maxAge", "50ms"));
    await(vertx.timer(100, TimeUnit.MILLISECONDS));
    await(sink.write(batch(0, "1")));
    Awaitility.await().until(() -> files(".ndjson").size() == 1);
  }

  @Test
  void envelope_holdsAnyBytes() throws Exception {
    open(new JsonObject().put("sync", false));
    await(sink.write(batch(0, "no json")));
    JsonObject line = new JsonObject(Files.readString(files(".open").get(0)));
    assertThat(line.getString("text")).isEqualTo("no json");
    assertThat(line.getString("producer")).isEqualTo("p");
  }

  @Test
  void folder_isForOneSink() throws Exception {
    open(config());
    Sink second = Sinks.create(new SinkOptions("file"));
    assertThat(
            catchThrowable(
                () -> await(second.open(new SinkContext(vertx, new ProducerId("p", 1), dir)))))
        .hasMessageContaining("in use");
    await(second.close());
    Sink nowhere = Sinks.create(new SinkOptions("file"));
    assertThat(
            catchThrowable(
                () -> await(nowhere.open(new SinkContext(vertx, new ProducerId("p", 1), null)))))
        .hasMessageContaining("dir: is required");
    await(nowhere.close());
  }
}
