package io.shardbus.sink;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.Batch;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.shardbus.testing.SmallDisk;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The log on a disk without a byte to spare, be it opened then or open already. */
class LogSinkFullDiskTest {

  private static final EventQuery ALL = EventQuery.of(null, 10_000);

  @TempDir Path dir;
  private final Vertx vertx = Vertx.vertx();

  @AfterEach
  void close() throws Exception {
    await(vertx.close());
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private ReplayableSink open(Path folder, long epoch) throws Exception {
    JsonObject config = new JsonObject().put("writers", 2).put("segmentBytes", 65_536);
    ReplayableSink sink = (ReplayableSink) Sinks.create(new SinkOptions("log").setConfig(config));
    await(sink.open(new SinkContext(vertx, new ProducerId("p", epoch), folder)));
    return sink;
  }

  private static Batch batch(long epoch, int shard, int first) {
    List<ShardEvent> events =
        IntStream.range(first, first + 500)
            .mapToObj(i -> new ShardEvent(shard, i, i + 1, Buffer.buffer("event " + i), null))
            .toList();
    return new Batch(shard, first, events, new ProducerId("p", epoch));
  }

  /** Readers at once, and a writer that tries again and again, all want the newest files. */
  private static void readAtOnce(ReplayableSink sink, SmallDisk disk, long epoch) throws Exception {
    List<Future<EventPage>> pages = new ArrayList<>();
    List<Future<Void>> writes = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      pages.add(sink.read(ALL));
      if (disk.mounted()) {
        writes.add(sink.write(batch(epoch, 0, 0)));
      }
    }
    for (Future<EventPage> page : pages) {
      assertThat(await(page).events()).hasSize(9_000);
    }
    await(Future.join(writes).otherwiseEmpty());
    assertThat(writes).allMatch(Future::failed);
    assertThat(await(sink.endCursor())).isEqualTo(await(sink.read(ALL)).cursor());
  }

  @Test
  void fullDisk_isReadAndLeftBehind() throws Exception {
    try (SmallDisk disk = SmallDisk.mount(dir.resolve("disk"), "16m")) {
      Path folder = dir.resolve("disk");
      ReplayableSink sink = open(folder, 1);
      for (int i = 0; i < 9; i++) {
        await(sink.write(batch(1, 0, i * 500)));
        await(sink.write(batch(1, 1, i * 500)));
      }
      await(sink.close());
      disk.fill();
      for (int epoch = 2; epoch < 4; epoch++) {
        sink = open(folder, epoch);
        readAtOnce(sink, disk, epoch);
        await(sink.close());
      }
      sink = open(folder, 4);
      readAtOnce(sink, disk, 4);
      disk.free();
      await(sink.write(batch(4, 0, 0)));
      assertThat(await(sink.read(ALL)).events()).hasSize(9_500);
      await(sink.close());
      try (Stream<Path> files = Files.list(folder.resolve("log"))) {
        assertThat(files.map(Path::toString)).noneMatch(name -> name.contains(".damaged"));
      }
    }
  }
}
