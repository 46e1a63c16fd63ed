package io.shardbus.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.Headers;
import io.shardbus.event.IngestResult;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.vertx.core.buffer.Buffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Tag("hot")
class IdWindowTest {

  private static final Duration WINDOW = Duration.ofSeconds(10);
  private static final long MANY = 1 << 20;

  private final AtomicLong nanos = new AtomicLong(42);
  private final ShardManager manager = new ShardManager(2, 1024, BackpressureMode.FAIL_PRODUCER);
  private IdWindow window = remember(MANY);

  private IdWindow remember(long maxBytes) {
    IdWindow fresh = new IdWindow(WINDOW, maxBytes, nanos::get);
    manager.rememberIds(fresh);
    return fresh;
  }

  private static RawEvent event(String id) {
    return RawEvent.builder(Buffer.buffer("some bytes")).id(id).build();
  }

  private static final class Fate implements DeliveryAck {

    final AtomicInteger delivered = new AtomicInteger();
    final List<Outcome> failures = new ArrayList<>();

    @Override
    public void delivered(int events) {
      delivered.addAndGet(events);
    }

    @Override
    public void failed(Outcome why, int events) {
      failures.add(why);
    }
  }

  private void deliverAll() {
    for (Shard shard : manager.shards()) {
      shard.popBatch(10_000);
    }
  }

  @Test
  void repeat_isAnsweredAsTheFirst() {
    IngestResult first = manager.ingestRaw(event("a"));
    IngestResult pending = manager.ingestRaw(event("a"));
    deliverAll();
    IngestResult delivered = manager.ingestRaw(event("a"));
    assertThat(first.outcome()).isEqualTo(Outcome.ACCEPTED);
    assertThat(pending)
        .isEqualTo(new IngestResult(Outcome.DUPLICATE, first.shard(), first.timestamp()));
    assertThat(delivered).isEqualTo(pending);
    assertThat(delivered.accepted()).isTrue();
    assertThat(manager.accounting().accepted()).isEqualTo(1);
    assertThat(window.duplicates()).isEqualTo(2);
  }

  @Test
  void repeatWithOtherBytes_isARepeat() {
    manager.ingestRaw(event("a"));
    RawEvent other = RawEvent.builder(Buffer.buffer("others")).key("k").id("a").build();
    assertThat(manager.ingestRaw(other).outcome()).isEqualTo(Outcome.DUPLICATE);
  }

  @Test
  void repeat_waitsForTheDeliveryOfTheFirst() {
    Fate first = new Fate();
    Fate repeat = new Fate();
    manager.ingestRaw(event("a"), first);
    manager.ingestRaw(event("a"), repeat);
    assertThat(repeat.delivered).hasValue(0);
    deliverAll();
    assertThat(first.delivered).hasValue(1);
    assertThat(repeat.delivered).hasValue(1);
    Fate late = new Fate();
    manager.ingestRaw(event("a"), late);
    assertThat(late.delivered).hasValue(1);
  }

  @Test
  void idIsFree_onceItsEventWasRefused() {
    int i = 0;
    while (manager.ingestRaw(RawEvent.of("filler " + i)).accepted()) {
      i++; // until the ring of some event is full
    }
    List<String> refused = new ArrayList<>();
    for (int n = 0; n < 5_000; n++) {
      if (!manager.ingestRaw(event("id " + n)).accepted()) {
        refused.add("id " + n);
      }
    }
    assertThat(refused).isNotEmpty();
    deliverAll();
    for (String id : refused.subList(0, 100)) {
      assertThat(manager.ingestRaw(event(id)).outcome()).isEqualTo(Outcome.ACCEPTED);
    }
  }

  @Test
  void idIsFree_onceItsEventWasEvicted() {
    ShardManager evicting = new ShardManager(1, 1024, BackpressureMode.DROP_OLDEST);
    evicting.rememberIds(window);
    Fate first = new Fate();
    Fate repeat = new Fate();
    evicting.ingestRaw(event("a"), first);
    evicting.ingestRaw(event("a"), repeat);
    for (int i = 0; i < 2_000; i++) {
      evicting.ingestRaw(RawEvent.of("filler " + i));
    }
    assertThat(first.failures).containsExactly(Outcome.EVICTED);
    assertThat(repeat.failures).containsExactly(Outcome.EVICTED);
    assertThat(evicting.ingestRaw(event("a")).outcome()).isEqualTo(Outcome.ACCEPTED);
  }

  @Test
  void idIsFree_onceItsWindowIsOver() {
    manager.ingestRaw(event("a"));
    deliverAll();
    nanos.addAndGet(WINDOW.toNanos() - 1_000_000_000);
    assertThat(manager.ingestRaw(event("a")).outcome()).isEqualTo(Outcome.DUPLICATE);
    nanos.addAndGet(1_000_000_000);
    assertThat(manager.ingestRaw(event("a")).outcome()).isEqualTo(Outcome.ACCEPTED);
    assertThat(window.forgotten()).isZero();
  }

  @Test
  void noRoom_forgetsTheOldestAndCountsThem() {
    window = remember(56 * 16 * 100); // a hundred in each stripe
    int taken = 0;
    for (int i = 0; i < 10_000; i++) {
      if (i % 500 == 0) {
        deliverAll();
      }
      taken += manager.ingestRaw(event("id " + i)).outcome() == Outcome.ACCEPTED ? 1 : 0;
    }
    assertThat(taken).isEqualTo(10_000);
    assertThat(window.size()).isEqualTo(1_600);
    assertThat(window.forgotten()).isEqualTo(10_000 - 1_600);
    deliverAll();
    assertThat(manager.ingestRaw(event("id 9999")).outcome()).isEqualTo(Outcome.DUPLICATE);
    assertThat(manager.ingestRaw(event("id 0")).outcome()).isEqualTo(Outcome.ACCEPTED);
  }

  /** Clients try again while a sink is down: that must not drive out the ids of other events. */
  @Test
  void refusedEvents_takeNoRoom() {
    window = remember(56 * 16 * 100); // a hundred in each stripe
    for (int i = 0; i < 400; i++) {
      manager.ingestRaw(event("id " + i));
    }
    deliverAll();
    for (Shard shard : manager.shards()) {
      while (!shard.isFull()) {
        manager.ingestRaw(RawEvent.of("filler " + manager.accounting().offered()));
      }
    }
    for (int i = 0; i < 100_000; i++) {
      assertThat(manager.ingestRaw(event("new " + i % 40)).accepted()).isFalse();
    }
    assertThat(window.forgotten()).isZero();
    for (int i = 0; i < 400; i++) {
      assertThat(manager.ingestRaw(event("id " + i)).outcome()).isEqualTo(Outcome.DUPLICATE);
    }
  }

  @Test
  void batch_takesTheFirstOfItsRepeats() {
    List<RawEvent> batch = List.of(event("a"), RawEvent.of("no id"), event("a"), event("b"));
    var result = manager.ingestRawBatch(batch);
    assertThat(result.accepted()).isEqualTo(4);
    assertThat(result.duplicates()).isEqualTo(1);
    assertThat(manager.accounting().accepted()).isEqualTo(3);
  }

  @Test
  void whileIdsAreRecalled_onlyEventsWithoutIdAreTaken() {
    window.recalling(true);
    assertThat(manager.ingestRaw(event("a")).outcome()).isEqualTo(Outcome.BACKPRESSURE);
    assertThat(manager.ingestRaw(RawEvent.of("no id")).outcome()).isEqualTo(Outcome.ACCEPTED);
    window.recall(
        new ShardEvent(3, 0, 77, Buffer.buffer("x"), null, "a", Headers.none()),
        Duration.ofSeconds(4));
    window.recall(
        new ShardEvent(3, 1, 78, Buffer.buffer("x"), null, "b", Headers.none()),
        Duration.ofSeconds(10));
    window.recalling(false);
    assertThat(manager.ingestRaw(event("a"))).isEqualTo(new IngestResult(Outcome.DUPLICATE, 3, 77));
    assertThat(manager.ingestRaw(event("b")).outcome()).isEqualTo(Outcome.ACCEPTED);
    nanos.addAndGet(6_000_000_000L);
    assertThat(manager.ingestRaw(event("a")).outcome()).isEqualTo(Outcome.ACCEPTED);
  }

  @Test
  void withoutAWindow_idsMeanNothing() {
    ShardManager plain = new ShardManager(1, 1024, BackpressureMode.FAIL_PRODUCER);
    assertThat(plain.ingestRaw(event("a")).outcome()).isEqualTo(Outcome.ACCEPTED);
    assertThat(plain.ingestRaw(event("a")).outcome()).isEqualTo(Outcome.ACCEPTED);
    assertThat(plain.shards().get(0).popBatch(10)).allMatch(e -> "a".equals(e.id()));
  }

  /** Claims, settlements, refusals and time against a map. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void agreesWithAMap(long seed) {
    Random random = new Random(seed);
    Map<String, Long> model = new HashMap<>(); // until when
    Map<String, IdClaim> open = new HashMap<>();
    for (int i = 0; i < 50_000; i++) {
      String id = "id " + random.nextInt(3_000);
      long second = nanos.get() / 1_000_000_000;
      model.values().removeIf(end -> end <= second);
      switch (random.nextInt(20)) {
        case 0 -> nanos.addAndGet(random.nextInt(2) * 1_000_000_000L);
        case 1, 2, 3 -> {
          IdClaim claim = open.remove(id);
          if (claim != null) {
            claim.failed(Outcome.DEAD_LETTERED, 1);
            model.remove(id);
          }
        }
        case 4, 5, 6, 7 -> {
          IdClaim claim = open.remove(id);
          if (claim != null) {
            claim.delivered(1);
          }
        }
        default -> {
          IdClaim claim = window.claim(id, null);
          boolean free = window.enter(claim) == null;
          assertThat(free)
              .as("seed %d, step %d, %s", seed, i, id)
              .isEqualTo(!model.containsKey(id));
          if (free) {
            claim.accepted(0, i);
            model.put(id, second + WINDOW.toSeconds());
            open.put(id, claim);
          }
        }
      }
      open.keySet().retainAll(model.keySet());
    }
    assertThat(window.forgotten()).isZero();
  }

  /** Several clients retry the same ids at once: each id is in the rings once. */
  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
  void repeatsAtTheSameTime_areTakenOnce(long seed) throws Exception {
    int ids = 2_000;
    int clients = 3;
    AtomicInteger accepted = new AtomicInteger();
    Fate[] fates = new Fate[clients];
    CountDownLatch begin = new CountDownLatch(1);
    List<Thread> threads = new ArrayList<>();
    for (int c = 0; c < clients; c++) {
      Fate fate = new Fate();
      fates[c] = fate;
      Random random = new Random(seed * 31 + c);
      Thread thread =
          new Thread(
              () -> {
                try {
                  begin.await();
                } catch (InterruptedException e) {
                  return;
                }
                for (int i = 0; i < ids; i++) {
                  String id = "id " + (i + random.nextInt(2)) % ids;
                  IngestResult result = manager.ingestRaw(event(id), fate);
                  while (!result.accepted()) { // a full ring, or the other is at it just now
                    Thread.onSpinWait();
                    result = manager.ingestRaw(event(id), fate);
                  }
                  accepted.addAndGet(result.outcome() == Outcome.ACCEPTED ? 1 : 0);
                }
              });
      threads.add(thread);
      thread.start();
    }
    Map<String, Integer> seen = new HashMap<>();
    begin.countDown();
    boolean more = true;
    while (more) {
      more = threads.stream().anyMatch(Thread::isAlive) || !manager.allShardsEmpty();
      for (Shard shard : manager.shards()) {
        shard.popBatch(100).forEach(e -> seen.merge(e.id(), 1, Integer::sum));
      }
    }
    assertThat(seen.values()).as("seed %d", seed).allMatch(times -> times == 1);
    assertThat(accepted).hasValue(seen.size());
    for (Fate fate : fates) {
      assertThat(fate.delivered).as("seed %d", seed).hasValue(ids);
      assertThat(fate.failures).isEmpty();
    }
  }
}
