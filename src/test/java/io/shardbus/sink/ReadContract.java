package io.shardbus.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.event.Batch;
import io.shardbus.event.Headers;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.shardbus.testing.Attributes;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

/** What can be read from every replayable sink, and how. */
abstract class ReadContract extends SinkFixture {

  /** More than a page looks at. */
  static final int MANY = 101_000;

  /** Whether events are there after the sink was closed and opened again. */
  abstract boolean durable();

  /** Whether an event that is written again is there once. Else it is there again, as it was. */
  boolean recognisesRepetitions() {
    return true;
  }

  @Test
  void write_isReadBackAsItWas() throws Exception {
    Batch batch = batch(3, 0, 10);
    await(sink.write(batch));
    List<StoredEvent> got = readAll(100);
    assertThat(got.stream().map(StoredEvent::event).toList()).isEqualTo(batch.events());
    assertThat(got).allSatisfy(stored -> assertThat(stored.producer()).isEqualTo(batch.producer()));
  }

  @Test
  void attributes_areReadBackAsTheyWere() throws Exception {
    List<ShardEvent> events = Attributes.events(2, now());
    assertThat(events.get(0).headers().size()).isEqualTo(Headers.MAX_COUNT);
    assertThat(events.get(0).headers().bytes()).isEqualTo(Headers.MAX_BYTES);
    await(sink.write(new Batch(2, 0, events, new ProducerId("test", epoch))));
    assertThat(readAll(10).stream().map(StoredEvent::event).toList()).isEqualTo(events);
  }

  @Test
  void timeKeyAndShard_chooseEvents() throws Exception {
    long from = now();
    for (int shard = 0; shard < 3; shard++) {
      await(sink.write(timed(shard, 0, 60, from)));
    }
    for (int limit : new int[] {7, 1_000}) {
      EventQuery all = EventQuery.of(null, limit);
      EventQuery some = all.withSince(from + 20 * MILLI).withUntil(from + 40 * MILLI);
      List<StoredEvent> between = walk(some);
      assertThat(between).hasSize(60);
      for (int shard = 0; shard < 3; shard++) {
        assertThat(sequences(between, shard)).isEqualTo(range(20, 40));
      }
      assertThat(walk(all.withSince(from + 59 * MILLI))).hasSize(3);
      assertThat(walk(all.withUntil(from + MILLI))).hasSize(3);
      assertThat(walk(all.withUntil(from))).isEmpty();
      List<StoredEvent> ofShard = walk(all.withShard(1));
      assertThat(ofShard).hasSize(60);
      assertThat(sequences(ofShard, 1)).isEqualTo(range(0, 60));
      assertThat(walk(all.withShard(99))).isEmpty();
      assertThat(walk(all.withKey("k3"))).hasSize(18);
      assertThat(walk(all.withKey("k"))).isEmpty();
      List<StoredEvent> one = walk(some.withKey("k3").withShard(2));
      assertThat(sequences(one, 2)).containsExactly(23L, 33L);
      assertThat(one).hasSize(2);
      assertThat(walk(some.withFilter(event -> event.sequence() == 25))).hasSize(3);
    }
  }

  @Test
  void cursorOfAnEmptyPage_findsWhatComesLater() throws Exception {
    long from = now();
    await(sink.write(timed(0, 0, 10, from)));
    EventQuery later = EventQuery.of(null, 5).withSince(from + 30 * MILLI);
    EventPage page = await(sink.read(later));
    assertThat(page.events()).isEmpty();
    assertThat(page.more()).isFalse();
    await(sink.write(timed(0, 10, 30, from)));
    assertThat(sequences(walk(later.withCursor(page.cursor())), 0)).isEqualTo(range(30, 40));
  }

  /** Whether the sink begins a read at a time, in place of looking at all events before it. */
  boolean seeksTimes() {
    return true;
  }

  @Test
  void since_readsNotWhatIsOlder() throws Exception {
    long from = now() - MANY * MILLI;
    for (int i = 0; i < MANY; i += 1_000) {
      await(sink.write(timed(0, i, 1_000, from)));
    }
    EventPage page =
        await(sink.read(EventQuery.of(null, 1).withSince(now() + 120 * 1_000 * MILLI)));
    assertThat(page.events()).isEmpty();
    assertThat(page.more()).isNotEqualTo(seeksTimes()); // else there was more than a page looks at
  }

  /** Of events that were stored at their time. */
  void assertUntilEndsEarly() throws Exception {
    long day = EventQuery.LATEST.toNanos();
    long from = now() - 3 * day;
    await(sink.write(timed(0, 0, 50, from)));
    for (int i = 0; i < MANY; i += 1_000) {
      await(sink.write(timed(0, 50 + i, 1_000, from + day)));
    }
    EventPage page = await(sink.read(EventQuery.of(null, 100).withUntil(from + 40 * MILLI)));
    assertThat(sequences(page.events(), 0)).isEqualTo(range(0, 40));
    assertThat(page.more()).isFalse();
    page = await(sink.read(EventQuery.of(page.cursor(), 100)));
    assertThat(sequences(page.events(), 0)).startsWith(50L).hasSize(100);
  }

  @Test
  void answers_comeOnTheContextOfTheCaller() throws Exception {
    await(sink.write(batch(0, 0, 10)));
    Context context = vertx.getOrCreateContext();
    Promise<List<Context>> answered = Promise.promise();
    EventQuery all = EventQuery.of(null, 100);
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
  void cursor_goesOnWhereAPageEnded() throws Exception {
    await(sink.write(batch(0, 0, 100)));
    EventPage first = await(sink.read(EventQuery.of(null, 60)));
    assertThat(first.more()).isTrue();
    await(sink.write(batch(0, 100, 100)));
    List<StoredEvent> rest = readAll(first.cursor(), 1000);
    assertThat(sequences(rest, 0)).isEqualTo(range(60, 200));
    EventPage end = await(sink.read(EventQuery.of(await(sink.endCursor()), 10)));
    assertThat(end.events()).isEmpty();
    assertThat(end.more()).isFalse();
    await(sink.write(batch(1, 0, 5)));
    assertThat(readAll(end.cursor(), 10)).hasSize(5);
  }

  @Test
  void malformedCursor_isRefused() {
    for (String bad :
        new String[] {"", "x", "%%%", "AAAA", "MXF1aXRlO2E9MQ", "x".repeat(100_000)}) {
      assertThatThrownBy(() -> await(sink.read(EventQuery.of(bad, 10))))
          .as(bad)
          .cause()
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("cursor");
    }
  }

  @Test
  void order_byTimestampAcrossShards() throws Exception {
    await(Future.all(sink.write(batch(0, 0, 50)), sink.write(batch(1, 0, 50))));
    EventPage page =
        await(sink.read(EventQuery.of(null, 1000).withOrder(EventQuery.Order.TIMESTAMP)));
    List<Long> stamps = page.events().stream().map(e -> e.event().timestamp()).toList();
    assertThat(stamps).hasSize(100).isSorted();
  }

  @Test
  void filter_choosesEvents() throws Exception {
    await(sink.write(batch(0, 0, 1000)));
    EventFilter wanted = event -> event.sequence() % 100 == 7;
    EventPage page = await(sink.read(EventQuery.of(null, 5).withFilter(wanted)));
    assertThat(sequences(page.events(), 0)).containsExactly(7L, 107L, 207L, 307L, 407L);
    EventPage rest = await(sink.read(EventQuery.of(page.cursor(), 50).withFilter(wanted)));
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
      assertThatThrownBy(() -> await(sink.read(EventQuery.of(null, 10).withFilter(bad))))
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
    EventPage page = await(sink.read(EventQuery.of(null, 10).withFilter(last)));
    assertThat(page.events()).isEmpty();
    assertThat(page.more()).isTrue();
    EventPage rest = await(sink.read(EventQuery.of(page.cursor(), 10).withFilter(last)));
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
    loop.runOnContext(now -> sink.read(EventQuery.of(null, 10).withFilter(slow)).onComplete(page));
    assertThat(asked.await(30, TimeUnit.SECONDS)).isTrue();
    Promise<Void> written = Promise.promise();
    loop.runOnContext(now -> sink.write(batch(0, 10, 10)).onComplete(written));
    await(written.future());
    go.countDown();
    assertThat(sequences(await(page.future()).events(), 0)).isEqualTo(range(0, 10));
  }
}
