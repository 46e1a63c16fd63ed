package io.shardbus.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.shardbus.shard.ScalingDecision.Direction;
import io.shardbus.shard.ScalingRules.Bus;
import io.shardbus.shard.ScalingRules.Rule;
import io.shardbus.shard.ScalingRules.Seen;
import io.shardbus.shard.ScalingScenarios.Scenario;
import io.vertx.core.buffer.Buffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * The shipped engine in virtual time, in ticks of 1 ms: events come, shards drain, the rule is
 * asked. What it asks for is done at once, but for the deployment of new shards.
 */
final class ScalingSimulation implements Bus {

  static final long SEED = 42;
  static final int DEPLOYMENT_MILLIS = 5;

  private static final long TICK_NANOS = 1_000_000;
  private static final Buffer PAYLOAD = Buffer.buffer("{}");
  private static final RawEvent[] EVENTS = events(false);
  private static final RawEvent[] KEYED_EVENTS = events(true);
  private static final RawEvent HOT_KEY = RawEvent.of(PAYLOAD, "hot");
  private static final RawEvent HOT_HASH = RawEvent.ofHash(PAYLOAD, HOT_KEY.hash());

  private final Scenario scenario;
  private final Rule rule;
  private final ScalingPolicy policy;
  private final SplittableRandom random = new SplittableRandom(SEED);
  private final ShardManager manager;
  private final ShardMapper mapper;
  private final Map<Integer, Drain> drains = new HashMap<>();
  private final Delays delays = new Delays();
  private final List<ScalingOutcome.Change> changes = new ArrayList<>();
  private final List<Integer> activeBySecond = new ArrayList<>();
  private final List<Integer> coming = new ArrayList<>();

  private List<Shard> shards;
  private int tick;
  private long now;
  private long eventTime;
  private double due;
  private int comingAt;
  private boolean draining;
  private long shardTicks;
  private int most;
  private int relief = -1;

  /** The consumer of one shard. */
  private static final class Drain {
    long activeSince;
    double credit;
    long busyNanos;
    long writes;
  }

  /**
   * @param shardsAtFirst active at once
   */
  ScalingSimulation(Scenario scenario, Rule rule, ScalingPolicy policy, int shardsAtFirst) {
    this.scenario = scenario;
    this.rule = rule;
    this.policy = policy;
    manager =
        new ShardManager(
            shardsAtFirst,
            scenario.capacity(),
            BackpressureMode.FAIL_PRODUCER,
            policy,
            ShardLimits.DEFAULT,
            () -> eventTime,
            () -> now);
    mapper = manager.mapper().orElseThrow();
    refreshShards();
  }

  private static RawEvent[] events(boolean keyed) {
    SplittableRandom hashes = new SplittableRandom(SEED);
    RawEvent[] events = new RawEvent[1 << 14];
    Arrays.setAll(
        events,
        i ->
            keyed
                ? RawEvent.of(PAYLOAD, Long.toHexString(hashes.nextLong()))
                : RawEvent.ofHash(PAYLOAD, hashes.nextLong()));
    return events;
  }

  ScalingOutcome run() {
    long offered = 0;
    for (tick = 0; tick < scenario.ticks(); tick++) {
      offered += offer();
      now += TICK_NANOS;
      drain();
      scale();
      shardTicks += shards.size();
      most = Math.max(most, shards.size());
      if (tick % ScalingScenarios.TICKS_PER_SECOND == 0) {
        activeBySecond.add(mapper.activeShardCount());
      }
    }
    ShardAccounting account = manager.accounting();
    assertThat(account.offered()).isEqualTo(offered);
    assertThat(account.pendingInRing()).isEqualTo(account.accepted() - account.delivered());
    return new ScalingOutcome(
        offered,
        account.backpressure(),
        delays.millisOf(0.99),
        (double) shardTicks / ScalingScenarios.TICKS_PER_SECOND,
        scenario.perfectShardSeconds(policy.getScaleDownDelay()),
        scenario.seconds / 60.0,
        changes,
        relief,
        most,
        activeBySecond);
  }

  /** Spread over the tick, so that the engine's samples, taken by time and hash, are a fair one. */
  private int offer() {
    due += scenario.load(tick) / ScalingScenarios.TICKS_PER_SECOND;
    int count = (int) due;
    due -= count;
    double hot = scenario.hotShare(tick);
    for (int i = 0; i < count; i++) {
      eventTime = now + i * TICK_NANOS / count + random.nextInt(256);
      manager.ingestRaw(hot > 0 && random.nextDouble() < hot ? hotEvent() : anyEvent());
    }
    return count;
  }

  private RawEvent hotEvent() {
    return scenario.isKeyed() ? HOT_KEY : HOT_HASH;
  }

  private RawEvent anyEvent() {
    RawEvent[] events = scenario.isKeyed() ? KEYED_EVENTS : EVENTS;
    return events[random.nextInt(events.length)];
  }

  // ---------------------------------------------------------------- the sinks

  private void drain() {
    double shared = scenario.sharedRate();
    double fair = 0;
    if (shared > 0) {
      fair = shared / Math.max(1, shards.stream().filter(shard -> !shard.isEmpty()).count());
    }
    for (Shard shard : shards) {
      if (!shard.isEmpty()) {
        drain(shard, shared > 0 ? fair : scenario.drainRate(shard.id(), tick));
      }
    }
  }

  private void drain(Shard shard, double rate) {
    Drain drain = drain(shard.id());
    drain.credit += rate / ScalingScenarios.TICKS_PER_SECOND;
    int can = (int) drain.credit;
    drain.credit -= can;
    if (can == 0) {
      return;
    }
    List<ShardEvent> batch = shard.popBatch(can);
    if (batch.isEmpty()) {
      return; // all wait at fences
    }
    long nanos = (long) (batch.size() * 1e9 / rate);
    shard.recordFlush(nanos);
    drain.busyNanos += nanos;
    drain.writes++;
    for (ShardEvent event : batch) {
      delays.add((int) ((now - event.timestamp()) / TICK_NANOS));
    }
  }

  private Drain drain(int shard) {
    return drains.computeIfAbsent(shard, id -> new Drain());
  }

  // ---------------------------------------------------------------- scaling

  private void scale() {
    if (!coming.isEmpty()) {
      if (tick >= comingAt) {
        mapper.activate(coming);
        coming.forEach(id -> drain(id).activeSince = now);
        coming.clear();
      }
    } else {
      apply(rule.look(this));
    }
    if (draining) {
      mapper.finalizeDraining();
      draining = mapper.activeShardCount() < mapper.totalShardCount();
      if (!mapper.removeStoppedShards().isEmpty()) {
        refreshShards();
      }
    }
    if (relief < 0 && scenario.isAfterStep(tick) && isRelieved()) {
      relief = tick - scenario.stepTick();
    }
  }

  private void apply(ScalingDecision decision) {
    if (decision.direction() == Direction.NONE) {
      return;
    }
    if (decision.direction() == Direction.UP) {
      coming.addAll(mapper.scaleUp(decision.count(), true));
      comingAt = tick + DEPLOYMENT_MILLIS;
    } else {
      mapper.scaleDown(decision.count(), true);
      draining = true;
    }
    changes.add(
        new ScalingOutcome.Change(tick, decision.direction(), decision.count(), decision.cause()));
    refreshShards();
  }

  private void refreshShards() {
    shards = manager.shards();
  }

  /** The active shards drain what comes, and each has slots. */
  private boolean isRelieved() {
    return scenario.drainRateOf(mapper.activeShardIds(), tick) >= scenario.load(tick)
        && mapper.slotsByShard().values().stream().allMatch(slots -> slots > 0);
  }

  // ---------------------------------------------------------------- what rules see

  @Override
  public ShardManager manager() {
    return manager;
  }

  @Override
  public long nowNanos() {
    return now;
  }

  @Override
  public int totalShards() {
    return shards.size();
  }

  @Override
  public List<Seen> activeShards() {
    return shards.stream()
        .filter(shard -> shard.state() == ShardState.ACTIVE)
        .map(
            shard -> {
              Drain drain = drain(shard.id());
              return new Seen(
                  shard.id(), shard.fillRatio(), drain.activeSince, drain.busyNanos, drain.writes);
            })
        .toList();
  }

  /** Counts by milliseconds. */
  private static final class Delays {

    private final long[] counts = new long[300_000];
    private long total;

    void add(int millis) {
      counts[Math.min(millis, counts.length - 1)]++;
      total++;
    }

    int millisOf(double part) {
      long left = (long) (total * part);
      int millis = 0;
      while (left > counts[millis]) {
        left -= counts[millis];
        millis++;
      }
      return millis;
    }
  }
}
