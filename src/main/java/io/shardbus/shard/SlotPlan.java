package io.shardbus.shard;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Hands slots out so that each shard's load comes near its target, moving few: from the shard that
 * is furthest above its target to the one furthest below, its hottest slot that fits both. A shard
 * keeps at least one slot, so that it can show what it can do.
 */
final class SlotPlan {

  private static final int MIN_SLOTS = 1024;
  private static final int SLOTS_PER_SHARD = 32;

  private final Shard[] slots;
  private final SlotLoads loads;
  private final TreeSet<Lane> lanes =
      new TreeSet<>(
          Comparator.comparingDouble((Lane lane) -> lane.excess)
              .thenComparing(lane -> lane.shard.id()));

  private SlotPlan(Shard[] slots, SlotLoads loads) {
    this.slots = slots;
    this.loads = loads;
  }

  /** One shard's slots, hottest first, and how far its load is above its target. */
  private static final class Lane {

    final Shard shard;
    final Deque<Integer> hottestFirst = new ArrayDeque<>();
    final Deque<Integer> tooHot = new ArrayDeque<>();
    double excess;

    Lane(Shard shard, double target) {
      this.shard = shard;
      this.excess = -target;
    }
  }

  /** With 32 slots or more a shard, whole slots are within 3.2 % of equal shares. */
  static int slotCount(int maxShards) {
    return Math.max(MIN_SLOTS, Integer.highestOneBit(SLOTS_PER_SHARD * maxShards - 1) << 1);
  }

  /** For how many shards a table of so many slots is enough. */
  static int mostShards(int slotCount) {
    return slotCount / SLOTS_PER_SHARD;
  }

  /** Equal ranges, for shards that have not seen an event. */
  static Shard[] equalRanges(List<Shard> shards, int slotCount) {
    Shard[] slots = new Shard[slotCount];
    for (int i = 0; i < slotCount; i++) {
      slots[i] = shards.get((int) ((long) i * shards.size() / slotCount));
    }
    return slots;
  }

  /**
   * @param slots the owners now
   * @param loads what each slot brings
   * @param targets events per second by owner to be; a shard that is not named loses all its slots
   * @return the owners then; empty if nobody is to own a slot
   */
  static Shard[] move(Shard[] slots, SlotLoads loads, Map<Shard, Double> targets) {
    return targets.isEmpty() ? new Shard[0] : new SlotPlan(slots.clone(), loads).approach(targets);
  }

  private Shard[] approach(Map<Shard, Double> targets) {
    List<Integer> orphans = fillLanes(targets);
    for (int slot : orphans) {
      Lane receiver = take(lanes.pollFirst());
      give(slot, receiver);
      lanes.add(receiver);
    }
    while (lanes.size() > 1) {
      Lane donor = take(lanes.pollLast());
      Lane receiver = take(lanes.first());
      Integer slot = pick(donor, -receiver.excess);
      if (slot == null) {
        continue; // it has nothing that would help
      }
      lanes.remove(receiver);
      donor.excess -= loads.rate(slot);
      give(slot, receiver);
      lanes.add(donor);
      lanes.add(receiver);
    }
    return slots;
  }

  private static Lane take(@Nullable Lane lane) {
    if (lane == null) {
      throw new IllegalStateException("no shard to own a slot");
    }
    return lane;
  }

  /** Returns the slots whose owner leaves, hottest first. */
  private List<Integer> fillLanes(Map<Shard, Double> targets) {
    Map<Shard, Lane> byShard = new HashMap<>();
    targets.forEach((shard, target) -> byShard.put(shard, new Lane(shard, target)));
    List<Integer> order = new ArrayList<>(slots.length);
    for (int i = 0; i < slots.length; i++) {
      order.add(i);
    }
    order.sort(Collections.reverseOrder(Comparator.comparingDouble(loads::rate)));
    List<Integer> orphans = new ArrayList<>();
    for (int slot : order) {
      Lane lane = byShard.get(slots[slot]);
      if (lane == null) {
        orphans.add(slot);
      } else {
        lane.hottestFirst.add(slot);
        lane.excess += loads.rate(slot);
      }
    }
    lanes.addAll(byShard.values());
    return orphans;
  }

  /** The slot whose move brings both nearer to their targets; null if there is none. */
  private @Nullable Integer pick(Lane donor, double deficit) {
    if (donor.excess <= 0 || deficit <= 0 || donor.hottestFirst.size() + donor.tooHot.size() <= 1) {
      return null;
    }
    // Excess and deficit only shrink: what is too hot now stays so.
    double fits = Math.min(donor.excess, deficit);
    for (Integer slot = donor.hottestFirst.poll(); slot != null; slot = donor.hottestFirst.poll()) {
      if (loads.rate(slot) <= fits) {
        return slot;
      }
      donor.tooHot.push(slot);
    }
    // The coldest of the rest: worth it while the two are nearer to their targets afterwards.
    Integer coldest = donor.tooHot.pop();
    return loads.rate(coldest) < donor.excess + deficit ? coldest : null;
  }

  private void give(int slot, Lane receiver) {
    slots[slot] = receiver.shard;
    receiver.excess += loads.rate(slot);
  }
}
