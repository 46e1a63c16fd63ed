package io.shardbus.shard;

import io.shardbus.shard.ScalingDecision.Direction;
import java.util.ArrayList;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * Takes what the shards did, lets the routing table follow, and asks the policy: at the end of each
 * metrics window, and of the looks that are shorter. Safe for any thread, one at a time.
 */
final class ScalingMonitor {

  /** A ring that would be full in 200 ms gets help in time. */
  private static final long LOOK_NANOS = 50_000_000;

  /** So that looking at many shards takes no more than a small part of a processor. */
  private static final long LOOK_NANOS_PER_SHARD = 200_000;

  /** Batches form for 10 ms, and windows may be short. */
  private static final double LEAST_STALL_OF_WINDOWS = 0.05;

  /** A look is too short for a verdict. */
  private static final double LEAST_STALL_OF_LOOKS = 1;

  private final ShardSet set;
  private final ShardMapper mapper;
  private final LongSupplier clock;
  private ScalingEvaluator evaluator = new ScalingEvaluator();
  private final MetricsCollector windows;
  private final MetricsCollector looks;
  private List<ShardLoad> lastLoads = List.of();

  private double lastWindowSeconds;

  /** Of all shards, with those that are gone, in the last window. */
  private double settledRate;

  private long settledBefore;
  private volatile ScalingLimit limit = ScalingLimit.NONE;
  private volatile String limitReason = "";

  /** Whether the last window has been acted on. */
  private boolean decided = true;

  ScalingMonitor(ShardSet set, ShardMapper mapper, LongSupplier clock) {
    this.set = set;
    this.mapper = mapper;
    this.clock = clock;
    long now = clock.getAsLong();
    windows = new MetricsCollector(now, LEAST_STALL_OF_WINDOWS);
    looks = new MetricsCollector(now, LEAST_STALL_OF_LOOKS);
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

  /** What the policy asks for: once a window and once a look, so that no load is acted on twice. */
  synchronized ScalingDecision evaluate() {
    endWindow();
    ScalingPolicy policy = mapper.currentPolicy();
    long now = clock.getAsLong();
    ScalingDecision decision = ScalingDecision.NONE;
    double lookSeconds = looks.elapsedNanos(now) / 1e9;
    boolean looked = isOver(looks, now, lookNanos());
    List<ShardLoad> look = looked ? looks.roll(set.all(), now) : List.of();
    if (policy.isAutoScale() && !decided) {
      decision = evaluator.window(view(lastLoads, lastWindowSeconds, now));
    }
    decided = true;
    if (policy.isAutoScale() && looked && decision.direction() == Direction.NONE) {
      decision = evaluator.look(view(look, lookSeconds, now));
    }
    if (!policy.isAutoScale()) {
      evaluator = new ScalingEvaluator(); // what it does not watch it must not remember
    }
    limit = evaluator.limit();
    limitReason = evaluator.limitReason();
    return decision;
  }

  private ScalingView view(List<ShardLoad> loads, double seconds, long now) {
    List<ShardLoad> active =
        loads.stream().filter(load -> load.shard().state() == ShardState.ACTIVE).toList();
    return new ScalingView(
        mapper.currentPolicy(),
        active,
        set.all().size(),
        (int) set.inState(ShardState.PROVISIONING).count()
            + mapper.activeShardCount()
            - active.size(),
        settledRate,
        seconds,
        now,
        rate -> mapper.slotsAbove(rate, active),
        mapper::coolingDown);
  }

  /** How often it is worth asking, in nanoseconds. */
  long lookNanos() {
    long window = mapper.currentPolicy().getMetricsWindow().toNanos();
    return Math.min(window, Math.max(LOOK_NANOS, LOOK_NANOS_PER_SHARD * set.all().size()));
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
    if (isOver(windows, now, mapper.currentPolicy().getMetricsWindow().toNanos())) {
      lastWindowSeconds = windows.elapsedNanos(now) / 1e9;
      lastLoads = windows.roll(set.all(), now);
      ShardAccounting account = set.accounting();
      long settled = account.delivered() + account.deadLettered();
      settledRate = (settled - settledBefore) / lastWindowSeconds;
      settledBefore = settled;
      decided = false;
      mapper.rebalance(lastLoads);
    }
  }

  private static boolean isOver(MetricsCollector window, long now, long nanos) {
    return window.elapsedNanos(now) >= nanos - nanos / 4; // a timer may be a little early
  }
}
