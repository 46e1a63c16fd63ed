package io.shardbus.sink;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.delivery.BatchOptions;
import io.shardbus.delivery.RetryOptions;
import io.shardbus.event.Batch;
import io.shardbus.event.IngestResult;
import io.shardbus.event.RawEvent;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** What every replayable sink must do. */
abstract class SinkContract extends ReadContract {

  private static final int BUS_SHARDS = 3;
  private static final int BUS_EVENTS = 2_000;

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
    EventPage page = await(sink.read(EventQuery.of(null, 40)));
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
