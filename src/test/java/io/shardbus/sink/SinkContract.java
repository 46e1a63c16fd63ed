package io.shardbus.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.delivery.BatchOptions;
import io.shardbus.delivery.RetryOptions;
import io.shardbus.event.Batch;
import io.shardbus.event.IngestResult;
import io.shardbus.event.ProducerId;
import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;
import org.junit.jupiter.api.io.TempDir;

/** What every replayable sink must do. */
abstract class SinkContract {

  private static final int BUS_SHARDS = 3;
  private static final int BUS_EVENTS = 2_000;

  @TempDir Path dir;
  Vertx vertx;
  ReplayableSink sink;
  long epoch = 1;

  abstract ReplayableSink create();

  /** Whether events are there after the sink was closed and opened again. */
  abstract boolean durable();

  /** Whether an event that is written again is there once. Else it is there again, as it was. */
  boolean recognisesRepetitions() {
    return true;
  }

  @BeforeEach
  void open(TestInfo test) throws Exception {
    vertx = Vertx.vertx();
    sink = create();
    await(sink.open(context()));
  }

  @AfterEach
  void close() throws Exception {
    await(sink.close());
    await(vertx.close());
  }

  SinkContext context() {
    return new SinkContext(vertx, new ProducerId("test", epoch), dir);
  }

  void reopen() throws Exception {
    await(sink.close());
    epoch++;
    sink = create();
    await(sink.open(context()));
  }

  static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  Batch batch(int shard, int first, int count) {
    List<ShardEvent> events = new ArrayList<>();
    for (int i = first; i < first + count; i++) {
      events.add(
          new ShardEvent(
              shard,
              i,
              1_000_000L * i + shard,
              Buffer.buffer("{\"n\":" + i + ",\"s\":" + shard + "}"),
              i % 2 == 0 ? "key é " + i % 20 : null));
    }
    return new Batch(shard, first, events, new ProducerId("test", epoch));
  }

  List<StoredEvent> readAll(int limit) throws Exception {
    return readAll(null, limit);
  }

  List<StoredEvent> readAll(String cursor, int limit) throws Exception {
    List<StoredEvent> all = new ArrayList<>();
    EventPage page;
    do {
      page = await(sink.read(new EventQuery(cursor, limit, null, EventQuery.Order.NONE)));
      all.addAll(page.events());
      cursor = page.cursor();
    } while (page.more());
    return all;
  }

  static List<Long> sequences(List<StoredEvent> events, int shard) {
    return events.stream()
        .filter(stored -> stored.event().shard() == shard)
        .map(stored -> stored.event().sequence())
        .toList();
  }

  static List<Long> range(long from, long to) {
    List<Long> all = new ArrayList<>();
    for (long i = from; i < to; i++) {
      all.add(i);
    }
    return all;
  }

  /**
   * All events of the shards are there, in the order of each, and nothing else.
   *
   * @return how many there are, with repetitions
   */
  int assertAllInOrder(int shards, long eventsOfEach) throws Exception {
    List<StoredEvent> got = readAll(10_000);
    List<StoredEvent> first = got.stream().distinct().toList();
    if (recognisesRepetitions()) {
      assertThat(got).hasSameSizeAs(first);
    }
    for (int shard = 0; shard < shards; shard++) {
      assertThat(sequences(first, shard)).as("shard %d", shard).isEqualTo(range(0, eventsOfEach));
    }
    assertThat(first).hasSize((int) eventsOfEach * shards);
    return got.size();
  }

  @Test
  void write_isReadBackAsItWas() throws Exception {
    Batch batch = batch(3, 0, 10);
    await(sink.write(batch));
    List<StoredEvent> got = readAll(100);
    assertThat(got.stream().map(StoredEvent::event).toList()).isEqualTo(batch.events());
    assertThat(got).allSatisfy(stored -> assertThat(stored.epoch()).isEqualTo(epoch));
  }

  @Test
  void answers_comeOnTheContextOfTheCaller() throws Exception {
    await(sink.write(batch(0, 0, 10)));
    Context context = vertx.getOrCreateContext();
    Promise<List<Context>> answered = Promise.promise();
    EventQuery all = new EventQuery(null, 100, null, EventQuery.Order.NONE);
    context.runOnContext(
        now ->
            sink.read(all)
                .map(page -> Vertx.currentContext())
                .compose(
                    first -> sink.endCursor().map(cursor -> List.of(first, Vertx.currentContext())))
                .onComplete(answered));
    assertThat(await(answered.future())).containsOnly(context);
  }

  @Test
  void bytes_areKeptWhateverTheyAre() throws Exception {
    byte[] all = new byte[256];
    for (int i = 0; i < 256; i++) {
      all[i] = (byte) i;
    }
    ShardEvent event = new ShardEvent(0, 0, 1, Buffer.buffer(all), "");
    ShardEvent empty = new ShardEvent(0, 1, 2, Buffer.buffer(), null);
    await(sink.write(new Batch(0, 0, List.of(event, empty), new ProducerId("test", epoch))));
    List<StoredEvent> got = readAll(10);
    assertThat(got.get(0).event().payload().getBytes()).isEqualTo(all);
    assertThat(got.get(0).event().key()).isEmpty();
    assertThat(got.get(1).event().payload().length()).isZero();
    assertThat(got.get(1).event().key()).isNull();
  }

  @Test
  void shards_writtenAtOnceKeepTheirOrder() throws Exception {
    List<Future<Void>> chains = new ArrayList<>();
    for (int shard = 0; shard < 7; shard++) {
      Future<Void> chain = Future.succeededFuture();
      for (int i = 0; i < 20; i++) {
        Batch next = batch(shard, i * 50, 50);
        chain = chain.compose(done -> sink.write(next));
      }
      chains.add(chain);
    }
    await(Future.all(chains));
    for (int limit : new int[] {1_000, 37}) {
      List<StoredEvent> got = readAll(limit);
      assertThat(got).hasSize(7_000);
      for (int shard = 0; shard < 7; shard++) {
        assertThat(sequences(got, shard)).isEqualTo(range(0, 1000));
      }
    }
  }

  @Test
  void repeatedBatch_isThereOnce() throws Exception {
    await(sink.write(batch(0, 0, 100)));
    await(sink.write(batch(0, 0, 100)));
    await(sink.write(batch(0, 50, 100)));
    assertThat(sequences(readAll(1000), 0)).isEqualTo(range(0, 150));
  }

  @Test
  void cursor_goesOnWhereAPageEnded() throws Exception {
    await(sink.write(batch(0, 0, 100)));
    EventPage first = await(sink.read(new EventQuery(null, 60, null, EventQuery.Order.NONE)));
    assertThat(first.more()).isTrue();
    await(sink.write(batch(0, 100, 100)));
    List<StoredEvent> rest = readAll(first.cursor(), 1000);
    assertThat(sequences(rest, 0)).isEqualTo(range(60, 200));
    EventPage end =
        await(sink.read(new EventQuery(await(sink.endCursor()), 10, null, EventQuery.Order.NONE)));
    assertThat(end.events()).isEmpty();
    assertThat(end.more()).isFalse();
    await(sink.write(batch(1, 0, 5)));
    assertThat(readAll(end.cursor(), 10)).hasSize(5);
  }

  @Test
  void malformedCursor_isRefused() {
    for (String bad :
        new String[] {"", "x", "%%%", "AAAA", "MXF1aXRlO2E9MQ", "x".repeat(100_000)}) {
      assertThatThrownBy(
              () -> await(sink.read(new EventQuery(bad, 10, null, EventQuery.Order.NONE))))
          .as(bad)
          .cause()
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("cursor");
    }
  }

  @Test
  void order_byTimestampAcrossShards() throws Exception {
    await(Future.all(sink.write(batch(0, 0, 50)), sink.write(batch(1, 0, 50))));
    EventPage page = await(sink.read(new EventQuery(null, 1000, null, EventQuery.Order.TIMESTAMP)));
    List<Long> stamps = page.events().stream().map(e -> e.event().timestamp()).toList();
    assertThat(stamps).hasSize(100).isSorted();
  }

  @Test
  void filter_choosesEvents() throws Exception {
    await(sink.write(batch(0, 0, 1000)));
    EventFilter wanted = event -> event.sequence() % 100 == 7;
    EventPage page = await(sink.read(new EventQuery(null, 5, wanted, EventQuery.Order.NONE)));
    assertThat(sequences(page.events(), 0)).containsExactly(7L, 107L, 207L, 307L, 407L);
    EventPage rest =
        await(sink.read(new EventQuery(page.cursor(), 50, wanted, EventQuery.Order.NONE)));
    assertThat(sequences(rest.events(), 0)).containsExactly(507L, 607L, 707L, 807L, 907L);
  }

  @Test
  void filterThatThrowsAnything_failsTheReadWithItsCause() throws Exception {
    await(sink.write(batch(0, 0, 3)));
    for (Throwable thrown : List.of(new Exception("checked"), new StackOverflowError("deep"))) {
      EventFilter bad =
          event -> {
            throw sneaky(thrown);
          };
      assertThatThrownBy(
              () -> await(sink.read(new EventQuery(null, 10, bad, EventQuery.Order.NONE))))
          .rootCause()
          .isSameAs(thrown);
    }
    assertThat(readAll(null, 10)).hasSize(3);
  }

  @SuppressWarnings("unchecked")
  private static <T extends Throwable> RuntimeException sneaky(Throwable any) throws T {
    throw (T) any;
  }

  @Test
  void filter_readsOnlySoManyBytesForAPage() throws Exception {
    byte[] large = new byte[350_000];
    for (int i = 0; i < 100; i++) {
      ShardEvent event = new ShardEvent(0, i, i + 1, Buffer.buffer(large), null);
      await(sink.write(new Batch(0, i, List.of(event), new ProducerId("test", epoch))));
    }
    EventFilter last = event -> event.sequence() == 99;
    EventPage page = await(sink.read(new EventQuery(null, 10, last, EventQuery.Order.NONE)));
    assertThat(page.events()).isEmpty();
    assertThat(page.more()).isTrue();
    EventPage rest =
        await(sink.read(new EventQuery(page.cursor(), 10, last, EventQuery.Order.NONE)));
    assertThat(sequences(rest.events(), 0)).containsExactly(99L);
    assertThat(rest.more()).isFalse();
  }

  @Test
  void slowFilter_holdsUpNeitherWritesNorTheCaller() throws Exception {
    await(sink.write(batch(0, 0, 10)));
    CountDownLatch asked = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    EventFilter slow =
        event -> {
          asked.countDown();
          try {
            return go.await(30, TimeUnit.SECONDS);
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
        };
    Context loop = vertx.getOrCreateContext();
    Promise<EventPage> page = Promise.promise();
    loop.runOnContext(
        now -> sink.read(new EventQuery(null, 10, slow, EventQuery.Order.NONE)).onComplete(page));
    assertThat(asked.await(30, TimeUnit.SECONDS)).isTrue();
    Promise<Void> written = Promise.promise();
    loop.runOnContext(now -> sink.write(batch(0, 10, 10)).onComplete(written));
    await(written.future());
    go.countDown();
    assertThat(sequences(await(page.future()).events(), 0)).isEqualTo(range(0, 10));
  }

  @Test
  void listener_isToldOfNewEvents() throws Exception {
    AtomicInteger told = new AtomicInteger();
    Runnable end = sink.onAppend(told::incrementAndGet);
    await(sink.write(batch(0, 0, 1)));
    org.awaitility.Awaitility.await().until(() -> told.get() == 1);
    end.run();
    end.run();
    await(sink.write(batch(0, 1, 1)));
    assertThat(told).hasValue(1);
  }

  @Test
  void reopened_keepsEventsAndCursors() throws Exception {
    if (!durable()) {
      return;
    }
    await(sink.write(batch(0, 0, 100)));
    EventPage page = await(sink.read(new EventQuery(null, 40, null, EventQuery.Order.NONE)));
    reopen();
    await(sink.write(batch(0, 0, 10)));
    List<StoredEvent> rest = readAll(page.cursor(), 1000);
    assertThat(rest).hasSize(70);
    assertThat(rest.get(69).epoch()).isEqualTo(2);
    assertThat(sequences(rest, 0).subList(0, 60)).isEqualTo(range(40, 100));
    assertThat(sequences(rest, 0).subList(60, 70)).isEqualTo(range(0, 10));
  }

  @Test
  void close_completesWhatIsUnderWay() throws Exception {
    List<Future<Void>> writes = new ArrayList<>();
    for (int shard = 0; shard < 8; shard++) {
      writes.add(sink.write(batch(shard, 0, 500)));
    }
    await(sink.close());
    assertThat(writes).allSatisfy(write -> assertThat(write.isComplete()).isTrue());
    if (durable()) {
      long done = writes.stream().filter(Future::succeeded).count();
      reopen();
      assertThat(readAll(1000)).hasSize((int) done * 500);
    }
    await(sink.close());
  }

  /** A bus that writes through the given to the sink. */
  ShardBus busOver(Function<Batch, Future<Void>> writes) throws Exception {
    ShardBusOptions options =
        new ShardBusOptions()
            .setShards(BUS_SHARDS)
            .setBatch(new BatchOptions().setMinSize(50).setMaxSize(100))
            .setDelivery(
                new RetryOptions()
                    .setTimeout(Duration.ofMillis(500))
                    .setInitialBackoff(Duration.ofMillis(5)));
    return await(ShardBus.start(vertx, options, new FaultySink(sink.name(), writes)));
  }

  /** Returns how many of the events went to shard 0. */
  private static int ingest(ShardBus bus) {
    int first = 0;
    for (int i = 0; i < BUS_EVENTS; i++) {
      IngestResult result = bus.ingest(RawEvent.of("" + i));
      assertThat(result.accepted()).isTrue();
      first += result.shard() == 0 ? 1 : 0;
    }
    return first;
  }

  /** Every event but the given is there, in the order of its shard. */
  private void assertDelivered(ShardBus bus, Set<Integer> but) throws Exception {
    await(bus.flush());
    List<StoredEvent> got = readAll(10_000);
    List<StoredEvent> first = got.stream().distinct().toList();
    if (recognisesRepetitions()) {
      assertThat(got).hasSameSizeAs(first);
    }
    for (int shard = 0; shard < BUS_SHARDS; shard++) {
      assertThat(sequences(first, shard)).isSorted().doesNotHaveDuplicates();
    }
    Set<Integer> expected = IntStream.range(0, BUS_EVENTS).boxed().collect(Collectors.toSet());
    expected.removeAll(but);
    assertThat(first.stream().map(stored -> Integer.valueOf(text(stored))))
        .containsExactlyInAnyOrderElementsOf(expected);
    assertThat(bus.stats().total().delivered()).isEqualTo(expected.size());
    await(bus.close());
  }

  private static String text(StoredEvent stored) {
    return stored.event().payload().toString();
  }

  @Test
  void answersThatGetLost_loseAndDoubleNothing() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    AtomicInteger withheld = new AtomicInteger();
    ShardBus bus =
        busOver(
            batch -> {
              Future<Void> written = sink.write(batch);
              if (calls.incrementAndGet() % 5 != 0) {
                return written;
              }
              withheld.incrementAndGet();
              return Promise.<Void>promise().future();
            });
    ingest(bus);
    assertDelivered(bus, Set.of());
    assertThat(withheld).hasPositiveValue();
  }

  @Test
  void partialFailures_loseAndDoubleNothing() throws Exception {
    Instant before = Instant.now();
    ShardBus bus = busOver(new PartialTaker(sink::write)::take);
    ingest(bus);
    await(bus.flush());
    List<DeadLetter> letters =
        await(bus.deadLetters().list(0, 100)).stream().map(DeadLetters.Kept::letter).toList();
    Set<Integer> poison =
        letters.stream()
            .map(letter -> Integer.valueOf(letter.event().payload().toString()))
            .collect(Collectors.toSet());
    assertThat(letters)
        .hasSize(20)
        .allSatisfy(
            letter -> {
              assertThat(letter.event()).matches(PartialTaker::isPoison);
              assertThat(letter.cause()).isEqualTo("ends with 77");
              assertThat(letter.attempts()).isPositive();
              assertThat(Instant.EPOCH.plusNanos(letter.time())).isBetween(before, Instant.now());
            });
    assertDelivered(bus, poison);
    // With the letters, no sequence of a shard is missing.
    List<StoredEvent> stored = readAll(10_000);
    for (int shard = 0; shard < BUS_SHARDS; shard++) {
      int mine = shard;
      Set<Long> all = new TreeSet<>(sequences(stored, shard));
      letters.stream()
          .filter(letter -> letter.event().shard() == mine)
          .forEach(letter -> assertThat(all.add(letter.event().sequence())).isTrue());
      assertThat(List.copyOf(all)).isEqualTo(range(0, all.size()));
    }
  }

  @Test
  void slowWrites_holdUpNoOtherShard() throws Exception {
    Promise<Void> gate = Promise.promise();
    ShardBus bus =
        busOver(
            batch ->
                batch.shard() == 0
                    ? gate.future().compose(open -> sink.write(batch))
                    : sink.write(batch));
    int held = ingest(bus);
    assertThat(held).isBetween(1, BUS_EVENTS - 1);
    org.awaitility.Awaitility.await()
        .atMost(30, TimeUnit.SECONDS)
        .until(() -> bus.stats().total().delivered() == BUS_EVENTS - held);
    gate.complete();
    assertDelivered(bus, Set.of());
  }
}
