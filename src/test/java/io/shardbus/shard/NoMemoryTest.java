package io.shardbus.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.shardbus.shard.AllocationFaults.Seam;
import io.vertx.core.buffer.Buffer;
import java.time.Duration;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.BiConsumer;
import java.util.stream.Collectors;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Keys move and lanes are sealed while memory runs out once, at each place in turn where an object
 * is made, the first and the second time: nothing is lost, doubled or out of order, and the same
 * step succeeds afterwards.
 */
class NoMemoryTest {

  private static final int KEYS = 100;
  private static final int[] NOWHERE = {-1, 0};

  /** What is done while memory runs out. */
  private enum Step {
    ADD(true),
    ACTIVATE(true),
    DRAIN(true),
    FINALIZE(true),
    REMOVE_NEWCOMER(false),
    REMOVE_WITH_EVENTS(false),
    SEAL_BY_WHOEVER_HAS_THE_CONSUMER(false),
    SETTLE_WHAT_WAS_HELD(false);

    final boolean wholeOrNotAtAll;

    Step(boolean wholeOrNotAtAll) {
      this.wholeOrNotAtAll = wholeOrNotAtAll;
    }
  }

  @ParameterizedTest
  @EnumSource
  void step_losesNothingAndSucceedsAfterwards(Step step) throws Exception {
    var round = new AllocationFaults("io.shardbus.shard.").rounds(TestRound.class);
    round.accept(step.name(), NOWHERE); // loads classes
    round.accept(step.name(), NOWHERE);
    BitSet places = Seam.end();
    assertThat(places.cardinality()).isGreaterThan(1);
    for (int place : places.stream().toArray()) {
      round.accept(step.name(), new int[] {place, 1});
      round.accept(step.name(), new int[] {place, 2});
    }
    System.out.println(step + ": memory ran out at " + places.cardinality() + " places");
  }

  /** Is loaded by {@link AllocationFaults}, so that it sees the classes that run out of memory. */
  static final class TestRound implements BiConsumer<String, int[]> {

    private final Map<String, Integer> last = new TreeMap<>();
    private ShardManager engine;
    private DrainBuffer held;

    @Override
    public void accept(String name, int[] at) {
      Step step = Step.valueOf(name);
      begin();
      prepare(step);
      String before = describe();
      Seam.begin(at[0], at[1]);
      boolean thrown = false;
      List<ShardEvent> leftovers = List.of();
      try {
        leftovers = act(step);
      } catch (OutOfMemoryError e) {
        thrown = true;
      }
      Seam.end();
      note(leftovers);
      if (thrown && step.wholeOrNotAtAll) {
        assertThat(describe()).as("%s at %d", step, at[0]).isEqualTo(before);
      }
      if (thrown) {
        note(act(step));
      }
      end(step + " at " + at[0]);
    }

    private void begin() {
      last.clear();
      held = new DrainBuffer(0, KEYS);
      engine =
          new ShardManager(
              2,
              1024,
              BackpressureMode.FAIL_PRODUCER,
              new ScalingPolicy().setMaxShards(4).setCooldown(Duration.ZERO),
              ShardLimits.DEFAULT,
              () -> 1_000_000_000);
      engine.addShardForce();
      engine.shards().forEach(shard -> shard.attachConsumer(() -> {}));
      pushAll(0);
    }

    private Shard shard(int id) {
      return engine.shard(id).orElseThrow();
    }

    private ShardMapper mapper() {
      return engine.mapper().orElseThrow();
    }

    private void prepare(Step step) {
      switch (step) {
        case FINALIZE -> {
          engine.drainShard(0);
          note(shard(0).popBatch(KEYS));
        }
        case REMOVE_WITH_EVENTS -> engine.drainShard(0);
        case SEAL_BY_WHOEVER_HAS_THE_CONSUMER -> {
          shard(0).consumer().lock();
          Thread scaler = new Thread(() -> engine.activateShard(2));
          scaler.start();
          try {
            scaler.join();
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
        }
        case SETTLE_WHAT_WAS_HELD -> {
          assertThat(shard(0).tryDrain(held, KEYS, Long.MAX_VALUE)).isPositive();
          engine.activateShard(2);
          note(held.events());
          shard(0).settle(held.size(), 0);
        }
        default -> {}
      }
    }

    private List<ShardEvent> act(Step step) {
      switch (step) {
        case ADD -> engine.addShardForce();
        case ACTIVATE -> engine.activateShard(2);
        case DRAIN -> engine.drainShard(0);
        case FINALIZE -> mapper().finalizeDraining();
        case REMOVE_NEWCOMER -> {
          return engine.removeShard(2);
        }
        case REMOVE_WITH_EVENTS -> {
          return engine.removeShard(0);
        }
        case SEAL_BY_WHOEVER_HAS_THE_CONSUMER -> shard(0).consumer().unlock();
        case SETTLE_WHAT_WAS_HELD -> shard(0).settledBelow(Long.MAX_VALUE);
      }
      return List.of();
    }

    /** What somebody can see. */
    private String describe() {
      return engine.shards().stream()
              .map(shard -> shard + " " + shard.laneCount() + " " + shard.turnOvers())
              .collect(Collectors.joining(", "))
          + mapper().slotsByShard()
          + engine.routingEpoch()
          + " "
          + mapper().slotsMoved()
          + " "
          + engine.accounting();
    }

    private void pushAll(int number) {
      for (int key = 0; key < KEYS; key++) {
        RawEvent event = RawEvent.of(Buffer.buffer(4).appendInt(number), "key " + key);
        assertThat(engine.ingestRaw(event).accepted()).isTrue();
      }
    }

    private void note(List<ShardEvent> events) {
      for (ShardEvent event : events) {
        int number = event.payload().getInt(0);
        assertThat(number).isEqualTo(last.getOrDefault(event.key(), -1) + 1);
        last.put(event.key(), number);
      }
    }

    private void end(String what) {
      pushAll((int) engine.accounting().accepted() / KEYS);
      for (int i = 0; i < 4; i++) {
        engine.shards().forEach(shard -> note(shard.popBatch(10 * KEYS)));
        mapper().finalizeDraining();
        mapper().removeStoppedShards();
      }
      assertThat(last).as(what).hasSize(KEYS);
      assertThat(Set.copyOf(last.values())).as(what).hasSize(1);
      assertThat(engine.accounting().pending()).as(what).isZero();
      for (Shard shard : engine.shards()) {
        assertThat(shard.state()).as(what).isNotEqualTo(ShardState.DRAINING);
        assertThat(shard.lanes())
            .as(what)
            .isNotEmpty()
            .allMatch(lane -> lane.isOpen() && !lane.isSealRequested());
      }
    }
  }
}
