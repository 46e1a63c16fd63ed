package io.shardbus.shard;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Takes what each shard did in each metrics window. Not safe for threads: the manager guards it.
 */
final class MetricsCollector {

  private final Map<Shard, Mark> marks = new HashMap<>();
  private long windowStart;

  MetricsCollector(long nowNanos) {
    windowStart = nowNanos;
  }

  /** What was counted when the window began. */
  private record Mark(long offered, long drained, boolean active) {}

  long elapsedNanos(long nowNanos) {
    return nowNanos - windowStart;
  }

  /** Ends the window and begins the next. */
  List<ShardLoad> roll(Iterable<Shard> shards, long nowNanos) {
    double seconds = Math.max(1, elapsedNanos(nowNanos)) / 1e9;
    windowStart = nowNanos;
    List<ShardLoad> loads = new ArrayList<>();
    Map<Shard, Mark> next = new HashMap<>();
    for (Shard shard : shards) {
      ShardAccounting account = shard.accounting();
      boolean active = shard.state() == ShardState.ACTIVE;
      Mark now = new Mark(account.offered(), shard.drained(), active);
      Mark before = marks.getOrDefault(shard, new Mark(0, 0, false));
      next.put(shard, now);
      WindowMeter.Reading flush = shard.flushLatency().roll();
      loads.add(
          new ShardLoad(
              shard,
              active && before.active(),
              (now.offered() - before.offered()) / seconds,
              (now.drained() - before.drained()) / seconds,
              Math.min(1, flush.sum() / 1e9 / seconds),
              shard.size(),
              shard.fillRatio(),
              shard.pushLatency().roll().mean(),
              flush.mean() / 1000));
    }
    marks.clear();
    marks.putAll(next);
    return loads;
  }
}
