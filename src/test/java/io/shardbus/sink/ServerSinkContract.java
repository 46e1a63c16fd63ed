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
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;

/** What a sink must do that writes to a server of its own kind, whatever befalls the server. */
@Tag("backend")
abstract class ServerSinkContract extends SinkContract {

  private static final String SECRET = "s3cr3t-horse";
  private static final int SHARDS = 4;
  private static final int BATCHES = 60;
  private static final int BATCH_SIZE = 50;

  /** A batch large enough for the server to be met in the middle of it. */
  private static final int LARGE = 20_000;

  /** Until which batch a shard is written before the fault. */
  private static final int HELD = BATCHES / 2;

  /** Longer than a machine that is busy with other things holds up a server. */
  private static final String PATIENT = "15s";

  private static final String IMPATIENT = "1s";

  int port;
  ServerProcess server;
  final AtomicInteger delivered = new AtomicInteger();
  final AtomicInteger failures = new AtomicInteger();

  /** Sequences of events that the sink refused for good. */
  final List<Long> refused = new CopyOnWriteArrayList<>();

  /**
   * Failures that confirmed an event though one before it of the same key had to be tried again.
   */
  private final List<String> overtaken = new CopyOnWriteArrayList<>();

  /** What the sink is made with: it gives up a write about so late. */
  String timeout = PATIENT;

  /** Completed when the fault has happened: there is something left to write then. */
  private final Promise<Void> fault = Promise.promise();

  /** The server, not started yet, that keeps its data in {@link #dir}. */
  abstract ServerProcess server(String password);

  /** Before the sink is opened. */
  void prepareServer() throws Exception {}

  /** A sink with {@link #timeout}. */
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
  void open(TestInfo test) throws Exception {
    port = Ports.free();
    server = server(null);
    server.start();
    prepareServer();
    super.open(test);
    Class<?> declaring = test.getTestMethod().orElseThrow().getDeclaringClass();
    if (ServerSinkContract.class.isAssignableFrom(declaring) && declaring != getClass()) {
      openAnew(IMPATIENT);
    }
  }

  /** A server that has just started may need more time than an impatient sink gives it. */
  private void openAnew(String newTimeout) throws Exception {
    timeout = newTimeout;
    eventually(
        () -> {
          await(sink.close());
          sink = create();
          return await(sink.open(context()));
        });
  }

  /** On this thread: its context stays the sink's. */
  static <T> T eventually(Callable<T> attempt) throws Exception {
    long deadline = System.nanoTime() + Duration.ofMinutes(2).toNanos();
    while (true) {
      try {
        return attempt.call();
      } catch (ExecutionException e) {
        if (System.nanoTime() > deadline) {
          throw e;
        }
        System.err.println("trying again after " + e.getCause());
      }
    }
  }

  @Override
  @AfterEach
  void close() throws Exception {
    try {
      if (sink != null) {
        super.close();
      }
      assertThat(overtaken).isEmpty();
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
    Future<Void> turn = from == HELD * BATCH_SIZE ? fault.future() : Future.succeededFuture();
    return turn.compose(now -> deliver(batch(shard, from, BATCH_SIZE)))
        .compose(done -> deliver(shard, from + BATCH_SIZE));
  }

  /**
   * As the bus does, again and again what failed, and in halves what is refused for good, until the
   * events to blame stand alone.
   */
  final Future<Void> deliver(Batch batch) {
    return sink.write(batch)
        .onSuccess(done -> delivered.incrementAndGet())
        .recover(
            failure -> {
              failures.incrementAndGet();
              if (!(failure instanceof SinkException known)) {
                return Future.failedFuture(failure);
              }
              checkKeys(batch, known);
              List<ShardEvent> rest =
                  known.kind() == SinkException.Kind.PARTIAL
                      ? known.failed().stream().mapToObj(batch.events()::get).toList()
                      : batch.events();
              return known.isForGood()
                  ? refused(batch, rest, known.kind())
                  : vertx
                      .timer(50, TimeUnit.MILLISECONDS)
                      .compose(later -> deliver(part(batch, rest)));
            });
  }

  /** Of a key, nothing behind an event that is written again may count as written. */
  private void checkKeys(Batch batch, SinkException failure) {
    if (failure.kind() != SinkException.Kind.PARTIAL || failure.isForGood()) {
      return;
    }
    BitSet failed = failure.failed();
    Set<String> waiting = new HashSet<>();
    for (int i = 0; i < batch.size(); i++) {
      String key = batch.events().get(i).key();
      if (key != null && failed.get(i)) {
        waiting.add(key);
      } else if (key != null && waiting.contains(key)) {
        overtaken.add(failure + ": event " + i + " of " + key);
      }
    }
  }

  private Future<Void> refused(Batch batch, List<ShardEvent> rest, SinkException.Kind kind) {
    if (kind == SinkException.Kind.PARTIAL || rest.size() == 1) {
      rest.forEach(event -> refused.add(event.sequence()));
      return Future.succeededFuture();
    }
    int half = rest.size() / 2;
    return deliver(part(batch, rest.subList(0, half)))
        .compose(done -> deliver(part(batch, rest.subList(half, rest.size()))));
  }

  private static Batch part(Batch batch, List<ShardEvent> events) {
    return new Batch(batch.shard(), events.get(0).sequence(), events, batch.producer());
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
        .atMost(Duration.ofSeconds(60))
        .pollInterval(Duration.ofMillis(1))
        .ignoreExceptions()
        .until(condition);
  }

  @Test
  void serverKilledBetweenWrites_losesNothing() throws Exception {
    Future<?> all = deliverAll();
    until(() -> delivered.get() > 20);
    server.kill();
    untilMoreFailures(1);
    server.start();
    await(all);
    openAnew(PATIENT);
    assertAllInOrder(SHARDS, BATCHES * BATCH_SIZE);
  }

  /** After the fault. */
  private void untilMoreFailures(int count) {
    int before = failures.get();
    fault.complete();
    until(() -> failures.get() >= before + count);
  }

  @Test
  void serverKilledMidBatch_losesNothing() throws Exception {
    List<Future<Void>> all = new ArrayList<>();
    for (int shard = 0; shard < SHARDS; shard++) {
      Batch last = batch(shard, LARGE, BATCH_SIZE);
      all.add(
          deliver(batch(shard, 0, LARGE))
              .compose(done -> fault.future())
              .compose(now -> deliver(last)));
    }
    until(() -> !readSome().isEmpty());
    server.kill();
    untilMoreFailures(1);
    server.start();
    await(Future.all(all));
    openAnew(PATIENT);
    assertAllInOrder(SHARDS, LARGE + BATCH_SIZE);
  }

  private List<StoredEvent> readSome() throws Exception {
    return await(sink.read(EventQuery.of(null, 1))).events();
  }

  @Test
  void serverPaused_losesNothing() throws Exception {
    Future<?> all = deliverAll();
    until(() -> delivered.get() > 20);
    server.pause();
    try {
      // Every shard's write was given up at least once, and lies in the buffers still.
      untilMoreFailures(2 * SHARDS);
    } finally {
      server.resume();
    }
    await(all);
    openAnew(PATIENT);
    assertAllInOrder(SHARDS, BATCHES * BATCH_SIZE);
  }

  @Test
  void deadServer_failsWritesInTime() throws Exception {
    // A Kafka producer keeps what it is given before it has an id.
    await(deliver(batch(0, 0, 10)));
    server.kill();
    for (int i = 0; i < 3; i++) {
      Throwable failure = failureOf(sink.write(batch(0, 10, 10)));
      assertThat(failure).isInstanceOf(SinkException.class);
      assertThat(((SinkException) failure).kind()).isEqualTo(SinkException.Kind.TRANSIENT);
      assertThat(failure).hasMessageContaining("127.0.0.1:" + port);
    }
    server.start();
    await(deliver(batch(0, 10, 10)));
    openAnew(PATIENT);
    List<Long> got = sequences(readAll(100), 0);
    assertThat(recognisesRepetitions() ? got : got.stream().distinct().toList())
        .isEqualTo(range(0, 20));
  }

  private static Throwable failureOf(Future<?> future) {
    return catchThrowable(
            () -> future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS))
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
    timeout = "5s"; // which a server may take that does not answer those without a password
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
    timeout = PATIENT;
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
    openAnew(PATIENT);
    await(sink.write(batch(0, 0, 10)));
    Batch mine = batch(0, 0, 10);
    Batch others = new Batch(0, 0, mine.events(), new ProducerId("another", epoch));
    await(sink.write(others));
    await(sink.write(mine));
    await(sink.write(others));
    assertThat(readAll(100)).hasSize(20);
  }
}
