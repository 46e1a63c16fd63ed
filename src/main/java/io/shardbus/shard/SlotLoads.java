package io.shardbus.shard;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * How many events per second each slot of the routing table gets, estimated. What a shard gets is
 * known exactly; it is shared out over the shard's slots by a sample of the events. {@link #sample}
 * is for any thread, the rest for one at a time.
 */
final class SlotLoads {

  /**
   * Samples that a slot is credited with beforehand: a few samples say little of a slot, many make
   * it hot.
   */
  private static final double PRIOR_SAMPLES = 4;

  /** What a window's samples are worth in the next. */
  private static final double MEMORY = 0.8;

  private static final double WEIGHT_OF_LATEST = 0.5;

  /** So that slots without traffic count as equals. */
  private static final double LEAST_RATE = 1e-3;

  private final AtomicIntegerArray samples;
  private final double[] heat;
  private final double[] rate;
  private boolean measured;

  SlotLoads(int slots) {
    samples = new AtomicIntegerArray(slots);
    heat = new double[slots];
    rate = new double[slots];
  }

  int slots() {
    return rate.length;
  }

  /** An event of a sample was routed by this slot. */
  void sample(int slot) {
    samples.incrementAndGet(slot);
  }

  /** Ends a window in which the slots had these owners. */
  void update(RoutingTable table, List<ShardLoad> loads) {
    Map<Shard, Double> heats = new HashMap<>();
    for (int i = 0; i < rate.length; i++) {
      heat[i] = heat[i] * MEMORY + samples.getAndSet(i, 0);
      heats.merge(table.owner(i), heat[i] + PRIOR_SAMPLES, Double::sum);
    }
    Map<Shard, Double> ratePerHeat = new HashMap<>();
    for (ShardLoad load : loads) {
      Double total = heats.get(load.shard());
      if (load.warm() && total != null) {
        ratePerHeat.put(load.shard(), load.offeredRate() / total);
      }
    }
    for (int i = 0; i < rate.length; i++) {
      Double unit = ratePerHeat.get(table.owner(i));
      if (unit != null) {
        double latest = unit * (heat[i] + PRIOR_SAMPLES);
        rate[i] = measured ? rate[i] + WEIGHT_OF_LATEST * (latest - rate[i]) : latest;
      }
    }
    measured |= !ratePerHeat.isEmpty();
  }

  /** Events per second; above 0. */
  double rate(int slot) {
    return Math.max(LEAST_RATE, rate[slot]);
  }
}
