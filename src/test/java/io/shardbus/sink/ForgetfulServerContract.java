package io.shardbus.sink;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.Batch;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.VerticleBase;
import io.vertx.core.VertxOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.function.Function;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * What a sink must do whose server forgets what was true when the sink was opened. What it wrote
 * before that may be gone; what it writes afterwards is there.
 */
abstract class ForgetfulServerContract extends ServerSinkContract {

  private static final int SHARDS = 4;
  private static final int BATCH = 50;

  /** While the server runs on. */
  abstract void loseState() throws Exception;

  /** Deletes the data of a server that does not run. */
  abstract void deleteData() throws Exception;

  /** While the server runs on: what the sink wrote to is another thing of the same name. */
  abstract void change() throws Exception;

  private interface Fault {

    void happen() throws Exception;
  }

  @Test
  void serverThatLosesItsState_isWrittenAndReadOn() throws Exception {
    assertGoesOnAfter(this::loseState);
  }

  @Test
  void serverThatComesBackEmpty_isWrittenAndReadOn() throws Exception {
    assertGoesOnAfter(
        () -> {
          server.kill();
          deleteData();
          server.start();
        });
  }

  @Test
  void serverThatComesBackChanged_isWrittenAndReadOn() throws Exception {
    assertGoesOnAfter(this::change);
  }

  /** Cursors from before start over, and miss nothing. */
  private void assertGoesOnAfter(Fault fault) throws Exception {
    await(writeAll(0));
    List<String> cursors = new ArrayList<>();
    cursors.add(null);
    cursors.add(cursorAfter(SHARDS * BATCH / 2));
    cursors.add(cursorAfter(SHARDS * BATCH));
    cursors.add(await(sink.endCursor()));
    fault.happen();
    await(writeAll(1).compose(done -> writeAll(2)));
    for (String cursor : cursors) {
      List<StoredEvent> got = eventually(() -> readAll(cursor, 70));
      for (int shard = 0; shard < SHARDS; shard++) {
        assertThat(sequences(got, shard).stream().distinct().filter(n -> n >= BATCH).toList())
            .as("shard %d from %s", shard, cursor)
            .isEqualTo(range(BATCH, 3 * BATCH));
      }
    }
    assertThat(readAll(await(sink.endCursor()), 10)).isEmpty();
  }

  private String cursorAfter(int events) throws Exception {
    return await(sink.read(EventQuery.of(null, events))).cursor();
  }

  private Future<?> writeAll(int number) {
    List<Future<Void>> all = new ArrayList<>();
    for (int shard = 0; shard < SHARDS; shard++) {
      all.add(deliver(batch(shard, number * BATCH, BATCH)));
    }
    return Future.all(all);
  }

  static void deleteAll(Path folder) throws IOException {
    try (Stream<Path> files = Files.walk(folder)) {
      for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(file);
      }
    }
  }

  private static final class Writer extends VerticleBase {

    private final ReplayableSink sink;
    private final List<Future<?>> all = new ArrayList<>();

    Writer(ReplayableSink sink) {
      this.sink = sink;
    }

    @Override
    public Future<?> stop() {
      return Future.all(all);
    }

    <T> Future<T> run(Function<ReplayableSink, Future<T>> operation) {
      Promise<T> answered = Promise.promise();
      context.runOnContext(
          now -> {
            Future<T> answer = operation.apply(sink);
            all.add(answer);
            answer.onComplete(answered);
          });
      return answered.future();
    }
  }

  /** All connections were made for writes and reads of a verticle. */
  @Test
  void verticleThatWrote_takesNothingAlong() throws Exception {
    Writer writer = new Writer(sink);
    String deployment = await(vertx.deployVerticle(writer));
    List<Future<?>> operations = new ArrayList<>();
    for (int shard = 0; shard < 8; shard++) {
      Batch first = batch(shard, 0, 10);
      operations.add(writer.run(open -> open.write(first)));
    }
    operations.add(writer.run(open -> open.read(EventQuery.of(null, 10))));
    await(Future.all(operations));
    await(vertx.undeploy(deployment));
    for (int shard = 0; shard < 8; shard++) {
      await(sink.write(batch(shard, 10, 10)));
    }
    assertAllInOrder(8, 20);
  }

  @Test
  void blockedWorkerPools_holdUpNothing() throws Exception {
    CountDownLatch free = new CountDownLatch(1);
    for (int i = 0; i < 2 * VertxOptions.DEFAULT_WORKER_POOL_SIZE; i++) {
      vertx.executeBlocking(
          () -> {
            free.await();
            return null;
          },
          false);
    }
    try {
      reopen();
      await(sink.write(batch(0, 0, 10)));
      assertThat(sequences(readAll(3), 0)).isEqualTo(range(0, 10));
      assertThat(readAll(await(sink.endCursor()), 10)).isEmpty();
      await(sink.close());
    } finally {
      free.countDown();
    }
  }
}
