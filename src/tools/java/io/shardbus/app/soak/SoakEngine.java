package io.shardbus.app.soak;

import io.shardbus.app.soak.Violations.Kind;
import io.shardbus.event.ShardEvent;
import io.shardbus.shard.ScalingException;
import io.shardbus.shard.ShardManager;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.LockSupport;

/** Calls the engine past its bus, as code that embeds it may. Keeps what it gets from it. */
final class SoakEngine {

  private static final int LONGEST_HOLD_NANOS = 2_000_000;

  private final ShardManager engine;
  private final Violations violations;

  /** The events of a removed shard. They belong to the caller. */
  private final Map<Integer, List<Long>> leftovers = new ConcurrentHashMap<>();

  SoakEngine(ShardManager engine, Violations violations) {
    this.engine = engine;
    this.violations = violations;
  }

  int anyShard(Random dice) {
    List<Integer> ids = engine.mapper().orElseThrow().allShardIds();
    return ids.isEmpty() ? 0 : ids.get(dice.nextInt(ids.size()));
  }

  /** By shard, the codes of events. */
  Map<Integer, List<Long>> leftovers() {
    return leftovers;
  }

  void act(Random dice) {
    int roll = dice.nextInt(10);
    boolean also = dice.nextBoolean();
    int id = anyShard(dice);
    int nanos = dice.nextInt(LONGEST_HOLD_NANOS);
    try {
      switch (roll) {
        case 0, 1, 2 -> {
          int added = engine.addShardForce();
          if (also) {
            engine.activateShard(added);
          }
        }
        case 3, 4 -> engine.drainShard(id);
        case 5, 6 -> keep(id, engine.removeShard(id));
        case 7, 8 ->
            engine.withShard(
                id,
                shard -> {
                  LockSupport.parkNanos(nanos);
                  return shard;
                });
        default -> engine.collectMetrics();
      }
    } catch (ScalingException e) {
      // too many shards, too few, gone, in the wrong state: expected
    } catch (RuntimeException e) {
      violations.check(false, Kind.OTHER, "the engine threw %s", e);
    }
  }

  private void keep(int id, List<ShardEvent> events) {
    if (!events.isEmpty()) {
      leftovers
          .computeIfAbsent(id, first -> new ArrayList<>())
          .addAll(events.stream().map(event -> SoakEvent.code(event.payload())).toList());
    }
  }
}
