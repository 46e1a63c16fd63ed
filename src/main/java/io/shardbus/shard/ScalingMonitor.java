package io.shardbus.shard;

import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * Ends the metrics windows: takes what the shards did, lets the routing table follow, and asks the
 * policy. Safe for any thread, one at a time.
 */
final class ScalingMonitor {

  private final ShardSet set;
  private final ShardMapper mapper;
  private final LongSupplier clock;
  private final ScalingEvaluator evaluator = new ScalingEvaluator();
  private final MetricsCollector collector;
  private List<ShardLoad> lastLoads = List.of();

  private volatile ScalingLimit limit = ScalingLimit.NONE;
  private volatile String limitReason = "";

  /** Whether the last window has been acted on. */
  private boolean decided = true;

  ScalingMonitor(ShardSet set, ShardMapper mapper, LongSupplier clock) {
    this.set = set;
    this.mapper = mapper;
    this.clock = clock;
    collector = new MetricsCollector(clock.getAsLong());
  }

  /** One entry a shard, by ascending id. */
  synchronized List<ShardMetrics> metrics() {
    endWindow();
    double equal = 1.0 / Math.max(1, mapper.activeShardCount());
    var slots = mapper.slotsByShard();
    double total = slots.values().stream().mapToInt(Integer::intValue).sum();
    List<ShardMetrics> metrics = new ArrayList<>();
    for (ShardLoad load : lastLoads) {
      Shard shard = load.shard();
      double share = slots.getOrDefault(shard.id(), 0) / Math.max(1, total);
      metrics.add(
          new ShardMetrics(
              shard.id(),
              load.fillRatio(),
              Math.round(load.offeredRate()),
              load.pushNanos(),
              load.flushMicros(),
              shard.state() == ShardState.DRAINING,
              share / equal));
    }
    return metrics;
  }

  /** What the policy asks for: once a window, so that no load is acted on twice. */
  synchronized ScalingDecision evaluate() {
    endWindow();
    if (decided) {
      return ScalingDecision.NONE;
    }
    decided = true;
    int coming = (int) set.all().stream().filter(s -> s.state() == ShardState.PROVISIONING).count();
    return evaluator.evaluate(
        mapper.currentPolicy(),
        lastLoads,
        set.all().size(),
        coming,
        clock.getAsLong(),
        mapper.coolingDown());
  }

  /** What keeps the policy from adding the shards that the load asks for, by the last window. */
  ScalingLimit limit() {
    return limit;
  }

  /** The same in words, with the numbers; empty if nothing does. */
  String limitReason() {
    return limitReason;
  }

  private void endWindow() {
    long now = clock.getAsLong();
    long window = mapper.currentPolicy().getMetricsWindow().toNanos();
    if (collector.elapsedNanos(now) >= window - window / 4) { // a timer may be a little early
      lastLoads = collector.roll(set.all(), now);
      decided = false;
      mapper.rebalance(lastLoads);
    }
  }
}
