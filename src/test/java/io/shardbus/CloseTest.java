package io.shardbus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.options.Counted;
import io.shardbus.shard.ScalingException;
import io.shardbus.shard.ScalingPolicy;
import io.shardbus.shard.ShardManager;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.streams.WriteStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntConsumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Closing is done, or says what is left, whatever happens beside it; and every future ends. */
class CloseTest {

  private static final Pattern LEFT = Pattern.compile("(\\d+) events? of shards .*");

  private final Vertx vertx = Vertx.vertx(new VertxOptions().setWorkerPoolSize(2));
  private final RecordingSink sink = new RecordingSink();

  @AfterEach
  void tearDown() throws Exception {
    await(vertx.close());
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
  }

  private static void awaitAll(Queue<Future<?>> futures) {
    Awaitility.await()
        .atMost(20, TimeUnit.SECONDS)
        .untilAsserted(
            () -> assertThat(futures.stream().filter(f -> !f.isComplete()).count()).isZero());
  }

  private ShardBus start(ShardBusOptions options) throws Exception {
    return await(ShardBus.start(vertx, options, sink));
  }

  private static ShardBusOptions elastic(int shards) {
    return new ShardBusOptions()
        .setShards(shards)
        .setRingCapacity(1024)
        .setRouters(0)
        .setScaling(ScalingPolicy.defaults(8).setMaxShards(16).setAutoScale(false));
  }

  /** A shard that only the engine knows, with events; 0 is the other one. */
  private static int shardOfTheEngine(ShardBus bus) {
    int id = bus.shards().addShardForce();
    bus.shards().activateShard(id);
    return id;
  }

  @Test
  void shardOfTheEngineThatIsToGo_isDeliveredFirst() throws Exception {
    ShardBus bus = start(elastic(1));
    int id = shardOfTheEngine(bus);
    Queue<Future<?>> all = new ConcurrentLinkedQueue<>();
    for (int i = 0; i < 100; i++) {
      all.add(bus.deliver(RawEvent.of("event " + i)));
    }
    all.add(bus.scaleUp(1));
    all.add(bus.removeShard(id));
    await(bus.close());
    awaitAll(all);
    assertThat(bus.stats().total().pending()).isZero();
    assertThat(sink.count()).isEqualTo(100);
  }

  /** The first flush has its turn and the second waits for one when the bus begins to close. */
  @Test
  void flushThatBeganBefore_endsWhenAllIsDelivered() throws Exception {
    Vertx one = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(1));
    ShardBus bus = await(ShardBus.start(one, elastic(1), sink));
    shardOfTheEngine(bus);
    for (int i = 0; i < 100; i++) {
      assertThat(bus.ingest(RawEvent.of("event " + i)).accepted()).isTrue();
    }
    CountDownLatch free = new CountDownLatch(1);
    one.runOnContext(blocked -> await(free)); // so no verticle can be deployed
    List<Future<Void>> flushes = new ArrayList<>();
    flushes.add(bus.flush());
    flushes.add(bus.flush());
    Future<Void> closed = bus.close();
    flushes.add(bus.flush());
    assertThat(flushes).noneMatch(Future::isComplete);
    free.countDown();
    for (Future<Void> flush : flushes) {
      await(flush.onSuccess(done -> assertThat(sink.count()).isEqualTo(100)));
    }
    await(closed);
    await(one.close());
  }

  private static void await(CountDownLatch latch) {
    try {
      latch.await(30, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  @Test
  void engine_addsAndActivatesNoShardOnceClosed() throws Exception {
    ShardBus bus = start(elastic(1));
    int provisioned = bus.shards().addShardForce();
    Future<Void> closed = bus.close();
    for (Runnable call :
        List.<Runnable>of(
            () -> bus.shards().addShardForce(),
            () -> bus.shards().addShard(),
            () -> bus.shards().activateShard(provisioned))) {
      assertThat(org.assertj.core.api.Assertions.catchThrowable(call::run))
          .isInstanceOfSatisfying(
              ScalingException.class,
              e -> assertThat(e.reason()).isEqualTo(ScalingException.Reason.ILLEGAL_STATE));
    }
    await(closed);
  }

  /** The owner of the threads may block them; the bus has its own. */
  @Test
  void workersThatAreBusy_holdNothingUp() throws Exception {
    ShardBus bus = start(elastic(2).setCloseTimeout(Duration.ofSeconds(20)));
    CountDownLatch busy = new CountDownLatch(1);
    for (int i = 0; i < 4; i++) {
      vertx.executeBlocking(() -> busy.await(60, TimeUnit.SECONDS), false);
    }
    try {
      await(bus.scaleUp(1));
      await(bus.removeShard(0));
      for (int i = 0; i < 1_000; i++) {
        assertThat(bus.ingest(RawEvent.of("event " + i)).accepted()).isTrue();
      }
      Future<Void> closed = bus.close();
      assertThat(bus.ingest(RawEvent.of("late")).outcome()).isEqualTo(Outcome.CLOSED);
      await(closed);
      assertThat(sink.count()).isEqualTo(1_000);
      await(await(ShardBus.start(vertx, elastic(1), new RecordingSink())).close());
    } finally {
      busy.countDown();
    }
  }

  @Test
  void consumerSideThatIsHeld_keepsNoOtherShardFromBeingDelivered() throws Exception {
    ShardBus bus = start(elastic(2).setCloseTimeout(Duration.ofSeconds(1)));
    CountDownLatch held = new CountDownLatch(1);
    CountDownLatch letGo = new CountDownLatch(1);
    Thread holder =
        new Thread(
            () ->
                bus.shards()
                    .withShard(
                        0,
                        shard -> {
                          held.countDown();
                          try {
                            letGo.await(60, TimeUnit.SECONDS);
                          } catch (InterruptedException e) {
                            Thread.currentThread().interrupt();
                          }
                          return null;
                        }));
    holder.start();
    held.await();
    Queue<Future<?>> all = new ConcurrentLinkedQueue<>();
    for (int i = 0; i < 100; i++) {
      all.add(bus.deliver(RawEvent.of("event " + i)));
    }
    long left = bus.shards().accounting(0).orElseThrow().accepted();
    try {
      assertThat(org.assertj.core.api.Assertions.catchThrowable(() -> await(bus.close())))
          .cause()
          .hasMessage(
              Counted.of(left, "event") + " of shards [0] could not be delivered within 1000 ms");
      assertThat(sink.count()).isEqualTo(100 - left);
    } finally {
      letGo.countDown();
    }
    awaitAll(all);
  }

  /** A listener of the application holds both up. */
  @Test
  void requestsToScaleThatHang_areAnsweredAndHoldNoClosingUp() throws Exception {
    ShardBus bus = start(elastic(2).setCloseTimeout(Duration.ofMinutes(10)));
    AtomicInteger hanging = new AtomicInteger();
    CompletableFuture<Void> letGo = new CompletableFuture<>();
    IntConsumer hang =
        id -> {
          hanging.incrementAndGet();
          letGo.join();
        };
    bus.shards().mapper().orElseThrow().onShardCreated(hang);
    bus.shards().mapper().orElseThrow().onShardRemoved(hang);
    for (int i = 0; i < 1_000; i++) {
      assertThat(bus.ingest(RawEvent.of("event " + i)).accepted()).isTrue();
    }
    Future<Void> removal = bus.removeShard(0);
    Future<List<Integer>> addition = bus.scaleUp(1);
    Awaitility.await().until(() -> hanging.get() == 2);
    Future<Void> waiting = bus.removeShard(1);
    try {
      await(bus.close());
      assertThatThrownBy(() -> await(removal)).hasMessageContaining("the bus is closed");
      assertThatThrownBy(() -> await(addition)).hasMessageContaining("the bus is closed");
      assertThatThrownBy(() -> await(waiting)).hasMessageContaining("the bus is closing");
      assertThat(bus.scalings().underWay()).isEmpty();
      assertThat(sink.count()).isEqualTo(1_000);
    } finally {
      letGo.complete(null);
    }
  }

  /** Engine calls beside bus calls beside close, with a sink that may hang. */
  @ParameterizedTest
  @ValueSource(ints = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15})
  void anything_besideClose(int seed) throws Exception {
    boolean hangs = seed % 4 == 3;
    if (hangs) {
      sink.behave(
          batch ->
              ThreadLocalRandom.current().nextInt(10) == 0
                  ? Future.future(never -> {})
                  : Future.succeededFuture());
    }
    ShardBus bus = start(elastic(2).setCloseTimeout(Duration.ofMillis(hangs ? 500 : 20_000)));
    Queue<Future<?>> all = new ConcurrentLinkedQueue<>();
    AtomicBoolean over = new AtomicBoolean();
    AtomicLong taken = new AtomicLong();
    List<Thread> threads = new ArrayList<>();
    for (int t = 0; t < 3; t++) {
      Random random = new Random(seed * 31L + t);
      boolean engine = t == 0;
      Thread thread =
          new Thread(
              () -> {
                for (int i = 0; i < 20_000 && !over.get(); i++) {
                  if (engine) {
                    atTheEngine(bus.shards(), random, taken);
                  } else {
                    atTheBus(bus, random, all);
                  }
                }
              });
      thread.start();
      threads.add(thread);
    }
    long atLeast = 200L + new Random(seed).nextInt(5_000);
    Awaitility.await().until(() -> bus.stats().total().accepted() > atLeast);
    Future<Void> first = bus.close();
    Future<Void> second = bus.close();
    Throwable failure = null;
    try {
      await(first);
    } catch (java.util.concurrent.ExecutionException e) {
      failure = e.getCause();
    }
    Awaitility.await().until(second::isComplete);
    assertThat(second.cause()).isSameAs(failure);
    over.set(true);
    for (Thread thread : threads) {
      thread.join();
    }
    awaitAll(all);
    var total = bus.stats().total();
    if (failure == null) {
      assertThat(total.pending()).isZero();
      assertThat(sink.count() + taken.get()).isEqualTo(total.accepted());
    } else {
      Matcher left = LEFT.matcher(failure.getMessage());
      assertThat(left.matches()).as(failure.toString()).isTrue();
      assertThat(total.pending()).isEqualTo(Long.parseLong(left.group(1))).isPositive();
      assertThat(hangs).isTrue();
    }
    assertThat(sink.closed()).isOne();
    assertThat(vertx.deploymentIDs()).isEmpty();
  }

  private static void atTheEngine(ShardManager engine, Random random, AtomicLong taken) {
    try {
      List<Integer> ids = engine.mapper().orElseThrow().allShardIds();
      int id = ids.isEmpty() ? 0 : ids.get(random.nextInt(ids.size()));
      switch (random.nextInt(6)) {
        case 0 -> engine.activateShard(engine.addShardForce());
        case 1 -> engine.addShardForce();
        case 2 -> engine.activateShard(id);
        case 3 -> {
          if (engine.numShards() > 1) {
            engine.drainShard(id);
          }
        }
        case 4 -> taken.addAndGet(engine.removeShard(id).size());
        default ->
            engine.withShard(
                id, shard -> taken.addAndGet(shard.popBatch(1 + random.nextInt(10)).size()));
      }
    } catch (ScalingException e) {
      // so be it
    }
  }

  private static void atTheBus(ShardBus bus, Random random, Queue<Future<?>> all) {
    RawEvent event = RawEvent.of("event " + random.nextInt());
    switch (random.nextInt(16)) {
      case 0 -> all.add(bus.scaleUp(1));
      case 1 -> all.add(bus.scaleDown(1));
      case 2 -> all.add(bus.removeShard(random.nextInt(40)));
      case 3 -> all.add(bus.flush());
      case 4 -> all.add(bus.replayDeadLetters());
      case 5 -> {
        WriteStream<RawEvent> stream = bus.writeStream();
        all.add(stream.write(event));
        all.add(stream.end());
      }
      case 6, 7 -> all.add(bus.ingestAwait(event));
      case 8 -> all.add(bus.ingestAwait(event, Duration.ofMillis(5)));
      case 9, 10 -> all.add(bus.deliverAwait(event));
      case 11, 12 -> all.add(bus.deliver(event));
      default -> {
        for (int i = 0; i < 10; i++) {
          bus.ingest(event);
        }
      }
    }
  }
}
