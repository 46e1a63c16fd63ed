package io.shardbus.shard;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/*
 * Which load each shard should have.
 *
 * Loads are poured like water: a load that is to be taken off is taken from the highest, a load that is to be added
 * goes to the lowest, until all stand at one level. In running operation the level is headroom: a shard's pressure is
 * (what comes per second + what it must work off per second to be empty in time) / (what it can drain per second), and
 * loads are poured so that all shards come under the same pressure. Since the shares are in proportion to what each
 * can take, the emptiest shard is not run over by all.
 */
/** Sets targets for the shards' loads, in events per second. Not safe for threads. */
final class LoadBalancer {

  /** In what time a backlog should be gone. */
  private static final double WORK_OFF_SECONDS = 2;

  /** Below this pressure nobody needs relief. */
  private static final double PRESSURE_WORTH_RELIEF = 0.5;

  /** Hysteresis: the highest pressure must come down by at least this. */
  private static final double LEAST_RELIEF = 0.1;

  /** A write must have been under way in this share of a window for it to tell of the capacity. */
  private static final double LEAST_BUSY_RATIO = 0.01;

  private static final double WEIGHT_OF_LATEST = 0.5;

  /** What the slowest shard is held capable of, as a share of the fastest. */
  private static final double LEAST_CAPACITY = 1e-3;

  /** Events per second that a shard drains when it is busy throughout. */
  private Map<Shard, Double> capacities = new HashMap<>();

  private record Pressure(ShardLoad load, double rate, double backlog, double capacity) {

    double value() {
      return (rate + backlog) / capacity;
    }

    double empty() {
      return backlog / capacity;
    }
  }

  /** An equal share for a newcomer, taken from those above the level that this leaves. */
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

  /** What {@code freed} brings goes to those below the level that this leads to. */
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
   * @param loads what the active shards did in the window that has just ended
   * @return the targets; empty if all is well as it is
   */
  Optional<Map<Shard, Double>> followHeadroom(Map<Shard, Double> rates, List<ShardLoad> loads) {
    measureCapacities(loads);
    double best = capacities.values().stream().mapToDouble(c -> c).max().orElse(0);
    if (best == 0 || !loads.stream().allMatch(ShardLoad::warm)) {
      return Optional.empty();
    }
    List<Pressure> emptiestFirst = new ArrayList<>();
    for (ShardLoad load : loads) {
      double capacity = capacities.getOrDefault(load.shard(), best);
      emptiestFirst.add(
          new Pressure(
              load,
              rates.getOrDefault(load.shard(), 0.0),
              load.pending() / WORK_OFF_SECONDS,
              Math.max(best * LEAST_CAPACITY, capacity)));
    }
    emptiestFirst.sort(Comparator.comparingDouble(Pressure::empty));
    double level = level(emptiestFirst, sum(rates));
    double highest = emptiestFirst.stream().mapToDouble(Pressure::value).max().orElse(0);
    if (highest < PRESSURE_WORTH_RELIEF || highest - level < LEAST_RELIEF) {
      return Optional.empty();
    }
    Map<Shard, Double> targets = new LinkedHashMap<>();
    for (Pressure one : emptiestFirst) {
      double target = Math.max(0, level * one.capacity - one.backlog);
      boolean near = Math.abs(one.rate - target) < LEAST_RELIEF / 2 * one.capacity;
      targets.put(one.load.shard(), near ? one.rate : target);
    }
    return Optional.of(targets);
  }

  private static double level(List<Pressure> emptiestFirst, double total) {
    double poured = total;
    double capacity = 0;
    for (Pressure one : emptiestFirst) {
      if (capacity > 0 && poured / capacity <= one.empty()) {
        break;
      }
      poured += one.backlog;
      capacity += one.capacity;
    }
    return poured / capacity;
  }

  private void measureCapacities(List<ShardLoad> loads) {
    Map<Shard, Double> next = new HashMap<>();
    for (ShardLoad load : loads) {
      Double before = capacities.get(load.shard());
      Double latest = capacity(load, before);
      if (latest != null) {
        next.put(
            load.shard(), before == null ? latest : before + WEIGHT_OF_LATEST * (latest - before));
      }
    }
    capacities = next;
  }

  private static @Nullable Double capacity(ShardLoad load, @Nullable Double before) {
    if (load.drainRate() == 0 && load.pending() > 0) {
      return 0.0; // its sink hangs
    }
    return load.busyRatio() < LEAST_BUSY_RATIO
        ? before
        : Double.valueOf(load.drainRate() / load.busyRatio());
  }

  private static double sum(Map<Shard, Double> rates) {
    return rates.values().stream().mapToDouble(rate -> rate).sum();
  }
}
