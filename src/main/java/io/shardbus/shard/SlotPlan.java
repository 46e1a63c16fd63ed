package io.shardbus.shard;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeSet;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Hands slots out so that each shard's load comes near its target, moving few: from the shard that
 * is furthest above its target to the one furthest below, its hottest slot that fits both. A shard
 * keeps at least one slot of events without a key, so that it can show what it can do.
 */
final class SlotPlan {

  private static final int MIN_SLOTS = 1024;
  private static final int SLOTS_PER_SHARD = 32;

  private final Shard[] slots;
  private final SlotLoads loads;
  private final IntPredicate mayMove;
  private final TreeSet<Share> shares =
      new TreeSet<>(
          Comparator.comparingDouble((Share share) -> share.excess)
              .thenComparing(share -> share.shard.id()));

  private SlotPlan(Shard[] slots, SlotLoads loads, IntPredicate mayMove) {
    this.slots = slots;
    this.loads = loads;
    this.mayMove = mayMove;
  }

  /** One shard's slots, hottest first, and how far its load is above its target. */
  private static final class Share {

    final Shard shard;
    final Deque<Integer> hottestFirst = new ArrayDeque<>();
    final Deque<Integer> tooHot = new ArrayDeque<>();
    double excess;
    int unkeyed;

    Share(Shard shard, double target) {
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
  static Shard[] equalRanges(List<Shard> shards, int ranges) {
    Shard[] slots = new Shard[2 * ranges];
    for (int i = 0; i < ranges; i++) {
      slots[i] = shards.get((int) ((long) i * shards.size() / ranges));
      slots[ranges + i] = slots[i];
    }
    return slots;
  }

  /**
   * @param slots the owners now
   * @param loads what each slot brings
   * @param targets events per second by owner to be; a shard that is not named loses all its slots
   * @param mayMove which slots of a shard that is named may be moved
   * @return the new owners
   */
  static Shard[] move(
      Shard[] slots, SlotLoads loads, Map<Shard, Double> targets, IntPredicate mayMove) {
    return new SlotPlan(slots.clone(), loads, mayMove).approach(targets);
  }

  private Shard[] approach(Map<Shard, Double> targets) {
    List<Integer> orphans = fillShares(targets);
    for (int slot : orphans) {
      Share receiver = take(shares.pollFirst());
      give(slot, receiver);
      shares.add(receiver);
    }
    while (shares.size() > 1) {
      Share donor = take(shares.pollLast());
      Share receiver = take(shares.first());
      Integer slot = pick(donor, -receiver.excess);
      if (slot == null) {
        continue; // it has nothing that would help
      }
      shares.remove(receiver);
      donor.excess -= loads.rate(slot);
      donor.unkeyed -= loads.isOfKeys(slot) ? 0 : 1;
      give(slot, receiver);
      shares.add(donor);
      shares.add(receiver);
    }
    return slots;
  }

  private static Share take(@Nullable Share share) {
    if (share == null) {
      throw new IllegalStateException("no shard to own a slot");
    }
    return share;
  }

  /** Returns the slots whose owner leaves, hottest first. */
  private List<Integer> fillShares(Map<Shard, Double> targets) {
    Map<Shard, Share> byShard = new HashMap<>();
    targets.forEach((shard, target) -> byShard.put(shard, new Share(shard, target)));
    List<Integer> order = new ArrayList<>(slots.length);
    for (int i = 0; i < slots.length; i++) {
      order.add(i);
    }
    Collections.shuffle(order, new Random(0)); // of equals, those with a key go as the others do
    order.sort(Collections.reverseOrder(Comparator.comparingDouble(loads::rate)));
    List<Integer> orphans = new ArrayList<>();
    for (int slot : order) {
      Share share = byShard.get(slots[slot]);
      if (share == null) {
        orphans.add(slot);
      } else {
        share.excess += loads.rate(slot);
        if (!loads.isOfKeys(slot)) {
          share.unkeyed++;
        }
        if (mayMove.test(slot)) {
          share.hottestFirst.add(slot);
        }
      }
    }
    shares.addAll(byShard.values());
    return orphans;
  }

  /** The slot whose move brings both nearer to their targets; null if there is none. */
  private @Nullable Integer pick(Share donor, double deficit) {
    if (donor.excess <= 0 || deficit <= 0) {
      return null;
    }
    // Excess and deficit only shrink: what is too hot now stays so.
    double fits = Math.min(donor.excess, deficit);
    for (Integer slot = donor.hottestFirst.poll(); slot != null; slot = donor.hottestFirst.poll()) {
      if (!mayGive(donor, slot)) {
        continue;
      }
      if (loads.rate(slot) <= fits) {
        return slot;
      }
      donor.tooHot.push(slot);
    }
    // The coldest of the rest: worth it while the two are nearer to their targets afterwards.
    Integer coldest = donor.tooHot.poll();
    boolean worthIt =
        coldest != null && mayGive(donor, coldest) && loads.rate(coldest) < donor.excess + deficit;
    return worthIt ? coldest : null;
  }

  private boolean mayGive(Share donor, int slot) {
    return loads.isOfKeys(slot) || donor.unkeyed > 1;
  }

  private void give(int slot, Share receiver) {
    slots[slot] = receiver.shard;
    receiver.excess += loads.rate(slot);
  }
}
