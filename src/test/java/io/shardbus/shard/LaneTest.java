package io.shardbus.shard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.shardbus.shard.ScalingException.Reason;
import io.vertx.core.buffer.Buffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Keys that move from shard to shard, step by step, on one thread: which lane gives its events
 * when. A key is a number, and so is an event: they are pushed in ascending order.
 */
@Tag("hot")
class LaneTest {

  private static final int KEYS = 400;

  private final Map<Integer, Integer> last = new HashMap<>();
  private long now = 1_000_000_000;
  private ShardManager manager = manager(1);

  private ShardManager manager(int shards) {
    return new ShardManager(
        shards,
        1024,
        BackpressureMode.FAIL_PRODUCER,
        ScalingPolicy.defaults(8).setCooldown(Duration.ZERO),
        ShardLimits.DEFAULT,
        () -> now);
  }

  // ---------------------------------------------------------------- steps

  private static RawEvent event(int key, int number) {
    return RawEvent.of(Buffer.buffer(8).appendInt(key).appendInt(number), "key " + key);
  }

  private int owner(int key) {
    return manager.selectShard(event(key, 0));
  }

  private Shard shard(int id) {
    return manager.shard(id).orElseThrow();
  }

  private void push(int key, int number) {
    assertThat(manager.ingestRaw(event(key, number)).accepted()).isTrue();
  }

  /** An event of each key. */
  private void pushAll(int number) {
    IntStream.range(0, KEYS).forEach(key -> push(key, number));
  }

  /** A shard more, which gets some of the keys of each of the others. */
  private int grow() {
    now += 2_000_000_000; // each may be turned over again
    int id = manager.addShardForce();
    manager.activateShard(id);
    return id;
  }

  /** A key of this owner. */
  private int keyOf(int shard) {
    return IntStream.range(0, KEYS).filter(key -> owner(key) == shard).findFirst().orElseThrow();
  }

  /** Takes what a shard gives. Returns the numbers that it gave of a key. */
  private List<Integer> take(int id, int key) {
    return note(shard(id).popBatch(4096), key);
  }

  private int takeAll(int id) {
    List<ShardEvent> events = shard(id).popBatch(4096);
    note(events, -1);
    return events.size();
  }

  private List<Integer> note(List<ShardEvent> events, int wanted) {
    List<Integer> numbers = new ArrayList<>();
    for (ShardEvent event : events) {
      int key = event.payload().getInt(0);
      int number = event.payload().getInt(4);
      assertThat(number).as("key %d", key).isGreaterThan(last.getOrDefault(key, -1));
      last.put(key, number);
      if (key == wanted) {
        numbers.add(number);
      }
    }
    return numbers;
  }

  /** What the consumer of a shard that hangs has taken and not settled. */
  private DrainBuffer hold(int id) {
    DrainBuffer held = new DrainBuffer(id, 1024);
    assertThat(shard(id).tryDrain(held, 4096, Long.MAX_VALUE)).isPositive();
    return held;
  }

  private void settle(int id, DrainBuffer held) {
    note(held.events(), -1);
    shard(id).settle(held.size(), 0);
    shard(id).settledBelow(Long.MAX_VALUE);
  }

  private void assertAllWasHad(int number) {
    assertThat(manager.allShardsEmpty()).isTrue();
    assertThat(last).hasSize(KEYS);
    assertThat(last.values()).allMatch(had -> had == number);
    assertThat(manager.accounting().pending()).isZero();
    assertThat(manager.accounting().delivered()).isEqualTo((number + 1L) * KEYS);
  }

  // ---------------------------------------------------------------- fences

  @Test
  void keysThatMove_waitForTheirOldLane() {
    pushAll(0);
    int receiver = grow();
    int moved = keyOf(receiver);
    int stayed = keyOf(0);
    pushAll(1);
    assertThat(shard(receiver).fencedEvents()).isPositive();
    assertThat(take(receiver, moved)).isEmpty();
    assertThat(take(0, stayed)).containsExactly(0, 1);
    assertThat(last).containsEntry(moved, 0);
    assertThat(take(receiver, moved)).containsExactly(1);
    assertThat(shard(receiver).fencedEvents()).isZero();
    assertThat(shard(receiver).fencedNanos()).isZero();
    assertAllWasHad(1);
  }

  @Test
  void eventsWithoutAKey_doNotWait() {
    pushAll(0);
    DrainBuffer held = hold(0);
    int receiver = grow();
    pushAll(1);
    long hash =
        new Random(1)
            .longs()
            .filter(h -> manager.selectShardByHash(h) == receiver)
            .findFirst()
            .orElseThrow();
    manager.ingestRaw(RawEvent.ofHash(Buffer.buffer("{}"), hash));
    assertThat(shard(receiver).popBatch(4096))
        .singleElement()
        .matches(event -> event.key() == null);
    settle(0, held);
  }

  /** Of slots of which nothing is known yet. */
  @Test
  void newcomer_getsItsShareOfKeysAndOfTheRest() {
    push(0, 0);
    int newcomer = grow();
    long keys = IntStream.range(0, KEYS).filter(key -> owner(key) == newcomer).count();
    long hashes =
        new Random(1)
            .longs(KEYS)
            .filter(hash -> manager.selectShardByHash(hash) == newcomer)
            .count();
    assertThat(keys).isBetween(KEYS * 4L / 10, KEYS * 6L / 10);
    assertThat(hashes).isBetween(KEYS * 4L / 10, KEYS * 6L / 10);
  }

  @Test
  void untilThereAreKeys_nothingIsTurnedOver() {
    for (long hash = 0; hash < 100; hash++) {
      manager.ingestRaw(RawEvent.ofHash(Buffer.buffer("{}"), hash << 57));
    }
    int receiver = grow();
    assertThat(shard(0).turnOvers()).isZero();
    assertThat(shard(0).laneCount()).isEqualTo(1);
    assertThat(shard(receiver).laneCount()).isEqualTo(1);
  }

  /** Taken is not settled. */
  @Test
  void heldEvents_keepTheFenceClosedAndTheirEndWakesTheReceiver() {
    pushAll(0);
    DrainBuffer held = hold(0);
    int receiver = grow();
    int moved = keyOf(receiver);
    push(moved, 1);
    AtomicInteger woken = new AtomicInteger();
    shard(receiver).attachConsumer(woken::incrementAndGet);
    assertThat(take(receiver, moved)).isEmpty();
    assertThat(shard(receiver).trySleep(1)).isTrue();
    woken.set(0);
    shard(0).settledBelow(held.firstSequence() + held.size() - 1); // but for the last
    assertThat(take(receiver, moved)).isEmpty();
    assertThat(woken).hasValue(0);
    settle(0, held);
    assertThat(woken.get()).isPositive();
    assertThat(take(receiver, moved)).containsExactly(1);
  }

  @Test
  void pushBehindAFence_wakesNobody() {
    pushAll(0);
    int receiver = grow();
    AtomicInteger woken = new AtomicInteger();
    shard(receiver).attachConsumer(woken::incrementAndGet);
    assertThat(takeAll(receiver)).isZero();
    assertThat(shard(receiver).trySleep(1)).isTrue();
    woken.set(0);
    push(keyOf(receiver), 1);
    assertThat(woken).hasValue(0);
  }

  // ---------------------------------------------------------------- the giver

  @Test
  void successor_isDrainedOnceItsPredecessorIsEmpty() {
    pushAll(0);
    grow();
    pushAll(1);
    for (int i = 0; i < 2 * KEYS; i++) {
      note(shard(0).popBatch(1), -1); // lanes take turns
    }
    takeAll(1);
    assertAllWasHad(1);
  }

  /** A producer that still holds the old table may push into the old lane until that is sealed. */
  @Test
  void successor_isNotDrainedBeforeItsPredecessorIsSealed() {
    pushAll(0);
    int stays = keyThatStays();
    Lane old = shard(0).main();
    manager.withShard(
        0,
        shard -> {
          // The seal is left to whoever has the consumer side.
          CompletableFuture.runAsync(this::grow).join();
          assertThat(takeAll(0)).isEqualTo(KEYS);
          push(stays, 2);
          assertThat(takeAll(0)).isZero();
          assertThat(old.offer(queued(stays, 1), true)).isEqualTo(Push.ACCEPTED);
          return null;
        });
    assertThat(take(0, stays)).containsExactly(1, 2);
  }

  /** As above, for the fence. */
  @Test
  void fence_isClosedUntilTheOldLaneIsSealed() {
    pushAll(0);
    Lane old = shard(0).main();
    AtomicInteger moved = new AtomicInteger();
    manager.withShard(
        0,
        shard -> {
          int receiver = CompletableFuture.supplyAsync(this::grow).join();
          moved.set(keyOf(receiver));
          assertThat(takeAll(0)).isEqualTo(KEYS);
          push(moved.get(), 2);
          assertThat(takeAll(receiver)).isZero();
          assertThat(old.offer(queued(moved.get(), 1), true)).isEqualTo(Push.ACCEPTED);
          return null;
        });
    assertThat(take(0, moved.get())).containsExactly(1);
    assertThat(take(1, moved.get())).containsExactly(2);
  }

  private static QueuedEvent queued(int key, int number) {
    RawEvent event = event(key, number);
    return QueuedEvent.of(event.buffer(), event.key(), 1, null);
  }

  /** Which key that is, is known from an engine like this one. */
  private int keyThatStays() {
    LaneTest like = new LaneTest();
    like.pushAll(0);
    like.grow();
    return like.keyOf(0);
  }

  @Test
  void sealedLane_sendsItsProducersBack() {
    pushAll(0);
    Lane old = shard(0).main();
    int receiver = grow();
    QueuedEvent late = queued(keyOf(receiver), 1);
    assertThat(old.offer(late, true)).isEqualTo(Push.SEALED);
    assertThat(old.offerMany(new QueuedEvent[] {late}, 1)).isZero();
    assertThat(shard(0).size()).isEqualTo(KEYS);
    assertThat(manager.accounting().accepted()).isEqualTo(KEYS);
  }

  /** A producer may hold a table for as long as it likes. */
  @Test
  void oldTable_neverReachesANewRing() {
    ShardSet set = new ShardSet(1024, BackpressureMode.FAIL_PRODUCER, 1 << 20, () -> now);
    SlotTable slots = new SlotTable(set, 4, () -> now);
    List<Shard> shards = set.create(2);
    shards.get(0).state(ShardState.ACTIVE);
    slots.divide(shards.subList(0, 1));
    set.seeKeys();
    RoutingTable old = set.routing();
    slots.welcome(shards.subList(1, 2));
    assertThat(shards.get(0).turnOvers()).isEqualTo(1);
    Set<Lane> reached = new HashSet<>();
    for (int slot = 0; slot < old.slotCount(); slot++) {
      reached.add(old.select((long) slot << 62, slot >= 4));
    }
    assertThat(reached)
        .singleElement()
        .matches(lane -> lane.offer(queued(0, 0), true) == Push.SEALED);
  }

  @Test
  void accepted_neverGoesBackWhenALaneIsGone() {
    for (int round = 0; round < 10; round++) {
      pushAll(2 * round);
      long before = manager.accounting().accepted();
      int newcomer = grow();
      assertThat(manager.accounting().accepted()).isEqualTo(before);
      pushAll(2 * round + 1);
      for (int i = 0; i < 3; i++) {
        for (Shard shard : manager.shards()) {
          takeAll(shard.id());
          assertThat(manager.accounting().accepted()).isEqualTo(before + KEYS);
        }
      }
      assertThat(shard(0).laneCount()).isEqualTo(1);
      manager.drainShard(newcomer);
      manager.shards().forEach(shard -> takeAll(shard.id()));
      manager.removeShard(newcomer);
      assertThat(manager.accounting().accepted()).isEqualTo(before + KEYS);
    }
    assertAllWasHad(19);
  }

  // ---------------------------------------------------------------- several moves

  @Test
  void hungGiver_holdsUpOnlyItsOwnKeys() {
    manager = manager(2);
    pushAll(0);
    int[] before = IntStream.range(0, KEYS).map(this::owner).toArray();
    DrainBuffer held = hold(0);
    int receiver = grow();
    pushAll(1);
    takeAll(1);
    takeAll(receiver);
    for (int key = 0; key < KEYS; key++) {
      if (before[key] == 1) {
        assertThat(last).as("key %d", key).containsEntry(key, 1);
      } else {
        assertThat(last).doesNotContainKey(key);
      }
    }
    settle(0, held);
    takeAll(0);
    takeAll(receiver);
    assertAllWasHad(1);
  }

  /** What waits at a fence does not wait in one lane with what does not. */
  @Test
  void keysThatMoveOnWhileFenced_holdUpNoOthers() {
    manager = manager(2);
    pushAll(0);
    int[] before = IntStream.range(0, KEYS).map(this::owner).toArray();
    DrainBuffer held = hold(0);
    int middle = grow();
    int[] moved = IntStream.range(0, KEYS).map(this::owner).toArray();
    takeAll(1);
    takeAll(middle);
    pushAll(1);
    manager.drainShard(middle);
    pushAll(2);
    for (int i = 0; i < 3; i++) {
      takeAll(1);
      takeAll(middle);
    }
    int there = 0;
    for (int key = 0; key < KEYS; key++) {
      if (before[key] == 1 && owner(key) == 1) {
        there += moved[key] == middle ? 1 : 0;
        assertThat(last).as("key %d", key).containsEntry(key, 2);
      }
    }
    assertThat(there).as("keys that left and came back").isPositive();
    settle(0, held);
    takeRound(0, 1, middle);
    takeRound(0, 1, middle);
    takeRound(0, 1, middle);
    assertAllWasHad(2);
  }

  private void takeRound(int... ids) {
    for (int id : ids) {
      takeAll(id);
    }
  }

  @Test
  void thereAndBack_keepsTheOrder() {
    pushAll(0);
    int middle = grow();
    pushAll(1);
    manager.drainShard(middle);
    pushAll(2);
    assertThat(IntStream.range(0, KEYS).allMatch(key -> owner(key) == 0)).isTrue();
    takeRound(middle, 0, middle, 0, middle, 0);
    assertAllWasHad(2);
    assertThat(shard(0).laneCount()).isLessThanOrEqualTo(SlotTable.MOST_LANES);
  }

  /** It never had an event, and whoever takes events does nothing but that. */
  @Test
  void emptyLaneThatWasFenced_opensTheFencesBehindIt() {
    pushAll(0);
    int middle = grow();
    manager.drainShard(middle);
    pushAll(1);
    takeRound(0, middle, 0);
    assertAllWasHad(1);
    assertThat(shard(middle).laneCount()).isZero();
  }

  @Test
  void onAndOn_keepsTheOrder() {
    pushAll(0);
    int[] first = IntStream.range(0, KEYS).map(this::owner).toArray();
    int middle = grow();
    int[] second = IntStream.range(0, KEYS).map(this::owner).toArray();
    pushAll(1);
    int end = grow();
    manager.drainShard(middle);
    pushAll(2);
    assertThat(
            IntStream.range(0, KEYS)
                .filter(k -> first[k] == 0 && second[k] == middle && owner(k) == end)
                .count())
        .as("keys that went all the way")
        .isPositive();
    for (int i = 0; i < 4; i++) {
      takeRound(end, middle, 0);
    }
    assertAllWasHad(2);
  }

  // ---------------------------------------------------------------- the ends

  @Test
  void receiverThatIsFenced_cannotBeRemovedYet() {
    pushAll(0);
    int receiver = grow();
    pushAll(1);
    manager.drainShard(receiver);
    assertThatThrownBy(() -> manager.removeShard(receiver))
        .isInstanceOfSatisfying(
            ScalingException.class, e -> assertThat(e.reason()).isEqualTo(Reason.ILLEGAL_STATE));
    assertThat(manager.shard(receiver)).isPresent();
    takeAll(0);
    takeAll(receiver); // opens the fence
    note(manager.removeShard(receiver), -1);
    takeAll(0);
    assertAllWasHad(1);
  }

  /** Its consumer still has something: the keys wait until that is settled. */
  @Test
  void giverThatIsUnmapped_opensTheFencesOnceItsEventsAreSettled() {
    pushAll(0);
    int receiver = grow();
    DrainBuffer held = hold(0);
    Shard giver = shard(0);
    manager.drainShard(0);
    pushAll(1);
    note(manager.removeShard(0), -1);
    assertThat(takeAll(receiver)).isZero();
    note(held.events(), -1);
    giver.settle(held.size(), 0);
    giver.settledBelow(Long.MAX_VALUE);
    takeAll(receiver);
    assertAllWasHad(1);
  }

  @Test
  void giverThatIsAbandoned_opensItsFences() {
    pushAll(0);
    int receiver = grow();
    int moved = keyOf(receiver);
    push(moved, 1);
    hold(0);
    shard(0).abandon();
    assertThat(take(receiver, moved)).containsExactly(1);
  }

  @Test
  void receiverThatIsAbandoned_doesNotWaitForItsFence() {
    pushAll(0);
    hold(0);
    int receiver = grow();
    pushAll(1);
    shard(receiver).abandon();
    assertThat(shard(receiver).isEmpty()).isTrue();
  }

  @Test
  void close_leavesNoLaneOnceAllIsHad() {
    pushAll(0);
    int receiver = grow();
    pushAll(1);
    assertThat(manager.close()).isTrue();
    takeRound(receiver, 0, receiver, 0);
    assertAllWasHad(1);
    assertThat(shard(0).laneCount() + shard(receiver).laneCount()).isZero();
    assertThat(shard(0).isSettled()).isTrue();
  }

  @Test
  void flushMark_waitsForAClosedLane() {
    pushAll(0);
    int receiver = grow();
    FlushMark nothing = shard(receiver).mark();
    assertThat(nothing.isPassed()).isTrue();
    pushAll(1);
    FlushMark mark = shard(receiver).mark();
    takeAll(receiver);
    assertThat(mark.isPassed()).isFalse();
    FlushMark ofGiver = shard(0).mark();
    takeAll(0);
    assertThat(ofGiver.isPassed()).isTrue();
    assertThat(mark.isPassed()).isFalse();
    takeAll(receiver);
    assertThat(mark.isPassed()).isTrue();
    pushAll(2); // does not count
    assertThat(mark.isPassed()).isTrue();
  }

  // ---------------------------------------------------------------- bounds

  /** Counts those since it was called last, and checks that no shard had two within a second. */
  private long turnOversOfOneSecond(Map<Shard, Long> counts, Map<Shard, Long> times) {
    long found = 0;
    for (Shard shard : manager.shards()) {
      long before = counts.getOrDefault(shard, 0L);
      assertThat(shard.turnOvers() - before).isBetween(0L, 1L);
      if (shard.turnOvers() > before) {
        assertThat(now - times.getOrDefault(shard, 0L)).isGreaterThanOrEqualTo(1_000_000_000L);
        counts.put(shard, shard.turnOvers());
        times.put(shard, now);
        found++;
      }
    }
    return found;
  }

  /** Slots follow a load that jumps, for 1,000 windows, past shards that are slow. */
  @Test
  void lanes_areBounded() {
    Random dice = new Random(42);
    manager = manager(4);
    manager
        .mapper()
        .orElseThrow()
        .changePolicy(
            ScalingPolicy.defaults(8)
                .setCooldown(Duration.ZERO)
                .setMetricsWindow(Duration.ofMillis(250)));
    Map<Shard, Long> turnOvers = new HashMap<>();
    Map<Shard, Long> turnedOver = new HashMap<>();
    int[] numbers = new int[KEYS];
    int most = 0;
    long moves = 0;
    int hot = 0;
    int slow = 0;
    for (int window = 0; window < 1_000; window++) {
      if (window % 10 == 0) {
        hot = dice.nextInt(KEYS);
        slow = dice.nextInt(manager.shards().size() + 1);
      }
      if (window % 40 == 0) {
        manager.activateShard(manager.addShardForce());
      } else if (window % 40 == 20) {
        manager.mapper().orElseThrow().scaleDown(1, true);
      }
      moves += turnOversOfOneSecond(turnOvers, turnedOver);
      manager.mapper().orElseThrow().finalizeDraining();
      manager.mapper().orElseThrow().removeStoppedShards();
      for (int i = 0; i < 500; i++) {
        int key = dice.nextInt(3) == 0 ? (hot + dice.nextInt(5)) % KEYS : dice.nextInt(KEYS);
        if (manager.ingestRaw(event(key, numbers[key])).accepted()) {
          numbers[key]++;
        }
      }
      List<Shard> shards = manager.shards();
      for (int i = 0; i < shards.size(); i++) {
        int got = shards.get(i).popBatch(i == slow ? 1 + dice.nextInt(40) : 4096).size();
        shards.get(i).recordFlush(i == slow ? 200_000_000 : 1_000L * got);
      }
      now += 250_000_000;
      manager.collectMetrics();
      moves += turnOversOfOneSecond(turnOvers, turnedOver);
      for (Shard shard : shards) {
        most = Math.max(most, shard.laneCount());
        assertThat(shard.laneCount()).isLessThanOrEqualTo(SlotTable.MOST_LANES + 2);
      }
    }
    assertThat(moves).isGreaterThan(10);
    System.out.println("lanes: " + most + " at most, " + moves + " turn-overs");
    for (int i = 0; i < 10; i++) {
      manager.shards().forEach(shard -> shard.popBatch(4096));
    }
    assertThat(manager.shards()).allMatch(shard -> shard.laneCount() <= SlotTable.MOST_LANES);
    assertThat(manager.accounting().pending()).isZero();
  }
}
