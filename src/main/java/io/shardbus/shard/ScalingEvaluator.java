package io.shardbus.shard;

import io.shardbus.shard.ScalingDecision.Direction;
import java.util.List;
import java.util.Locale;
import java.util.function.DoubleFunction;
import java.util.function.Predicate;

/*
 * When to have how many shards. ScalingNeed says how many a load needs.
 *
 * Up, at each look, if rings fill: at the rate at which a ring fills it will be full at a certain time. What shows the
 * need must have lasted for an eighth of that time, and costs no more of it: a ring that would be full in 400 ms gets
 * help after 50 ms, and a lump of events that a paused producer made up for does not count where there is room for it.
 * Neither a change before it nor the cooldown holds this back.
 *
 * Up, at the end of a metrics window: if two in a row say that the shards are busier than targetUtilization; or if a ring is fuller than fillRatioThreshold and not falling, or pushes
 * or flushes are slow. The cooldown holds back the latter, and what would undo a removal.
 *
 * Down, at the end of a metrics window: to the most shards that a window of the last scaleDownDelay needed, with some
 * reserve, in one step. The cooldown holds it back.
 *
 * More shards than before are on trial; see ScalingTrial.
 */
/** Applies the scaling policy. Not safe for threads: the manager guards it. */
final class ScalingEvaluator {

  /** The part of the time until a ring is full for which the need must have shown itself. */
  private static final double EVIDENCE = 1.0 / 8;

  /** A ring that is this full holds up its producers, and what comes is not what would come. */
  private static final double FULL = 0.95;

  /** For fewer shards the load must be so much lower: else noise makes them come and go. */
  private static final double RESERVE = 0.05;

  /** Of the rate in the latest window. */
  private static final double WEIGHT_OF_LATEST = 0.3;

  private final ScalingTrial trial = new ScalingTrial();
  private final PeakNeed peak = new PeakNeed();

  /** Since when rings fill without a break, and what came since then. */
  private double fillingSeconds;

  private double cameWhileFilling;

  /** Events per second that come, over some windows. */
  private double smoothedRate;

  /** Until then looks go on adding what is needed: what they saw first was half of it. */
  private long continueUntil;

  /** Whether the last window said that there are too few. */
  private boolean wasShort;

  private ScalingLimit limit = ScalingLimit.NONE;
  private String limitReason = "";

  /**
   * The shards in a window that has just ended.
   *
   * @param active the active ones
   * @param total shards there are, in any state
   * @param coming shards being set up
   * @param settledRate events per second whose fate was decided, of all shards
   * @param seconds how long the window was
   * @param hot the rates of the slots that bring more than so many events per second
   * @param cooling whether a change of that direction is too recent
   */
  record View(
      ScalingPolicy policy,
      List<ShardLoad> active,
      int total,
      int coming,
      double settledRate,
      double seconds,
      long nowNanos,
      DoubleFunction<List<Double>> hot,
      Predicate<Direction> cooling) {

    boolean coolingDown(Direction after) {
      return cooling.test(after);
    }

    double offered() {
      return active.stream().mapToDouble(ShardLoad::offeredRate).sum();
    }

    int soon() {
      return active.size() + coming;
    }
  }

  ScalingLimit limit() {
    return limit;
  }

  String limitReason() {
    return limitReason;
  }

  // ---------------------------------------------------------------- each look

  /** Acts if rings would be full before the next window could help. */
  ScalingDecision look(View view) {
    double perShard = ScalingNeed.perShard(view.active(), ScalingNeed.TRUST);
    double secondsLeft = secondsLeft(view);
    boolean continuing = view.nowNanos() - continueUntil < 0;
    if (perShard == 0 || (secondsLeft == Double.POSITIVE_INFINITY && !continuing)) {
      fillingSeconds = 0;
      cameWhileFilling = 0;
      return ScalingDecision.NONE;
    }
    fillingSeconds += view.seconds();
    cameWhileFilling += view.offered() * view.seconds();
    if (fillingSeconds < EVIDENCE * secondsLeft && !continuing) {
      return ScalingDecision.NONE;
    }
    ScalingNeed need = need(view, perShard, cameWhileFilling / fillingSeconds);
    ScalingDecision decision =
        up(view, need.shards() - view.soon(), need, why(need, view.policy(), secondsLeft));
    if (decision.direction() != Direction.NONE) {
      fillingSeconds = 0;
      cameWhileFilling = 0;
      smoothedRate = Math.max(smoothedRate, need.rate());
      continueUntil = view.nowNanos() + view.policy().getMetricsWindow().toNanos();
    }
    return decision;
  }

  private static double secondsLeft(View view) {
    return view.active().stream()
        .mapToDouble(ScalingEvaluator::secondsUntilFull)
        .min()
        .orElse(Double.POSITIVE_INFINITY);
  }

  private static double secondsUntilFull(ShardLoad load) {
    double surplus = load.offeredRate() - ScalingNeed.drained(load, ScalingNeed.TRUST);
    if (!load.filling()) {
      return Double.POSITIVE_INFINITY;
    }
    if (load.fillRatio() >= FULL) {
      return 0;
    }
    double room = (1 - load.fillRatio()) * load.shard().capacity();
    return surplus > 0 && load.fillRatio() > 0 ? room / surplus : Double.POSITIVE_INFINITY;
  }

  // ---------------------------------------------------------------- each window

  ScalingDecision window(View view) {
    limit = ScalingLimit.NONE;
    limitReason = "";
    ScalingPolicy policy = view.policy();
    int missing = policy.getMinShards() - view.soon();
    if (missing > 0) {
      int room = policy.getMaxShards() - view.total();
      return room < 1
          ? ScalingDecision.NONE
          : ScalingDecision.scaleUp(
              Math.min(room, missing),
              view.active().size() + " active shards, minShards is " + policy.getMinShards());
    }
    double perShard = ScalingNeed.perShard(view.active(), ScalingNeed.TRUST);
    List<ShardLoad> pressed =
        view.active().stream().filter(load -> load.warm() && pressed(load, policy)).toList();
    smoothedRate += WEIGHT_OF_LATEST * (view.offered() - smoothedRate);
    peak.add(view.nowNanos(), atLeast(view, !pressed.isEmpty()));
    if (perShard == 0) {
      ScalingDecision up = upByThreshold(view, pressed);
      return up.direction() == Direction.NONE ? down(view) : up;
    }
    judge(view, need(view, perShard, view.offered(), 0), pressed);
    ScalingNeed need = need(view, perShard, smoothedRate);
    noteHotSlot(need);
    boolean again = wasShort;
    wasShort = need.shards() > view.soon();
    if (wasShort && again && !view.coolingDown(Direction.DOWN)) {
      ScalingDecision up =
          up(view, need.shards() - view.soon(), need, why(need, policy, secondsLeft(view)));
      if (up.direction() != Direction.NONE) {
        return up;
      }
    }
    ScalingDecision up = wasShort ? ScalingDecision.NONE : upByThreshold(view, pressed);
    return up.direction() == Direction.NONE ? down(view) : up;
  }

  /** Whether more shards have brought more. */
  private void judge(View view, ScalingNeed now, List<ShardLoad> pressed) {
    if (!view.active().stream().allMatch(ShardLoad::warm)) {
      return;
    }
    boolean full = view.active().stream().anyMatch(load -> load.fillRatio() >= FULL);
    trial.windowEnded(
        view.active().size(),
        full || now.rate() > now.capacity() || !pressed.isEmpty(),
        full ? Double.POSITIVE_INFINITY : now.rate(),
        view.settledRate(),
        view.nowNanos(),
        view.policy().getScaleDownDelay().toNanos());
  }

  private ScalingDecision upByThreshold(View view, List<ShardLoad> pressed) {
    if (pressed.isEmpty()
        || view.coming() > 0
        || limit == ScalingLimit.HOT_KEY
        || view.coolingDown(Direction.UP)
        || view.coolingDown(Direction.DOWN)) {
      return ScalingDecision.NONE;
    }
    ScalingNeed asItIs =
        new ScalingNeed(
            view.soon() + pressed.size(), view.offered(), 0, view.settledRate(), List.of());
    return up(view, pressed.size(), asItIs, why(pressed.get(0), view.policy()));
  }

  private ScalingDecision down(View view) {
    ScalingPolicy policy = view.policy();
    int active = view.active().size();
    if (view.coming() > 0
        || view.coolingDown(Direction.UP)
        || view.coolingDown(Direction.DOWN)) {
      return ScalingDecision.NONE;
    }
    int helpful = Math.max(policy.getMinShards(), trial.most());
    if (active > helpful) {
      return ScalingDecision.scaleDown(active - helpful, trial.reason());
    }
    int needed =
        Math.max(
            policy.getMinShards(),
            peak.most(view.nowNanos(), policy.getScaleDownDelay().toNanos()));
    return active > needed
        ? ScalingDecision.scaleDown(
            active - needed,
            String.format(
                Locale.ROOT,
                "%d shards were enough for %d ms, %.0f events/s come",
                needed,
                policy.getScaleDownDelay().toMillis(),
                view.offered()))
        : ScalingDecision.NONE;
  }

  /** How many shards must stay by this window. */
  private int atLeast(View view, boolean pressed) {
    ScalingPolicy policy = view.policy();
    boolean idle =
        !pressed
            && view.active().stream()
                .allMatch(
                    load -> load.warm() && load.fillRatio() < policy.getUnderutilizedThreshold());
    if (!idle) {
      return view.soon();
    }
    double perShard = ScalingNeed.perShard(view.active(), 1);
    if (perShard == 0) {
      return view.offered() == 0 ? policy.getMinShards() : view.soon();
    }
    return ScalingNeed.of(
            view.active(),
            view.coming(),
            perShard,
            0,
            1,
            view.offered(),
            (1 - RESERVE) * policy.getTargetUtilization(),
            view.hot().apply(policy.getTargetUtilization() * perShard))
        .shards();
  }

  // ---------------------------------------------------------------- both

  private ScalingNeed need(View view, double perShard, double rate) {
    double least = trial.leastPerShard();
    return need(view, Math.max(perShard, least), rate, least);
  }

  private static ScalingNeed need(View view, double perShard, double rate, double least) {
    double utilization = view.policy().getTargetUtilization();
    return ScalingNeed.of(
        view.active(),
        view.coming(),
        perShard,
        least,
        ScalingNeed.TRUST,
        rate,
        utilization,
        view.hot().apply(utilization * perShard));
  }

  /** As many more as the limits allow. */
  private ScalingDecision up(View view, int count, ScalingNeed need, String cause) {
    noteHotSlot(need);
    if (count < 1) {
      return ScalingDecision.NONE;
    }
    int max = view.policy().getMaxShards();
    int byTrial = trial.most() == Integer.MAX_VALUE ? count : trial.most() - view.soon();
    int room = Math.min(max - view.total(), byTrial);
    if (room < count) {
      boolean sink = byTrial < max - view.total();
      limit = sink ? ScalingLimit.SINK : ScalingLimit.MAX_SHARDS;
      limitReason = sink ? trial.reason() : cause + ", but maxShards is " + max;
    }
    if (room < 1) {
      return ScalingDecision.NONE;
    }
    trial.begin(view.active().size(), need.capacity(), need.perShard());
    return ScalingDecision.scaleUp(Math.min(room, count), cause);
  }

  private void noteHotSlot(ScalingNeed need) {
    double hottest = need.hot().stream().mapToDouble(rate -> rate).max().orElse(0);
    if (hottest > need.perShard()) {
      limit = ScalingLimit.HOT_KEY;
      limitReason =
          String.format(
              Locale.ROOT,
              "one key, or keys of one slot, bring %.0f events/s, and a shard drains %.0f",
              hottest,
              need.perShard());
    }
  }

  private static boolean pressed(ShardLoad load, ScalingPolicy policy) {
    return (load.fillRatio() > policy.getFillRatioThreshold() && load.filling())
        || load.pushNanos() > policy.getPushLatencyThresholdNanos()
        || load.flushMicros() > policy.getFlushLatencyThresholdMicros();
  }

  private static String why(ScalingNeed need, ScalingPolicy policy, double secondsLeft) {
    String text =
        String.format(
            Locale.ROOT,
            "%.0f events/s come, and a shard drains %.0f: %d shards are needed at a utilization of %s",
            need.rate(),
            need.perShard(),
            need.shards(),
            policy.getTargetUtilization());
    return secondsLeft == Double.POSITIVE_INFINITY
        ? text
        : text + String.format(Locale.ROOT, "; a ring is full in %.1f s", secondsLeft);
  }

  private static String why(ShardLoad load, ScalingPolicy policy) {
    String shard = "shard " + load.shard().id() + ": ";
    if (load.fillRatio() > policy.getFillRatioThreshold()) {
      return String.format(
          Locale.ROOT,
          "%sfill %.2f above %s",
          shard,
          load.fillRatio(),
          policy.getFillRatioThreshold());
    }
    return load.pushNanos() > policy.getPushLatencyThresholdNanos()
        ? shard
            + "push "
            + load.pushNanos()
            + " ns above "
            + policy.getPushLatencyThresholdNanos()
        : shard
            + "flush "
            + load.flushMicros()
            + " us above "
            + policy.getFlushLatencyThresholdMicros();
  }
}
