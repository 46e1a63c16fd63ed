package io.shardbus.shard;

import io.shardbus.shard.ScalingDecision.Direction;
import java.util.List;
import java.util.Locale;

/*
 * ScalingNeed says how many shards a load needs. This class says when to act on it.
 *
 * Up, at each look, while rings fill. A ring that fills at a known rate is full at a known time. The need must have
 * lasted for an eighth of that time: a ring that would be full in 400 ms gets help after 50 ms. A lump of events from a
 * producer that was paused does not count while the ring has room for it. Neither the cooldown nor an earlier change
 * holds this step back. For one metrics window after it, each look adds what is still missing: the first look may have
 * seen only a part of a step.
 *
 * Up, at the end of a metrics window. Two windows in a row must say that the shards are busier than targetUtilization;
 * only a removal holds that back, for the cooldown. Or a shard is pressed: its ring is fuller than fillRatioThreshold
 * and does not fall, or pushes or flushes are slow. Any change holds that back, for the cooldown. A shard that hangs asks
 * for another one only if it is alone: where the sink fails for all, each one more would hang, too.
 *
 * Down, at the end of a metrics window, in one step: to the most shards that any window of the last scaleDownDelay
 * needed. Any change holds it back, for the cooldown.
 *
 * More shards than before are on trial: see ScalingTrial.
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

  /** For so long looks go on adding what is needed. */
  private double continueSeconds;

  /** Whether the last window said that there are too few. */
  private boolean wasShort;

  private ScalingLimit limit = ScalingLimit.NONE;
  private String limitReason = "";

  ScalingLimit limit() {
    return limit;
  }

  String limitReason() {
    return limitReason;
  }

  // ---------------------------------------------------------------- each look

  /** Acts if rings would be full before the next window could help. */
  ScalingDecision look(ScalingView view) {
    double secondsLeft = secondsLeft(view);
    boolean continuing = continueSeconds > 0;
    continueSeconds -= view.seconds();
    if (secondsLeft == Double.POSITIVE_INFINITY && !continuing) {
      fillingSeconds = 0;
      cameWhileFilling = 0;
      return ScalingDecision.NONE;
    }
    fillingSeconds += view.seconds();
    cameWhileFilling += view.offered() * view.seconds();
    if (fillingSeconds < EVIDENCE * secondsLeft && !continuing) {
      return ScalingDecision.NONE;
    }
    ScalingNeed need = need(view, cameWhileFilling / fillingSeconds);
    ScalingDecision decision =
        up(view, need.shards() - view.soon(), need, why(need, view.policy(), secondsLeft));
    if (decision.direction() != Direction.NONE) {
      fillingSeconds = 0;
      cameWhileFilling = 0;
      smoothedRate = Math.max(smoothedRate, need.rate());
      continueSeconds = view.policy().getMetricsWindow().toNanos() / 1e9;
    }
    return decision;
  }

  private static double secondsLeft(ScalingView view) {
    return view.active().stream()
        .mapToDouble(ScalingEvaluator::secondsUntilFull)
        .min()
        .orElse(Double.POSITIVE_INFINITY);
  }

  private static double secondsUntilFull(ShardLoad load) {
    double surplus = load.offeredRate() - ScalingNeed.drained(load, true);
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

  ScalingDecision window(ScalingView view) {
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
    List<ShardLoad> pressed =
        view.active().stream()
            .filter(load -> load.warm() && pressed(load, policy))
            .filter(load -> !load.capacity().hung() || view.active().size() == 1)
            .toList();
    smoothedRate += WEIGHT_OF_LATEST * (view.offered() - smoothedRate);
    peak.add(view.nowNanos(), atLeast(view, !pressed.isEmpty()));
    judge(view, pressed);
    // The smaller: what came is no reason once it comes no more, and a noisy window is none alone.
    ScalingNeed need = need(view, Math.min(smoothedRate, view.offered()));
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
  private void judge(ScalingView view, List<ShardLoad> pressed) {
    double utilization = view.policy().getTargetUtilization();
    ScalingNeed now = ScalingNeed.of(view, view.offered(), utilization, true, 0);
    if (!view.warm() || now.perShard() == 0) {
      return;
    }
    boolean full = view.active().stream().anyMatch(load -> load.fillRatio() >= FULL);
    double writeMicros = view.active().stream().mapToLong(ShardLoad::flushMicros).max().orElse(0);
    trial.windowEnded(
        view.active().size(),
        writeMicros / 1e6 / view.seconds(),
        view.total() < view.policy().getMaxShards(),
        full || now.rate() > now.capacity() || !pressed.isEmpty(),
        full ? Double.POSITIVE_INFINITY : now.rate(),
        view.settledRate(),
        view.nowNanos(),
        view.policy().getScaleDownDelay().toNanos());
  }

  private ScalingDecision upByThreshold(ScalingView view, List<ShardLoad> pressed) {
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

  private ScalingDecision down(ScalingView view) {
    ScalingPolicy policy = view.policy();
    int active = view.active().size();
    if (view.coming() > 0 || view.coolingDown(Direction.UP) || view.coolingDown(Direction.DOWN)) {
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
  private int atLeast(ScalingView view, boolean pressed) {
    ScalingPolicy policy = view.policy();
    boolean idle =
        !pressed
            && view.active().stream()
                .allMatch(
                    load -> load.warm() && load.fillRatio() < policy.getUnderutilizedThreshold());
    if (!idle) {
      return view.soon();
    }
    double utilization = (1 - RESERVE) * policy.getTargetUtilization();
    ScalingNeed need = ScalingNeed.of(view, view.offered(), utilization, false, 0);
    return view.offered() == 0 ? policy.getMinShards() : need.shards();
  }

  // ---------------------------------------------------------------- both

  private ScalingNeed need(ScalingView view, double rate) {
    double utilization = view.policy().getTargetUtilization();
    return ScalingNeed.of(view, rate, utilization, true, trial.leastPerShard());
  }

  /** As many more as the limits allow. */
  private ScalingDecision up(ScalingView view, int needed, ScalingNeed need, String cause) {
    noteHotSlot(need);
    if (needed < 1) {
      return ScalingDecision.NONE;
    }
    int count = trial.step(needed);
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
            "%.0f events/s come, and a shard drains %.0f: %d shards are needed at a utilization of"
                + " %s",
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
        ? shard + "push " + load.pushNanos() + " ns above " + policy.getPushLatencyThresholdNanos()
        : shard
            + "flush "
            + load.flushMicros()
            + " us above "
            + policy.getFlushLatencyThresholdMicros();
  }
}
