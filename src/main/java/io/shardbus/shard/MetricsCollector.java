package io.shardbus.shard;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Measures what each shard did in each window. Several collectors can measure the same shards, each
 * with its own windows. Not safe for threads: the manager guards it.
 */
final class MetricsCollector {

  private final Map<Shard, Mark> marks = new HashMap<>();
  private final double leastStallSeconds;
  private long windowStart;

  /**
   * @param leastStallSeconds as {@link DrainCapacity} takes it
   */
  MetricsCollector(long nowNanos, double leastStallSeconds) {
    windowStart = nowNanos;
    this.leastStallSeconds = leastStallSeconds;
  }

  /** What was counted when the window began, and what is known of the shard. */
  private record Mark(
      long offered,
      long settled,
      long pending,
      double fillRatio,
      boolean active,
      WindowMeter.Reading flush,
      WindowMeter.Reading push,
      DrainCapacity capacity) {}

  long elapsedNanos(long nowNanos) {
    return nowNanos - windowStart;
  }

  /** Ends the window and begins the next. */
  List<ShardLoad> roll(Iterable<Shard> shards, long nowNanos) {
    double seconds = Math.max(1, elapsedNanos(nowNanos)) / 1e9;
    windowStart = nowNanos;
    List<ShardLoad> loads = new ArrayList<>();
    Map<Shard, Mark> next = new HashMap<>();
    Map<Shard, Long> fenced = fencedByGiver(shards);
    for (Shard shard : shards) {
      ShardAccounting account = shard.accounting();
      boolean active = shard.state() == ShardState.ACTIVE;
      long settled = account.delivered() + account.deadLettered();
      // Events at a fence count as load of the shard for which they wait.
      long pending =
          Math.max(0, account.pending() - shard.fencedEvents()) + fenced.getOrDefault(shard, 0L);
      Mark before = marks.get(shard);
      if (before == null) {
        before =
            new Mark(
                0,
                0,
                0,
                0,
                false,
                WindowMeter.Reading.NONE,
                WindowMeter.Reading.NONE,
                new DrainCapacity(leastStallSeconds));
      }
      WindowMeter.Reading flushTotal = shard.flushLatency().read();
      WindowMeter.Reading pushTotal = shard.pushLatency().read();
      WindowMeter.Reading flush = flushTotal.minus(before.flush());
      double fillRatio =
          Math.min(1, (shard.size() - shard.fencedEvents()) / (double) shard.capacity());
      next.put(
          shard,
          new Mark(
              account.offered(),
              settled,
              pending,
              fillRatio,
              active,
              flushTotal,
              pushTotal,
              before.capacity()));
      DrainCapacity.Estimate capacity =
          before
              .capacity()
              .update(
                  new DrainCapacity.Window(
                      seconds,
                      settled - before.settled(),
                      before.pending(),
                      pending,
                      Math.min(before.fillRatio(), fillRatio),
                      flush.sum() / 1e9,
                      flush.mean() / 1e9));
      loads.add(
          new ShardLoad(
              shard,
              active && before.active(),
              (account.offered() - before.offered()) / seconds,
              capacity,
              pending,
              fillRatio,
              fillRatio >= before.fillRatio(),
              pushTotal.minus(before.push()).mean(),
              flush.mean() / 1000));
    }
    marks.clear();
    marks.putAll(next);
    return loads;
  }

  private static Map<Shard, Long> fencedByGiver(Iterable<Shard> shards) {
    Map<Shard, Long> fenced = new HashMap<>();
    for (Shard shard : shards) {
      for (Lane lane : shard.lanes()) {
        Lane[] fences = lane.fences();
        if (fences.length > 0) {
          fenced.merge(giver(fences), (long) lane.ring().size(), Long::sum);
        }
      }
    }
    return fenced;
  }

  /** The shard for which events wait in the end: the lane for which they wait may wait itself. */
  private static Shard giver(Lane[] fences) {
    Lane first = fences[0];
    Lane[] further = first.fences();
    return further.length == 0 ? Shard.of(first) : giver(further);
  }
}
