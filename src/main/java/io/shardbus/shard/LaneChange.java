package io.shardbus.shard;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The lanes that slots get when they change their owners, with the table that holds them. All
 * objects are made before anything is changed, because memory may run out. The lanes are installed
 * before the new table is published. Not safe for threads.
 *
 * <p>A shard that loses keys, and stays, is turned over. The keys that one shard gives to another
 * get one lane there, fenced on the lanes that they come from. Keys that still wait at a fence get
 * a lane of their own, so that they hold up no others.
 */
final class LaneChange {

  private final RoutingTable table;
  private final Shard[] after;
  private final Set<Shard> turnedOver = new LinkedHashSet<>();
  private final Map<Shard, Lane> mains = new HashMap<>();
  private final Map<Way, Lane> arrivals = new LinkedHashMap<>();
  private final Map<Lane, Boolean> open = new HashMap<>();
  private final List<Lane> sealed = new ArrayList<>();
  private final List<Lane> fresh;
  private final RoutingTable next;

  /**
   * Which keys share a lane.
   *
   * @param from the shard that they leave, or the lane in which they wait at a fence
   */
  private record Way(Object from, Shard to) {}

  /**
   * @param after the new owners of the slots
   * @param crowded shards to turn over although they lose no keys
   * @param fenced whether there are keys, whose order must be kept
   * @param samples for the new table
   */
  LaneChange(
      RoutingTable table,
      Shard[] after,
      Collection<Shard> crowded,
      boolean fenced,
      SlotSamples samples) {
    this.table = table;
    this.after = after;
    int ranges = after.length / 2;
    Lane[] unkeyed = new Lane[ranges];
    Lane[] keyed = new Lane[ranges];
    if (fenced) {
      turnedOver.addAll(crowded);
      for (int i = ranges; i < after.length; i++) {
        Lane lane = table.lane(i);
        if (Shard.of(lane) != after[i] && Shard.of(lane).state() == ShardState.ACTIVE) {
          turnedOver.add(Shard.of(lane));
        }
      }
    }
    turnedOver.forEach(this::turnOver);
    if (fenced) {
      makeArrivals(ranges);
    }
    for (int i = 0; i < ranges; i++) {
      unkeyed[i] = main(after[i]);
      keyed[i] = fenced ? keyedLane(ranges + i) : main(after[ranges + i]);
    }
    fresh = new ArrayList<>(mains.values());
    fresh.addAll(arrivals.values());
    next = table.next(unkeyed, keyed, samples);
  }

  private void turnOver(Shard shard) {
    List<Lane> open = new ArrayList<>();
    for (Lane lane : shard.lanes()) {
      if (isOpen(lane) && !lane.isSealRequested()) {
        open.add(lane);
      }
    }
    mains.put(shard, shard.newLane(List.of(), open));
    sealed.addAll(open);
  }

  /** The state when this was made. A fence may open later. */
  private boolean isOpen(Lane lane) {
    return open.computeIfAbsent(lane, Lane::isOpen);
  }

  private void makeArrivals(int ranges) {
    Map<Way, Set<Lane>> fences = new LinkedHashMap<>();
    for (int i = ranges; i < after.length; i++) {
      Lane lane = table.lane(i);
      if (Shard.of(lane) != after[i]) {
        fences.computeIfAbsent(way(lane, after[i]), way -> new LinkedHashSet<>()).add(lane);
      }
    }
    fences.forEach((way, lanes) -> arrivals.put(way, way.to().newLane(lanes, List.of())));
  }

  private Way way(Lane lane, Shard to) {
    return new Way(isOpen(lane) ? Shard.of(lane) : lane, to);
  }

  private Lane main(Shard shard) {
    Lane fresh = mains.get(shard);
    return fresh == null ? shard.main() : fresh;
  }

  private Lane keyedLane(int slot) {
    Lane lane = table.lane(slot);
    Shard owner = after[slot];
    if (Shard.of(lane) != owner) {
      Lane arrival = arrivals.get(way(lane, owner));
      if (arrival == null) {
        throw new IllegalStateException("no lane for slot " + slot);
      }
      return arrival;
    }
    return turnedOver.contains(owner) && isOpen(lane) ? main(owner) : lane;
  }

  Set<Shard> turnedOver() {
    return turnedOver;
  }

  /**
   * Gives the lanes to their owners. Does not throw: the rings exist already, and to have only half
   * of the lanes would be worse than a delay.
   */
  @SuppressWarnings("ThreadPriorityCheck") // waits only for the garbage collector
  void install() {
    for (int i = 0; i < fresh.size(); ) {
      Lane lane = fresh.get(i);
      try {
        if (i < mains.size()) {
          Shard.of(lane).turnOver(lane);
        } else {
          Shard.of(lane).install(lane);
        }
        i++;
      } catch (OutOfMemoryError e) {
        Thread.yield();
      }
    }
  }

  RoutingTable next() {
    return next;
  }

  /** Closes the lanes that are out of the table, once the next one is published. */
  void seal() {
    for (int i = 0; i < sealed.size(); i++) { // without an iterator, which needs memory
      sealed.get(i).requestSeal();
    }
  }
}
