package io.shardbus.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.shardbus.event.Batch;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.shardbus.testing.Ports;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a sink must do that writes to a server of its own kind, whatever befalls the server. */
@Tag("backend")
abstract class ServerSinkContract extends SinkContract {

  private static final String SECRET = "s3cr3t-horse";
  private static final int SHARDS = 4;
  private static final int BATCHES = 60;
  private static final int BATCH_SIZE = 50;

  /** A batch large enough for the server to be met in the middle of it. */
  private static final int LARGE = 20_000;

  int port;
  ServerProcess server;
  final AtomicInteger delivered = new AtomicInteger();
  final AtomicInteger failures = new AtomicInteger();

  /** The server, not started yet, that keeps its data in {@link #dir}. */
  abstract ServerProcess server(String password);

  /** A sink whose writes fail within about a second. */
  abstract ReplayableSink create(String password);

  @Override
  ReplayableSink create() {
    return create(null);
  }

  @Override
  boolean durable() {
    return true;
  }

  @Override
  @BeforeEach
  void open() throws Exception {
    port = Ports.free();
    server = server(null);
    server.start();
    super.open();
  }

  @Override
  @AfterEach
  void close() throws Exception {
    try {
      if (sink != null) {
        super.close();
      }
    } finally {
      if (server != null) {
        endServer();
      }
    }
  }

  /** At the end of a test. */
  void endServer() throws Exception {
    server.kill();
  }

  /** Writes batch after batch. */
  private Future<Void> deliver(int shard, int from) {
    if (from == BATCHES * BATCH_SIZE) {
      return Future.succeededFuture();
    }
    return deliver(batch(shard, from, BATCH_SIZE))
        .compose(done -> deliver(shard, from + BATCH_SIZE));
  }

  /** As the bus does, again and again what failed. */
  final Future<Void> deliver(Batch batch) {
    return sink.write(batch)
        .onSuccess(done -> delivered.incrementAndGet())
        .recover(
            failure -> {
              failures.incrementAndGet();
              if (!(failure instanceof SinkException known)
                  || known.kind() == SinkException.Kind.PERMANENT) {
                return Future.failedFuture(failure);
              }
              Batch rest =
                  known.kind() == SinkException.Kind.PARTIAL ? failed(batch, known) : batch;
              Promise<Void> later = Promise.promise();
              vertx.setTimer(50, id -> deliver(rest).onComplete(later));
              return later.future();
            });
  }

  private static Batch failed(Batch batch, SinkException partial) {
    List<ShardEvent> rest =
        partial.failed().stream().mapToObj(batch.events()::get).collect(Collectors.toList());
    return new Batch(batch.shard(), rest.get(0).sequence(), rest, batch.producer());
  }

  private Future<?> deliverAll() {
    List<Future<Void>> all = new ArrayList<>();
    for (int shard = 0; shard < SHARDS; shard++) {
      all.add(deliver(shard, 0));
    }
    return Future.all(all);
  }

  private static void until(java.util.concurrent.Callable<Boolean> condition) {
    Awaitility.await()
        .atMost(Duration.ofSeconds(30))
        .pollInterval(Duration.ofMillis(1))
        .until(condition);
  }

  @Test
  void serverKilledBetweenWrites_losesNothing() throws Exception {
    Future<?> all = deliverAll();
    until(() -> delivered.get() > 20);
    server.kill();
    until(() -> failures.get() > 0);
    server.start();
    await(all);
    assertAllInOrder(SHARDS, BATCHES * BATCH_SIZE);
  }

  @Test
  void serverKilledMidBatch_losesNothing() throws Exception {
    List<Future<Void>> all = new ArrayList<>();
    for (int shard = 0; shard < SHARDS; shard++) {
      all.add(deliver(batch(shard, 0, LARGE)));
    }
    until(() -> !readSome().isEmpty());
    server.kill();
    until(() -> failures.get() > 0);
    server.start();
    await(Future.all(all));
    assertAllInOrder(SHARDS, LARGE);
  }

  private List<StoredEvent> readSome() throws Exception {
    return await(sink.read(new EventQuery(null, 1, null, EventQuery.Order.NONE))).events();
  }

  @Test
  void serverPaused_losesNothing() throws Exception {
    Future<?> all = deliverAll();
    until(() -> delivered.get() > 20);
    server.pause();
    try {
      // Every shard's write was given up at least once, and lies in the buffers still.
      until(() -> failures.get() >= 2 * SHARDS);
    } finally {
      server.resume();
    }
    await(all);
    assertAllInOrder(SHARDS, BATCHES * BATCH_SIZE);
  }

  @Test
  void deadServer_failsWritesInTime() throws Exception {
    server.kill();
    for (int i = 0; i < 3; i++) {
      Throwable failure = failureOf(sink.write(batch(0, 0, 10)));
      assertThat(failure).isInstanceOf(SinkException.class);
      assertThat(((SinkException) failure).kind()).isEqualTo(SinkException.Kind.TRANSIENT);
      assertThat(failure).hasMessageContaining("127.0.0.1:" + port);
    }
    server.start();
    await(deliver(batch(0, 0, 10)));
    assertThat(sequences(readAll(100), 0)).isEqualTo(range(0, 10));
  }

  private static Throwable failureOf(Future<?> future) {
    return catchThrowable(
            () -> future.toCompletionStage().toCompletableFuture().get(10, TimeUnit.SECONDS))
        .getCause();
  }

  @Test
  void noServer_failsToOpen() throws Exception {
    await(sink.close());
    server.kill();
    sink = create();
    assertThat(failureOf(sink.open(context()))).hasMessageContaining("127.0.0.1:" + port);
  }

  @Test
  void wrongCredentials_areRefusedWithoutTellingThem() throws Exception {
    await(sink.close());
    server.kill();
    server = server("the right one");
    server.start();
    for (String password : new String[] {SECRET, null}) {
      ReplayableSink refused = create(password);
      Throwable failure = failureOf(refused.open(context()));
      assertThat(failure).hasMessageContaining("127.0.0.1:" + port);
      assertThat(failure).hasMessageContaining("password");
      StringWriter trace = new StringWriter();
      failure.printStackTrace(new PrintWriter(trace));
      assertThat(trace.toString() + refused).doesNotContain(SECRET);
      await(refused.close());
    }
    sink = create("the right one");
    await(sink.open(context()));
    await(sink.write(batch(0, 0, 10)));
  }

  @Test
  void closeWhileServerIsPaused_endsInTime() throws Exception {
    server.pause();
    try {
      List<Future<Void>> writes = new ArrayList<>();
      for (int shard = 0; shard < 20; shard++) {
        writes.add(sink.write(batch(shard, 0, 50)));
      }
      await(sink.close());
      assertThat(writes).allSatisfy(write -> assertThat(write.failed()).isTrue());
      Throwable late = failureOf(sink.write(batch(0, 0, 1)));
      assertThat(late).isInstanceOf(SinkException.class).hasMessageContaining("closed");
    } finally {
      server.resume();
    }
  }

  @Test
  void producers_areToldApart() throws Exception {
    await(sink.write(batch(0, 0, 10)));
    Batch mine = batch(0, 0, 10);
    Batch others = new Batch(0, 0, mine.events(), new ProducerId("another", epoch));
    await(sink.write(others));
    await(sink.write(mine));
    await(sink.write(others));
    assertThat(readAll(100)).hasSize(20);
  }
}
