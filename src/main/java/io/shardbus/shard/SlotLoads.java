package io.shardbus.shard;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntToDoubleFunction;

/**
 * How many events per second each slot of the routing table gets, estimated. What a shard gets is
 * known exactly; it is shared out over the shard's slots by a sample of the events. For one thread
 * at a time; producers count the sample.
 */
final class SlotLoads {

  /**
   * Samples that a slot is credited with beforehand: a few samples say little of a slot, many make
   * it hot.
   */
  private static final double PRIOR_SAMPLES = 4;

  private static final double SAMPLES_THAT_SAY_ENOUGH = 6;

  /** A slot with so many times the samples of the mean is hot for certain. */
  private static final double HOT = 8;

  /** What a window's samples are worth in the next. */
  private static final double MEMORY = 0.8;

  /** Of events with a key, and of those without: a few may always come. */
  private static final double LEAST_SHARE = 1e-3;

  private static final double WEIGHT_OF_LATEST = 0.5;

  /** So that slots without traffic count as equals. */
  private static final double LEAST_RATE = 1e-3;

  private final int ranges;
  private final SlotSamples samples;
  private final double[] heat;
  private final double[] rate;
  private boolean measured;
  private boolean keys;

  /** The part of the events that have a key, of late. */
  private double shareOfKeys;

  /**
   * @param ranges hash ranges, each a slot of events without a key and a slot of events with one
   */
  SlotLoads(int ranges) {
    this.ranges = ranges;
    samples = new SlotSamples(ranges);
    heat = new double[2 * ranges];
    rate = new double[2 * ranges];
  }

  int ranges() {
    return ranges;
  }

  boolean isOfKeys(int slot) {
    return slot >= ranges;
  }

  /** What producers count. */
  SlotSamples samples() {
    return samples;
  }

  /** Ends a window in which the slots had these owners. */
  void update(RoutingTable table, List<ShardLoad> loads) {
    double ofKeys = 0;
    double all = 0;
    for (int i = 0; i < rate.length; i++) {
      heat[i] = heat[i] * MEMORY + samples.take(i);
      all += heat[i];
      ofKeys += isOfKeys(i) ? heat[i] : 0;
    }
    shareOfKeys = all == 0 ? shareOfKeys : ofKeys / all;
    Map<Shard, Double> rates = new HashMap<>();
    loads.stream()
        .filter(ShardLoad::warm)
        .forEach(load -> rates.put(load.shard(), load.offeredRate()));
    double[] shares = shares(table);
    for (int i = 0; i < rate.length; i++) {
      Double ofShard = rates.get(table.owner(i));
      if (ofShard != null) {
        double latest = shares[i] * ofShard;
        rate[i] = measured ? rate[i] + WEIGHT_OF_LATEST * (latest - rate[i]) : latest;
      }
    }
    measured |= !rates.isEmpty();
  }

  /** The part of its shard's events that each slot gets. */
  private double[] shares(RoutingTable table) {
    Map<Shard, Double> heats = new HashMap<>();
    Map<Shard, Integer> slots = new HashMap<>();
    for (int i = 0; i < rate.length; i++) {
      heats.merge(table.owner(i), heat[i], Double::sum);
      slots.merge(table.owner(i), 1, Integer::sum);
    }
    double[] shares = new double[rate.length];
    Map<Shard, Double> ofHot = new HashMap<>();
    Map<Shard, Double> weights = new HashMap<>();
    for (int i = 0; i < rate.length; i++) {
      Shard owner = table.owner(i);
      double all = heats.getOrDefault(owner, 0.0);
      double mean = all / slots.getOrDefault(owner, 1);
      if (heat[i] >= Math.max(SAMPLES_THAT_SAY_ENOUGH, HOT * mean)) {
        shares[i] = heat[i] / all;
        ofHot.merge(owner, shares[i], Double::sum);
      } else {
        weights.merge(owner, heat[i] + prior(i), Double::sum);
      }
    }
    for (int i = 0; i < rate.length; i++) {
      if (shares[i] == 0) {
        double ofRest = 1 - ofHot.getOrDefault(table.owner(i), 0.0);
        shares[i] = ofRest * (heat[i] + prior(i)) / weights.getOrDefault(table.owner(i), 1.0);
      }
    }
    return shares;
  }

  /**
   * The rates of the slots that bring more than so many events per second, by the samples of the
   * windows before or by those of this one: a few that all have one slot say enough.
   */
  List<Double> above(double least, RoutingTable table, List<ShardLoad> loads) {
    Map<Shard, Double> rates = new HashMap<>();
    loads.forEach(load -> rates.put(load.shard(), load.offeredRate()));
    double[] before = shares(table, slot -> heat[slot]);
    double[] now = shares(table, samples::get);
    List<Double> above = new ArrayList<>();
    for (int i = 0; i < table.slotCount(); i++) {
      double slotRate = Math.max(before[i], now[i]) * rates.getOrDefault(table.owner(i), 0.0);
      if (slotRate > least) {
        above.add(slotRate);
      }
    }
    return above;
  }

  /** The part of its shard's samples that each slot has; 0 if it has few. */
  private static double[] shares(RoutingTable table, IntToDoubleFunction count) {
    Map<Shard, Double> totals = new HashMap<>();
    double[] shares = new double[table.slotCount()];
    for (int i = 0; i < shares.length; i++) {
      totals.merge(table.owner(i), count.applyAsDouble(i), Double::sum);
    }
    for (int i = 0; i < shares.length; i++) {
      double mine = count.applyAsDouble(i);
      shares[i] =
          mine < SAMPLES_THAT_SAY_ENOUGH ? 0 : mine / totals.getOrDefault(table.owner(i), mine);
    }
    return shares;
  }

  private double prior(int slot) {
    double share = isOfKeys(slot) ? shareOfKeys : 1 - shareOfKeys;
    return PRIOR_SAMPLES * Math.max(LEAST_SHARE, share);
  }

  /** Events per second; above 0, but for events with a key before there are any. */
  double rate(int slot) {
    return isOfKeys(slot) && !keys ? 0 : Math.max(LEAST_RATE, rate[slot]);
  }

  /** Whether there are events with a key. */
  void keysSeen(boolean seen) {
    keys = seen;
  }
}
