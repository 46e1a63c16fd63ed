package io.shardbus.shard;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.BinaryOperator;
import java.util.function.IntPredicate;
import java.util.function.LongSupplier;

/**
 * The owners of the slots in dynamic mode. Decides which slots move, and publishes the routing
 * table. Changes need the monitor of the mapper; any thread may read. Each change works on the
 * table that it finds at its beginning: only {@link RoutingTable#CLOSED} can take its place
 * meanwhile.
 *
 * <p>A slot with keys moves if the wait at its fence is short. Wherever its events go, a move
 * brings nothing until the old owner has settled what it holds. If a shard is overloaded for good,
 * the wait is always long. So its keys move once it has been overloaded for as long as they would
 * wait. A player who waits that long before paying loses at most twice the least possible cost (the
 * ski rental of Karlin, Manasse, Rudolph and Sleator, "Competitive snoopy caching", Algorithmica
 * 1988). The keys of a shard that hangs stay.
 */
final class SlotTable {

  /** Rings that a shard may have while keys are on their way, unless other shards leave. */
  static final int MOST_LANES = 4;

  private static final long TURN_OVER_NANOS = TimeUnit.SECONDS.toNanos(1);

  private final ShardSet set;
  private final LongSupplier nanoTime;
  private final SlotLoads loads;
  private final LoadBalancer balancer = new LoadBalancer();
  private final AtomicLong moved = new AtomicLong();
  private final AtomicLong turnOvers = new AtomicLong();
  private final Map<Shard, Long> turnedOver = new HashMap<>();
  private final Map<Shard, ShardLoad> lastLoads = new HashMap<>();

  /** Since when keys would have had to wait too long for a shard that does not hang. */
  private final Map<Shard, Long> overloadedSince = new HashMap<>();

  /**
   * @param ranges hash ranges, a power of two
   */
  SlotTable(ShardSet set, int ranges, LongSupplier nanoTime) {
    this.set = set;
    this.nanoTime = nanoTime;
    loads = new SlotLoads(ranges);
  }

  int ranges() {
    return loads.ranges();
  }

  /** Slots that have changed their owner since the start. */
  long moved() {
    return moved.get();
  }

  /** How often a shard was turned over. */
  long turnOvers() {
    return turnOvers.get();
  }

  /** How many slots each active shard owns, by ascending id. */
  Map<Integer, Integer> byShard() {
    Map<Integer, Integer> byId = new LinkedHashMap<>();
    set.inState(ShardState.ACTIVE).forEach(shard -> byId.put(shard.id(), 0));
    RoutingTable table = set.routing();
    for (int i = 0; i < slotsThatCount(table); i++) {
      byId.computeIfPresent(table.owner(i).id(), (id, slots) -> slots + 1);
    }
    return byId;
  }

  /** Until there are events with a key, their slots go with the others. */
  private int slotsThatCount(RoutingTable table) {
    return set.keysSeen() ? table.slotCount() : table.slotCount() / 2;
  }

  /** Equal shares for the first shards. */
  void divide(List<Shard> shards) {
    Shard[] owners = SlotPlan.equalRanges(shards, ranges());
    Lane[] lanes = Arrays.stream(owners).limit(ranges()).map(Shard::main).toArray(Lane[]::new);
    set.publish(set.routing().next(lanes, lanes, loads.samples()));
  }

  /** Makes shards active, with a share of the slots of the others. */
  void welcome(List<Shard> newcomers) {
    RoutingTable table = set.routing();
    Map<Shard, Double> targets = rates(table);
    for (Shard newcomer : newcomers) {
      targets = LoadBalancer.withNewcomer(targets, newcomer);
    }
    // An overloaded shard is never empty: its keys move all the same, unless it hangs.
    change(table, newcomers, ShardState.ACTIVE, targets, Double.MAX_VALUE);
  }

  /** Takes shards out of the table: they are draining. */
  void release(List<Shard> leaving) {
    RoutingTable table = set.routing();
    Map<Shard, Double> rates = rates(table);
    double freed = 0;
    for (Shard shard : leaving) {
      Double rate = rates.remove(shard);
      freed += rate == null ? 0 : rate;
    }
    Map<Shard, Double> targets = LoadBalancer.withFreed(rates, freed);
    change(table, leaving, ShardState.DRAINING, targets, 0);
    for (int i = 0; i < leaving.size(); i++) {
      turnedOver.remove(leaving.get(i));
      lastLoads.remove(leaving.get(i));
      overloadedSince.remove(leaving.get(i));
    }
  }

  /** Shards of one state get another, and the table follows; or neither, if memory runs out. */
  private void change(
      RoutingTable table,
      List<Shard> shards,
      ShardState state,
      Map<Shard, Double> targets,
      double mostWaitSeconds) {
    ShardState before = shards.get(0).state();
    try {
      shards.forEach(shard -> shard.state(state));
      publish(table, move(table, targets, mostWaitSeconds), List.of());
    } catch (Throwable e) {
      for (int i = 0; i < shards.size(); i++) {
        shards.get(i).state(before);
      }
      throw e;
    }
  }

  /**
   * Lets slots follow the load, unless shards have come or gone since it was measured.
   *
   * @param mostWaitSeconds how long keys that move may have to wait for their old shard
   */
  void follow(List<ShardLoad> window, double mostWaitSeconds) {
    List<ShardLoad> active =
        window.stream().filter(load -> load.shard().state() == ShardState.ACTIVE).toList();
    RoutingTable table = set.routing();
    if (table == RoutingTable.CLOSED) {
      return;
    }
    loads.update(table, active);
    for (ShardLoad load : active) {
      lastLoads.put(load.shard(), load);
      noteOverload(load, mostWaitSeconds);
    }
    List<Shard> crowded = active.stream().map(ShardLoad::shard).filter(this::isToBeMerged).toList();
    if (active.size() == set.inState(ShardState.ACTIVE).count()) {
      IntPredicate canMove = canMove(table, mostWaitSeconds);
      Map<Shard, Double> fixed = rates(table, canMove.negate(), Double::sum);
      Map<Shard, Double> hottest = rates(table, canMove, Math::max);
      Shard[] after =
          balancer
              .followHeadroom(rates(table), fixed, hottest, active)
              .map(targets -> move(table, targets, mostWaitSeconds))
              .orElseGet(table::owners);
      publish(table, after, crowded);
    }
  }

  /** The rates of the slots that bring more than so many events per second. */
  List<Double> above(double rate, List<ShardLoad> active) {
    return loads.above(rate, set.routing(), active);
  }

  /** Whether it has lanes enough, and none that waits for another shard. */
  private boolean isToBeMerged(Shard shard) {
    return shard.laneCount() >= MOST_LANES && !shard.isFenced() && mayTurnOver(shard);
  }

  private boolean mayTurnOver(Shard shard) {
    Long last = turnedOver.get(shard);
    return !shard.hasUnsettledLane()
        && (last == null || nanoTime.getAsLong() - last >= TURN_OVER_NANOS);
  }

  /** Events per second that the slots of each active shard bring. */
  private Map<Shard, Double> rates(RoutingTable table) {
    loads.keysSeen(set.keysSeen());
    Map<Shard, Double> rates = new LinkedHashMap<>();
    set.inState(ShardState.ACTIVE).forEach(shard -> rates.put(shard, 0.0));
    for (int i = 0; i < table.slotCount(); i++) {
      rates.merge(table.owner(i), loads.rate(i), Double::sum);
    }
    return rates;
  }

  // ---------------------------------------------------------------- what may move

  private Shard[] move(RoutingTable table, Map<Shard, Double> targets, double mostWaitSeconds) {
    Shard[] before = table.owners();
    boolean keys = set.keysSeen();
    Shard[] after = SlotPlan.move(before, loads, targets, mayMove(table, mostWaitSeconds));
    if (keys) {
      takeBackTooMuch(before, after, mostWaitSeconds);
    } else { // until there are keys, their slots go with the others
      System.arraycopy(after, 0, after, after.length / 2, after.length / 2);
    }
    return after;
  }

  /** Which slots may go to another shard while their owner stays. */
  private IntPredicate mayMove(RoutingTable table, double mostWaitSeconds) {
    Map<Shard, Double> mostRates = new HashMap<>();
    set.inState(ShardState.ACTIVE)
        .filter(shard -> givesKeys(shard, mostWaitSeconds))
        .forEach(shard -> mostRates.put(shard, mostRate(shard, mostWaitSeconds)));
    boolean keys = set.keysSeen();
    return slot ->
        !loads.isOfKeys(slot)
            || (keys
                && loads.rate(slot) <= mostRates.getOrDefault(table.owner(slot), 0.0)
                && table.lane(slot).isOpen());
  }

  /** As {@link #mayMove}, but for a shard's only slot of events without a key. */
  private IntPredicate canMove(RoutingTable table, double mostWaitSeconds) {
    Map<Shard, Integer> withoutKeys = new HashMap<>();
    for (int i = 0; i < ranges(); i++) {
      withoutKeys.merge(table.owner(i), 1, Integer::sum);
    }
    IntPredicate mayMove = mayMove(table, mostWaitSeconds);
    return slot ->
        mayMove.test(slot)
            && (loads.isOfKeys(slot) || withoutKeys.getOrDefault(table.owner(slot), 0) > 1);
  }

  /** The rates of some slots, merged for each shard. */
  private Map<Shard, Double> rates(
      RoutingTable table, IntPredicate which, BinaryOperator<Double> merge) {
    Map<Shard, Double> rates = new HashMap<>();
    for (int i = 0; i < table.slotCount(); i++) {
      if (which.test(i)) {
        rates.merge(table.owner(i), loads.rate(i), merge);
      }
    }
    return rates;
  }

  private boolean givesKeys(Shard shard, double mostWaitSeconds) {
    return mayTurnOver(shard) && (waitSeconds(shard) <= mostWaitSeconds || hasWaitedEnough(shard));
  }

  private void noteOverload(ShardLoad load, double mostWaitSeconds) {
    if (load.capacity().hung()
        || load.offeredRate() <= load.capacity().perSecond() // it catches up by itself
        || waitSeconds(load.shard()) <= mostWaitSeconds) {
      overloadedSince.remove(load.shard());
    } else {
      overloadedSince.putIfAbsent(load.shard(), nanoTime.getAsLong());
    }
  }

  private boolean hasWaitedEnough(Shard shard) {
    Long since = overloadedSince.get(shard);
    return since != null && (nanoTime.getAsLong() - since) / 1e9 >= waitSeconds(shard);
  }

  /** How long it takes until what the shard may give to its sink by now is settled. */
  private double waitSeconds(Shard shard) {
    long pending = Math.max(0, shard.accounting().pending() - shard.fencedEvents());
    ShardLoad load = lastLoads.get(shard);
    if (pending == 0 || load == null) {
      return 0;
    }
    DrainCapacity.Estimate capacity = load.capacity();
    if (capacity.perSecond() > 0) {
      return pending / capacity.perSecond();
    }
    return capacity.hung() ? Double.POSITIVE_INFINITY : Double.MAX_VALUE; // not measured yet
  }

  /** Keys of one shard that are to go to one other. */
  private record Move(Shard from, Shard to) {}

  /**
   * Leaves keys where they are if their lane would be one too many, or could not hold what comes
   * while it waits. If they may wait for long it is no fuller than the shard that they leave.
   */
  private void takeBackTooMuch(Shard[] before, Shard[] after, double mostWaitSeconds) {
    Map<Move, Double> rates = new LinkedHashMap<>();
    for (int i = ranges(); i < after.length; i++) {
      if (before[i] != after[i] && before[i].state() == ShardState.ACTIVE) {
        rates.merge(new Move(before[i], after[i]), loads.rate(i), Double::sum);
      }
    }
    List<Map.Entry<Move, Double>> hottestFirst = new ArrayList<>(rates.entrySet());
    hottestFirst.sort(Map.Entry.<Move, Double>comparingByValue().reversed());
    Map<Shard, Integer> lanes = new HashMap<>();
    Map<Move, Double> room = new HashMap<>();
    for (Map.Entry<Move, Double> entry : hottestFirst) {
      Move move = entry.getKey();
      int lanesThen = lanes.getOrDefault(move.to(), move.to().laneCount()) + 1;
      room.put(move, lanesThen <= MOST_LANES ? mostRate(move.from(), mostWaitSeconds) : 0);
      if (lanesThen <= MOST_LANES) {
        lanes.put(move.to(), lanesThen);
      }
    }
    for (int i = ranges(); i < after.length; i++) {
      Move move = new Move(before[i], after[i]);
      if (room.getOrDefault(move, Double.MAX_VALUE) < loads.rate(i)) {
        after[i] = before[i];
      } else {
        double rate = loads.rate(i);
        room.computeIfPresent(move, (same, left) -> left - rate);
      }
    }
  }

  /** Events per second that a lane can hold while it waits for the shard. */
  private double mostRate(Shard from, double mostWaitSeconds) {
    double wait = waitSeconds(from);
    boolean anyWait = mostWaitSeconds == Double.MAX_VALUE || hasWaitedEnough(from);
    return anyWait || wait == 0 ? Double.MAX_VALUE : from.capacity() / 2.0 / wait;
  }

  // ---------------------------------------------------------------- publishing

  /**
   * Throws only while nothing is changed.
   *
   * @param after the new owners of the slots
   * @param crowded shards whose lanes must become one
   */
  private void publish(RoutingTable table, Shard[] after, Collection<Shard> crowded) {
    LaneChange change;
    synchronized (set) { // no first key comes between the look for keys and the table
      Shard[] before = table.owners();
      if (set.closed()) {
        set.awaitBatches(); // as `publish` does: lanes are sealed next
        return;
      }
      if (Arrays.equals(before, after) && crowded.isEmpty()) {
        return;
      }
      int changed = 0;
      for (int i = 0; i < slotsThatCount(table); i++) {
        changed += before[i] == after[i] ? 0 : 1;
      }
      change = new LaneChange(table, after, crowded, set.keysSeen(), loads.samples());
      long now = nanoTime.getAsLong();
      change.turnedOver().forEach(shard -> turnedOver.put(shard, now));
      change.install();
      set.publish(change.next());
      moved.addAndGet(changed);
      turnOvers.addAndGet(change.turnedOver().size());
    }
    change.seal();
  }
}
