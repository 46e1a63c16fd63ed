package io.shardbus.sink;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.Batch;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The log beside an application that blocks all workers of the Vert.x that they share. */
class LogSinkWorkersTest {

  private static final int WORKERS = 3;

  @TempDir Path dir;
  private final Vertx vertx = Vertx.vertx(new VertxOptions().setWorkerPoolSize(WORKERS));
  private final CountDownLatch application = new CountDownLatch(1);

  @BeforeEach
  void block() throws Exception {
    CountDownLatch blocked = new CountDownLatch(WORKERS);
    for (int i = 0; i < WORKERS; i++) {
      vertx.executeBlocking(
          () -> {
            blocked.countDown();
            application.await();
            return null;
          },
          false);
    }
    assertThat(blocked.await(30, TimeUnit.SECONDS)).isTrue();
  }

  @AfterEach
  void close() throws Exception {
    application.countDown();
    await(vertx.close());
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(20, TimeUnit.SECONDS);
  }

  private ReplayableSink open(long epoch) throws Exception {
    JsonObject config =
        new JsonObject().put("writers", 1).put("segmentBytes", 65_536).put("maxBytes", 300_000);
    ReplayableSink sink = (ReplayableSink) Sinks.create(new SinkOptions("log").setConfig(config));
    await(sink.open(new SinkContext(vertx, new ProducerId("p", epoch), dir)));
    return sink;
  }

  private static Batch batch(long epoch, int first) {
    List<ShardEvent> events =
        IntStream.range(first, first + 500)
            .mapToObj(i -> new ShardEvent(0, i, i + 1, Buffer.buffer("event " + i), null))
            .toList();
    return new Batch(0, first, events, new ProducerId("p", epoch));
  }

  @Test
  void log_opensWritesReadsDeletesAndCloses() throws Exception {
    for (int epoch = 1; epoch < 3; epoch++) {
      ReplayableSink sink = open(epoch);
      for (int i = 0; i < 30; i++) {
        await(sink.write(batch(epoch, i * 500)));
      }
      EventPage page = await(sink.read(EventQuery.of(null, 10_000)));
      assertThat(page.events()).isNotEmpty();
      assertThat(page.events().get(0).event().sequence()).isPositive(); // the oldest are deleted
      assertThat(await(sink.endCursor())).isNotEmpty();
      await(sink.close());
    }
    try (Stream<Path> files = Files.list(dir.resolve("log"))) {
      assertThat(files.filter(file -> file.toString().endsWith(".db")).count()).isLessThan(30);
    }
  }
}
