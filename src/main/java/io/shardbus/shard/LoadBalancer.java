package io.shardbus.shard;

import io.shardbus.shard.DrainCapacity.Estimate;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/*
 * Which load each shard should have.
 *
 * Loads are poured like water: a load that is to be taken off is taken from the highest, a load that is to be added
 * goes to the lowest, until all stand at one level. In running operation the level is headroom: a shard's pressure is
 * (what comes per second + what it must work off per second to be empty in time) / (what it can drain per second), and
 * loads are poured so that all shards come under the same pressure. Since the shares are in proportion to what each
 * can take, the emptiest shard is not run over by all.
 *
 * A shard that shows only what it can drain at least has nothing to work off: what it holds is being written, or is about
 * to be. So it needs no relief. While no shard has shown what it can drain, nothing moves: there is nothing to compare.
 *
 * What cannot be moved now (keys of a shard that hangs, or for which they would wait too long) is poured first, where it
 * is. It is no reason to move anything: else one such shard would keep all the others moving.
 *
 * A slot that is hotter than what any shard should have would only carry its trouble to another shard. So it counts as
 * one that cannot be moved, unless its shard is much slower than the fastest: the others make room for it instead. Only
 * the hottest slot of a shard does: of two on one shard, one is to leave.
 *
 * Low pressure needs no relief, so it would leave a shard that hung with next to nothing for good. A shard that lost
 * most of its load is owed it: it is brought to the level under any pressure. If it was slow, that waits until it drains
 * more than it did then. If it had a backlog or a hot slot, that waits only until these are gone.
 */
/** Sets targets for the shards' loads, in events per second. Not safe for threads. */
final class LoadBalancer {

  /** In what time a backlog should be gone. */
  private static final double WORK_OFF_SECONDS = 2;

  /** Below this pressure no shard needs relief. */
  private static final double PRESSURE_WORTH_RELIEF = 0.5;

  /** Hysteresis: the highest pressure must come down by at least this. */
  private static final double LEAST_RELIEF = 0.1;

  /** What the slowest shard is held capable of, as a share of the fastest. */
  private static final double LEAST_CAPACITY = 1e-3;

  /** A shard with less than this part of an equal share has nothing left to give: one slot. */
  private static final double NOTHING_LEFT = 0.05;

  /** A shard is left as it is within this pressure, and this share of its load, of its target. */
  private static final double NEAR_PRESSURE = LEAST_RELIEF / 2;

  private static final double NEAR_LOAD = 0.1;

  /** How near a shard that is owed its load has to come to what it should have. */
  private static final double NEAR_ENOUGH = 0.8;

  /** A shard has recovered once it can drain so many times what it could when it lost its load. */
  private static final double RECOVERED = 2;

  /** From a shard that is so many times slower than the fastest, even the hottest slot goes. */
  private static final double MUCH_SLOWER = 2;

  /** So many windows in a row: what slots bring is estimated, least well just after they moved. */
  private static final int PAID_FOR = 10;

  /** The shards that lost more than half of their load at once and have not got it back. */
  private final Map<Shard, Debt> owed = new HashMap<>();

  /**
   * @param capacity what the shard could drain when it lost its load; 0 if that was not why
   * @param paidFor windows in a row in which it had got it back
   */
  private record Debt(double capacity, int paidFor) {}

  private record Pressure(
      Shard shard,
      Estimate known,
      double rate,
      double fixed,
      double backlog,
      double capacity,
      boolean keepsHot) {

    Pressure keeping(double slotRate) {
      return new Pressure(shard, known, rate, fixed + slotRate, backlog, capacity, true);
    }

    double movable() {
      return rate - fixed;
    }

    double value() {
      return (rate + backlog) / capacity;
    }

    double empty() {
      return (backlog + fixed) / capacity;
    }

    double target(double level) {
      return known.hung() ? fixed : Math.max(fixed, level * capacity - backlog);
    }

    /**
     * Whether it is what the shard can drain that takes load from it, and not what it holds now.
     */
    boolean isSlowFor(double level) {
      return !keepsHot && level * capacity < fixed + movable() / 2;
    }

    double excess(double level) {
      return rate - target(level);
    }

    /**
     * A shard this near to its target is left alone, unless all shards that could give or take are.
     */
    double tolerance(double level) {
      return Math.min(NEAR_PRESSURE * capacity, NEAR_LOAD * target(level));
    }
  }

  /**
   * An equal share for a new shard, taken from the shards with the highest load, so that these end
   * at one level.
   */
  static Map<Shard, Double> withNewcomer(Map<Shard, Double> rates, Shard newcomer) {
    double share = sum(rates) / (rates.size() + 1);
    List<Double> highestFirst = rates.values().stream().sorted(Comparator.reverseOrder()).toList();
    double above = -share;
    double level = 0;
    for (int i = 0; i < highestFirst.size() && highestFirst.get(i) > level; i++) {
      above += highestFirst.get(i);
      level = above / (i + 1);
    }
    Map<Shard, Double> targets = new LinkedHashMap<>();
    for (Map.Entry<Shard, Double> entry : rates.entrySet()) {
      targets.put(entry.getKey(), Math.min(entry.getValue(), level));
    }
    targets.put(newcomer, share);
    return targets;
  }

  /** The freed load goes to the shards with the lowest load, so that these end at one level. */
  static Map<Shard, Double> withFreed(Map<Shard, Double> rates, double freed) {
    double below = freed;
    double level = Double.MAX_VALUE;
    int count = 0;
    for (double rate : rates.values().stream().sorted().toList()) {
      if (rate >= level) {
        break;
      }
      below += rate;
      level = below / ++count;
    }
    Map<Shard, Double> targets = new LinkedHashMap<>();
    for (Map.Entry<Shard, Double> entry : rates.entrySet()) {
      targets.put(entry.getKey(), Math.max(entry.getValue(), level));
    }
    return targets;
  }

  /**
   * @param rates events per second that each active shard's slots bring
   * @param fixed the part of these rates that cannot be moved now; 0 if a shard is missing
   * @param hottest the highest rate of a slot among those that can be moved
   * @param loads what the active shards did in the window that has just ended
   * @return the targets; empty if all is well as it is
   */
  Optional<Map<Shard, Double>> followHeadroom(
      Map<Shard, Double> rates,
      Map<Shard, Double> fixed,
      Map<Shard, Double> hottest,
      List<ShardLoad> loads) {
    double best = loads.stream().mapToDouble(l -> l.capacity().perSecond()).max().orElse(0);
    if (best == 0 || !loads.stream().allMatch(ShardLoad::warm)) {
      return Optional.empty();
    }
    List<Pressure> emptiestFirst = new ArrayList<>();
    for (ShardLoad load : loads) {
      emptiestFirst.add(
          new Pressure(
              load.shard(),
              load.capacity(),
              rates.getOrDefault(load.shard(), 0.0),
              fixed.getOrDefault(load.shard(), 0.0),
              load.capacity().atLeast() ? 0 : load.pending() / WORK_OFF_SECONDS,
              capacity(load.capacity(), best),
              false));
    }
    double total = sum(rates);
    double level = keepTheHot(emptiestFirst, total, hottest);
    double highest =
        emptiestFirst.stream()
            .filter(one -> !one.known.atLeast())
            .filter(
                one -> one.movable() > (one.known.hung() ? 0 : NOTHING_LEFT * total / loads.size()))
            .mapToDouble(Pressure::value)
            .max()
            .orElse(0);
    boolean relief = highest >= PRESSURE_WORTH_RELIEF && highest - level >= LEAST_RELIEF;
    if (!payBack(emptiestFirst, level) && !relief) {
      return Optional.empty();
    }
    boolean give = emptiestFirst.stream().anyMatch(one -> one.excess(level) > one.tolerance(level));
    boolean take =
        emptiestFirst.stream().anyMatch(one -> -one.excess(level) > one.tolerance(level));
    Map<Shard, Double> targets = new LinkedHashMap<>();
    for (Pressure one : emptiestFirst) {
      double target = one.target(level);
      if (target < one.fixed + one.movable() / 2) {
        owed.put(one.shard, new Debt(one.isSlowFor(level) ? one.known.perSecond() : 0, 0));
      }
      boolean near = Math.abs(one.excess(level)) <= one.tolerance(level);
      boolean needed = one.rate > target ? take && !give : give && !take;
      targets.put(one.shard, near && !needed ? one.rate : target);
    }
    return Optional.of(targets);
  }

  /** Leaves slots where they are that fit nowhere. Returns the level of the rest. */
  private static double keepTheHot(
      List<Pressure> emptiestFirst, double total, Map<Shard, Double> hottest) {
    double best = emptiestFirst.stream().mapToDouble(Pressure::capacity).max().orElse(0);
    double level = level(emptiestFirst, total);
    for (boolean again = true; again; level = level(emptiestFirst, total)) {
      again = false;
      for (int i = 0; i < emptiestFirst.size(); i++) {
        Pressure one = emptiestFirst.get(i);
        double hot = hottest.getOrDefault(one.shard, 0.0);
        if (!one.keepsHot && hot > level * best && one.capacity * MUCH_SLOWER >= best) {
          emptiestFirst.set(i, one.keeping(hot));
          again = true;
        }
      }
    }
    return level;
  }

  /** Whether a shard must get back the load that it is owed. */
  private boolean payBack(List<Pressure> all, double level) {
    boolean due = false;
    Map<Shard, Debt> open = new HashMap<>();
    for (Pressure one : all) {
      Debt debt = owed.get(one.shard);
      if (debt == null) {
        continue;
      }
      double target = one.target(level);
      boolean drainsMore =
          one.known.unknown() || one.known.perSecond() >= RECOVERED * debt.capacity;
      boolean recovered = !one.known.hung() && target > 0 && drainsMore;
      boolean lacks = one.rate < NEAR_ENOUGH * target;
      due |= recovered && lacks;
      int paidFor = recovered && !lacks ? debt.paidFor + 1 : 0;
      if (paidFor < PAID_FOR) {
        open.put(one.shard, new Debt(debt.capacity, paidFor));
      }
    }
    owed.clear();
    owed.putAll(open);
    return due;
  }

  private static double capacity(Estimate estimate, double best) {
    double presumed = estimate.perSecond();
    if (estimate.atLeast()) {
      presumed = presumed == 0 ? best : Math.min(best, estimate.trusted());
    }
    return Math.max(best * LEAST_CAPACITY, presumed);
  }

  private static double level(List<Pressure> emptiestFirst, double total) {
    emptiestFirst.sort(Comparator.comparingDouble(Pressure::empty));
    double poured = total - emptiestFirst.stream().mapToDouble(Pressure::fixed).sum();
    double capacity = 0;
    for (Pressure one : emptiestFirst) {
      if (capacity > 0 && poured / capacity <= one.empty()) {
        break;
      }
      poured += one.backlog + one.fixed;
      capacity += one.capacity;
    }
    return poured / capacity;
  }

  private static double sum(Map<Shard, Double> rates) {
    return rates.values().stream().mapToDouble(rate -> rate).sum();
  }
}
