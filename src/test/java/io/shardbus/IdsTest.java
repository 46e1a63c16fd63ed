package io.shardbus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.event.Batch;
import io.shardbus.event.Headers;
import io.shardbus.event.IngestResult;
import io.shardbus.event.NotDeliveredException;
import io.shardbus.event.Outcome;
import io.shardbus.event.ProducerId;
import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.shardbus.eventbus.EventBusPublisher;
import io.shardbus.eventbus.EventBusPublisherOptions;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.sink.EventPage;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.ReplayableSink;
import io.shardbus.sink.SinkContext;
import io.shardbus.sink.SinkException;
import io.shardbus.sink.memory.MemorySink;
import io.shardbus.sink.memory.MemorySinkOptions;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** An event with an id is taken once, whichever way it comes and however often. */
@Tag("once")
class IdsTest {

  private final Vertx vertx = Vertx.vertx();
  private final RecordingSink sink = new RecordingSink();

  @AfterEach
  void tearDown() throws Exception {
    await(vertx.close());
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
  }

  private ShardBus start(ShardBusOptions options) throws Exception {
    return await(ShardBus.start(vertx, options.setShards(2).setRingCapacity(1024), sink));
  }

  private static RawEvent event(String id) {
    return RawEvent.builder(Buffer.buffer("event " + id)).id(id).build();
  }

  private static void assertAddsUp(BusStats stats) {
    long refused = stats.total().backpressure() + stats.refusals().total();
    assertThat(stats.offered())
        .isEqualTo(stats.total().accepted() + refused + stats.ids().duplicates());
  }

  @Test
  void everyWayIn_takesAnIdOnce() throws Exception {
    ShardBus bus = start(new ShardBusOptions());
    IngestResult first = await(bus.deliver(event("a")));
    IngestResult again = new IngestResult(Outcome.DUPLICATE, first.shard(), first.timestamp());
    assertThat(bus.ingest(event("a"))).isEqualTo(again);
    assertThat(bus.ingestBatch(List.of(event("a"), event("a"))).duplicates()).isEqualTo(2);
    assertThat(await(bus.deliver(event("a")))).isEqualTo(again);
    assertThat(await(bus.ingestAwait(event("a")))).isEqualTo(again);
    assertThat(await(bus.ingestAwait(event("a"), Duration.ofSeconds(1)))).isEqualTo(again);
    assertThat(await(bus.deliverAwait(event("a")))).isEqualTo(again);
    var stream = bus.writeStream();
    await(stream.write(event("a")));
    await(stream.end());
    EventBusPublisher publisher = EventBusPublisher.create(vertx, new EventBusPublisherOptions());
    await(publisher.write(event("a")));
    await(publisher.close());
    assertThat(sink.count()).isEqualTo(1);
    assertThat(bus.stats().ids().duplicates()).isEqualTo(9);
    assertAddsUp(bus.stats());
    await(bus.close());
  }

  @Test
  void repeat_waitsForTheDeliveryOfTheFirst() throws Exception {
    sink.hang();
    ShardBus bus = start(new ShardBusOptions());
    bus.ingest(event("a"));
    Future<IngestResult> repeat = bus.deliver(event("a"));
    Future<IngestResult> another = bus.deliverAwait(event("a"));
    assertThat(repeat.isComplete() || another.isComplete()).isFalse();
    sink.heal();
    assertThat(await(repeat).outcome()).isEqualTo(Outcome.DUPLICATE);
    assertThat(await(another)).isEqualTo(await(repeat));
    await(bus.close());
  }

  @Test
  void idOfADeadLetter_isFree() throws Exception {
    sink.fail(SinkException.permanentFailure("no"));
    ShardBus bus = start(new ShardBusOptions());
    Future<IngestResult> first = bus.deliver(event("a"));
    Future<IngestResult> repeat = bus.deliver(event("a"));
    for (Future<IngestResult> failed : List.of(first, repeat)) {
      assertThatThrownBy(() -> await(failed))
          .cause()
          .isInstanceOfSatisfying(
              NotDeliveredException.class,
              e -> assertThat(e.reason()).isEqualTo(Outcome.DEAD_LETTERED));
    }
    sink.heal();
    assertThat(await(bus.deliver(event("a"))).outcome()).isEqualTo(Outcome.ACCEPTED);
    await(bus.close());
  }

  @Test
  void replayedDeadLetter_keepsItsId() throws Exception {
    sink.fail(SinkException.permanentFailure("no"));
    ShardBus bus = start(new ShardBusOptions());
    bus.ingest(RawEvent.builder(Buffer.buffer("x")).key("k").id("a").header("h", "v").build());
    await(bus.flush());
    sink.heal();
    await(bus.replayDeadLetters());
    await(bus.flush());
    ShardEvent replayed =
        sink.ofShard(0).isEmpty() ? sink.ofShard(1).get(0) : sink.ofShard(0).get(0);
    assertThat(replayed.id()).isEqualTo("a");
    assertThat(replayed.headers().get("h")).isEqualTo("v");
    assertThat(bus.ingest(event("a")).outcome()).isEqualTo(Outcome.DUPLICATE);
    await(bus.close());
  }

  @Test
  void withoutAWindow_everyEventIsTaken() throws Exception {
    ShardBus bus = start(new ShardBusOptions().setIds(new IdOptions().setWindow(Duration.ZERO)));
    await(bus.deliver(event("a")));
    await(bus.deliver(event("a")));
    assertThat(sink.count()).isEqualTo(2);
    await(bus.close());
  }

  private ShardBusOptions inFolder(Path folder) {
    return new ShardBusOptions().setShards(2).setRingCapacity(1024).setDataDir(folder.toString());
  }

  @Test
  void logKnowsIds_afterARestart(@TempDir Path folder) throws Exception {
    ShardBus bus = await(ShardBus.start(vertx, inFolder(folder)));
    IngestResult first = await(bus.deliverAwait(event("a")));
    for (int i = 0; i < 1_000; i++) {
      await(bus.deliverAwait(i % 2 == 0 ? event("id " + i) : RawEvent.of("no id")));
    }
    await(bus.close());
    bus = await(ShardBus.start(vertx, inFolder(folder)));
    assertThat(await(bus.ingestAwait(event("a"))))
        .isEqualTo(new IngestResult(Outcome.DUPLICATE, first.shard(), first.timestamp()));
    assertThat(bus.stats().ids().remembered()).isEqualTo(501);
    assertThat(await(bus.deliverAwait(event("new"))).outcome()).isEqualTo(Outcome.ACCEPTED);
    await(bus.close());
  }

  /** A sink that keeps ids, of which the first reads fail. */
  private static final class Keeper implements ReplayableSink {

    private final MemorySink memory = new MemorySink(new MemorySinkOptions());
    private final AtomicInteger reads = new AtomicInteger();
    private final Promise<Void> gate = Promise.promise();

    @Override
    public String name() {
      return "keeper";
    }

    @Override
    public Future<Void> open(SinkContext context) {
      return memory.open(context);
    }

    @Override
    public Future<Void> write(Batch batch) {
      return memory.write(batch);
    }

    @Override
    public Future<Void> close() {
      return memory.close();
    }

    @Override
    public Future<EventPage> read(EventQuery query) {
      return switch (reads.getAndIncrement()) {
        case 0 -> Future.failedFuture("not now");
        case 1 -> throw new IllegalStateException("nor now");
        case 2 -> Future.succeededFuture();
        default -> gate.future().compose(open -> memory.read(query));
      };
    }

    @Override
    public Future<String> endCursor() {
      return memory.endCursor();
    }

    @Override
    public Runnable onAppend(Runnable listener) {
      return memory.onAppend(listener);
    }

    @Override
    public boolean recallsIds() {
      return true;
    }
  }

  private static ShardEvent kept(String id, long sequence, Duration ahead) {
    long time = System.currentTimeMillis() * 1_000_000 + ahead.toNanos();
    return new ShardEvent(1, sequence, time, Buffer.buffer("x"), null, id, Headers.none());
  }

  @Test
  void idsOfARunWhoseClockWasAhead_areRecalled() throws Exception {
    Keeper keeper = new Keeper();
    List<ShardEvent> all = new ArrayList<>();
    for (int i = 0; i <= EventQuery.MAX_LIMIT; i++) { // one more than a page
      all.add(kept("id " + i, i, Duration.ofHours(1)));
    }
    await(keeper.write(new Batch(1, 0, all, new ProducerId("before", 1))));
    keeper.gate.complete();
    ShardBusOptions options = new ShardBusOptions().setShards(1).setRingCapacity(1024);
    ShardBus bus = await(ShardBus.start(vertx, options, keeper));
    for (int i : List.of(0, EventQuery.MAX_LIMIT)) {
      assertThat(await(bus.ingestAwait(event("id " + i))).outcome()).isEqualTo(Outcome.DUPLICATE);
    }
    await(bus.close());
  }

  @Test
  void untilIdsAreRecalled_eventsWithAnIdWait() throws Exception {
    Keeper keeper = new Keeper();
    ShardEvent kept = kept("a", 0, Duration.ZERO);
    await(keeper.write(new Batch(1, 0, List.of(kept), new ProducerId("before", 1))));
    ShardBusOptions options = new ShardBusOptions().setShards(1).setRingCapacity(1024);
    ShardBus bus = await(ShardBus.start(vertx, options, keeper));
    assertThat(bus.ingest(event("a")).outcome()).isEqualTo(Outcome.BACKPRESSURE);
    assertThat(bus.ingest(RawEvent.of("no id")).outcome()).isEqualTo(Outcome.ACCEPTED);
    Future<IngestResult> repeat = bus.ingestAwait(event("a"));
    Future<IngestResult> fresh = bus.ingestAwait(event("b"));
    Awaitility.await().until(() -> keeper.reads.get() == 4);
    assertThat(repeat.isComplete() || fresh.isComplete()).isFalse();
    keeper.gate.complete();
    assertThat(await(repeat)).isEqualTo(new IngestResult(Outcome.DUPLICATE, 1, kept.timestamp()));
    assertThat(await(fresh).outcome()).isEqualTo(Outcome.ACCEPTED);
    await(bus.close());
  }

  @Test
  void eventWithAnIdAlone_goesWhereItsIdSays() throws Exception {
    ShardBus bus = start(new ShardBusOptions());
    RawEvent one = RawEvent.builder(Buffer.buffer("1")).id("a").build();
    RawEvent other = RawEvent.builder(Buffer.buffer("2")).id("a").build();
    assertThat(one.hash())
        .isEqualTo(other.hash())
        .isEqualTo(RawEvent.of(Buffer.buffer(), "a").hash());
    await(bus.close());
  }

  /** Clients that retry until they have an answer, with a sink that fails at times. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6})
  void clientsThatRetry_deliverEachIdOnce(long seed) throws Exception {
    Random faults = new Random(seed);
    sink.behave(
        batch -> {
          synchronized (faults) {
            return switch (faults.nextInt(4)) {
              case 0 -> Future.failedFuture(SinkException.transientFailure("busy"));
              default -> Future.succeededFuture();
            };
          }
        });
    ShardBus bus = start(new ShardBusOptions());
    int ids = 3_000;
    List<Future<IngestResult>> answers = new ArrayList<>();
    Random random = new Random(seed * 31);
    for (int i = 0; i < ids; i++) {
      int times = 1 + random.nextInt(3);
      for (int t = 0; t < times; t++) {
        answers.add(bus.deliverAwait(event("id " + random.nextInt(i + 1))));
      }
      answers.add(bus.deliverAwait(event("id " + i)));
    }
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> answers.stream().allMatch(Future::isComplete));
    assertThat(answers).as("seed %d", seed).allMatch(Future::succeeded);
    List<String> delivered = new ArrayList<>();
    for (int shard = 0; shard < 2; shard++) {
      sink.ofShard(shard).forEach(event -> delivered.add(event.id()));
    }
    assertThat(delivered).as("seed %d", seed).doesNotHaveDuplicates().hasSize(ids);
    assertAddsUp(bus.stats());
    await(bus.close());
  }
}
