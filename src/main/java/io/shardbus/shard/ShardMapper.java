package io.shardbus.shard;

import io.shardbus.event.ShardEvent;
import io.shardbus.shard.ScalingDecision.Direction;
import io.shardbus.shard.ScalingException.Reason;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntConsumer;
import java.util.function.LongSupplier;
import java.util.function.ToIntFunction;
import java.util.stream.IntStream;

/*
 * Ownership: the monitor of this object serialises all changes of shards' states and of the slots. The set of shards and
 * the routing table are immutable snapshots, which any thread reads. A shard's consumer side belongs to its consumer.
 *
 * Ordering: locks are taken in this order: the consumer lock of a shard, this monitor, the monitor of the set. A thread
 * that has this monitor never waits for a consumer lock: it requests the work (to seal a lane) and whoever has that lock
 * does it. Listeners are told after the monitor and all locks are released.
 *
 * Why it is safe: a change is checked first, and takes the memory that it needs before it alters anything. So it is made
 * as a whole or not at all. A shard becomes active and enters the table in one step under the monitor, and leaves the
 * table before it is sealed. A push that still has the old table meets a sealed lane and looks again.
 */
/**
 * The life of shards in dynamic mode: which exist, which are active, and which slots they own.
 * Reading does not wait. Safe for any thread.
 */
public final class ShardMapper {

  /** For how long keys may wait for the shard that they leave when slots follow the load. */
  private static final int WINDOWS_AT_A_FENCE = 2;

  private final ShardSet set;
  private volatile ScalingPolicy policy; // never changed, but replaced
  private final Cooldown cooldown;
  private final SlotTable slots;
  private final ShardListeners onCreated = new ShardListeners();
  private final ShardListeners onRemoved = new ShardListeners();

  ShardMapper(ShardSet set, ScalingPolicy policy, LongSupplier nanoClock) {
    this.set = set;
    this.policy = policy;
    this.cooldown = new Cooldown(nanoClock);
    this.slots = new SlotTable(set, SlotPlan.slotCount(policy.getMaxShards()), nanoClock);
  }

  static ShardMapper withShards(
      int count, ShardSet set, ScalingPolicy policy, LongSupplier nanoClock) {
    ShardMapper mapper = new ShardMapper(set, policy, nanoClock);
    List<Shard> shards = set.create(count);
    shards.forEach(shard -> shard.state(ShardState.ACTIVE));
    mapper.slots.divide(shards);
    return mapper;
  }

  // ---------------------------------------------------------------- reading

  /** {@return how many shards take events} */
  public int activeShardCount() {
    return (int) set.inState(ShardState.ACTIVE).count();
  }

  /** {@return how many shards there are, in any state} */
  public int totalShardCount() {
    return set.all().size();
  }

  /**
   * The state of a shard.
   *
   * @param id the shard's id
   * @return its state; empty if there is none of that id, or no longer
   */
  public Optional<ShardState> shardState(int id) {
    return Optional.ofNullable(set.find(id)).map(Shard::state);
  }

  /** {@return the ids of the shards that take events, ascending} */
  public List<Integer> activeShardIds() {
    return set.inState(ShardState.ACTIVE).map(Shard::id).toList();
  }

  /** {@return the ids of the shards in any state, ascending} */
  public List<Integer> allShardIds() {
    return set.all().stream().map(Shard::id).toList();
  }

  /** {@return a copy of the policy in force} */
  public ScalingPolicy policy() {
    return new ScalingPolicy(policy);
  }

  /**
   * Sets another policy. This alone adds or removes no shard. The next request and the next
   * evaluation follow the new policy. If there are more shards than its {@code maxShards}, they
   * stay until they are not needed.
   *
   * @param next copied and validated; nothing in it is lifted
   * @throws ScalingException INVALID_POLICY; also if {@code maxShards} is beyond the size of the
   *     routing table: 32, or the {@code maxShards} of the start raised to a power of two
   */
  public void changePolicy(ScalingPolicy next) {
    ScalingPolicy own = new ScalingPolicy(next).validate();
    if (SlotPlan.slotCount(own.getMaxShards()) > slots.ranges()) {
      throw refusal(
          Reason.INVALID_POLICY,
          "maxShards: %d must be at most %d until the next start: the routing table was made for so"
              + " many",
          own.getMaxShards(),
          SlotPlan.mostShards(slots.ranges()));
    }
    policy = own;
  }

  /** As {@link #policy}, without a copy: not to be changed. */
  ScalingPolicy currentPolicy() {
    return policy;
  }

  /**
   * The shard that an event without a key goes to.
   *
   * @param hash all 64 bits
   * @return the shard's id; -1 if no shard is active
   */
  public int selectShard(long hash) {
    Lane lane = set.routing().select(hash, false);
    return lane == null ? -1 : lane.owner().id();
  }

  /**
   * {@return how many slots of the routing table each active shard owns, by ascending id; once
   * there are events with a key, these have as many slots again, which count too}
   */
  public Map<Integer, Integer> slotsByShard() {
    return slots.byShard();
  }

  /** {@return how many slots have changed their owner since the start} */
  public long slotsMoved() {
    return slots.moved();
  }

  /** {@return how often any shard was given a fresh ring because keys left it} */
  public long turnOvers() {
    return slots.turnOvers();
  }

  // ---------------------------------------------------------------- growing and shrinking

  /**
   * Makes shards; they take no events until they are activated.
   *
   * @param count how many, at least 1
   * @return their ids
   * @throws ScalingException AT_MAX_SHARDS, IN_COOLDOWN, ILLEGAL_STATE once the engine is closed
   */
  public List<Integer> scaleUp(int count) {
    return scaleUp(count, false);
  }

  /**
   * As {@link #scaleUp(int)}, also during the cooldown.
   *
   * @param count as there
   * @param force whether to do it during the cooldown
   * @return as there
   * @throws ScalingException as there
   */
  public List<Integer> scaleUp(int count, boolean force) {
    requireCount(count);
    List<Integer> ids;
    synchronized (this) {
      requireOpen();
      int total = totalShardCount();
      if (count > policy.getMaxShards() - total) {
        throw refusal(
            Reason.AT_MAX_SHARDS,
            "cannot add %d: %s, and maxShards is %d",
            count,
            describe(),
            policy.getMaxShards());
      }
      int first = set.nextId();
      if (count > ScalingPolicy.MAX_SHARDS - first) {
        throw refusal(
            Reason.AT_MAX_SHARDS,
            "cannot add %d: only %d of the 65,535 shard ids are left",
            count,
            ScalingPolicy.MAX_SHARDS - first);
      }
      if (!force) {
        cooldown.requireOver(policy.getCooldown());
      }
      ids = IntStream.range(first, first + count).boxed().toList();
      set.create(count);
      cooldown.begin(Direction.UP);
    }
    onCreated.tell(ids);
    return ids;
  }

  /**
   * Takes active shards out of the routing table, those with the least to deliver first.
   *
   * @param count how many, at least 1
   * @return their ids; they are draining
   * @throws ScalingException AT_MIN_SHARDS, IN_COOLDOWN
   */
  public List<Integer> scaleDown(int count) {
    return scaleDown(count, false);
  }

  /**
   * As {@link #scaleDown(int)}, also during the cooldown.
   *
   * @param count as there
   * @param force whether to do it during the cooldown
   * @return as there
   * @throws ScalingException as there
   */
  public synchronized List<Integer> scaleDown(int count, boolean force) {
    requireCount(count);
    requireMinimumWithout(count);
    if (!force) {
      cooldown.requireOver(policy.getCooldown());
    }
    record Sized(Shard shard, int size) {} // sizes change while they are compared
    List<Shard> leaving =
        set.inState(ShardState.ACTIVE)
            .map(shard -> new Sized(shard, shard.size()))
            .sorted(
                Comparator.comparingInt(Sized::size)
                    .thenComparing(sized -> sized.shard().id(), Comparator.reverseOrder()))
            .limit(count)
            .map(Sized::shard)
            .toList();
    List<Integer> ids = ids(leaving);
    drain(leaving);
    cooldown.begin(Direction.DOWN);
    return ids;
  }

  /**
   * Takes one shard out of the routing table, or takes back one that is not active yet. Does
   * nothing if the shard is draining already.
   *
   * @param id the shard's id
   * @return the id; the shard is draining
   * @throws ScalingException UNKNOWN_SHARD; AT_MIN_SHARDS if it is active and fewer than {@code
   *     minShards} would be left, so that the last active shard always stays
   */
  public synchronized int scaleDownShard(int id) {
    Shard shard = set.get(id);
    if (shard.state() == ShardState.ACTIVE) {
      requireMinimumWithout(1);
    }
    if (shard.state() == ShardState.PROVISIONING || shard.state() == ShardState.ACTIVE) {
      drain(List.of(shard));
      cooldown.begin(Direction.DOWN);
    }
    return id;
  }

  private void requireMinimumWithout(int count) {
    if (activeShardCount() - count < policy.getMinShards()) {
      throw refusal(
          Reason.AT_MIN_SHARDS,
          "cannot remove %d: %s, and minShards is %d",
          count,
          describe(),
          policy.getMinShards());
    }
  }

  /**
   * Gives provisioned shards their slots: all of them, or none. Does nothing for those that are
   * active.
   *
   * @param ids the shards' ids
   * @throws ScalingException UNKNOWN_SHARD; ILLEGAL_STATE if one is on its way out, or if the bus
   *     is closed
   */
  public synchronized void activate(List<Integer> ids) {
    List<Shard> coming = ids.stream().map(set::get).toList();
    for (Shard shard : coming) {
      if (shard.state() != ShardState.ACTIVE && shard.state() != ShardState.PROVISIONING) {
        throw illegalState(shard, "be activated");
      }
    }
    List<Shard> newcomers =
        coming.stream().filter(shard -> shard.state() != ShardState.ACTIVE).toList();
    if (!newcomers.isEmpty()) {
      requireOpen();
      slots.welcome(newcomers);
    }
  }

  /** Out of the table first, then sealed: see {@link Shard}. */
  private void drain(List<Shard> leaving) {
    slots.release(leaving);
    for (int i = 0; i < leaving.size(); i++) { // without an iterator, which needs memory
      leaving.get(i).requestSeal();
    }
  }

  /**
   * Stops the draining shards of which everything is settled.
   *
   * @return the ids of the shards that were stopped
   */
  public synchronized List<Integer> finalizeDraining() {
    List<Shard> empty = set.inState(ShardState.DRAINING).filter(Shard::isSettled).toList();
    List<Integer> ids = ids(empty);
    empty.forEach(shard -> shard.state(ShardState.STOPPED));
    return ids;
  }

  /** Made before the change that they tell of, since it takes memory. */
  private static List<Integer> ids(List<Shard> shards) {
    return shards.stream().map(Shard::id).toList();
  }

  /**
   * Unmaps the stopped shards. Their counts remain in the totals.
   *
   * @return the ids of the shards that were removed
   */
  public List<Integer> removeStoppedShards() {
    List<Integer> ids;
    synchronized (this) {
      List<Shard> stopped = set.inState(ShardState.STOPPED).toList();
      ids = ids(stopped);
      stopped.forEach(shard -> set.unmap(shard, set.without(shard)));
    }
    onRemoved.tell(ids);
    return ids;
  }

  List<ShardEvent> remove(int id) {
    Shard shard = set.get(id);
    List<Integer> ids = List.of(id);
    DrainBuffer leftovers;
    shard.consumer().lock(); // before the monitor, as code that runs in withShard does
    try {
      leftovers = unmap(id);
    } finally {
      shard.consumer().unlock();
    }
    leftovers.acknowledgeAll(null);
    onRemoved.tell(ids);
    return leftovers.events();
  }

  /** With the consumer lock. */
  private synchronized DrainBuffer unmap(int id) {
    Shard shard = set.get(id);
    if (shard.state() == ShardState.ACTIVE) {
      throw illegalState(shard, "be removed: drain it first");
    }
    if (shard.isFenced()) {
      throw illegalState(shard, "be removed: some of its keys wait for another shard");
    }
    shard.state(ShardState.DRAINING);
    shard.requestSeal();
    Map<Integer, Shard> rest = set.without(shard); // once the events are taken, nothing may fail
    DrainBuffer leftovers = shard.consumer().takeLeftovers();
    shard.state(ShardState.STOPPED);
    set.unmap(shard, rest);
    return leftovers;
  }

  /**
   * Asks to be told of new shards.
   *
   * @param listener given the id, on the thread that made the shard, without a lock: if it hangs,
   *     it holds up that thread and nobody else
   * @return stops that; for any thread
   */
  public Runnable onShardCreated(IntConsumer listener) {
    return onCreated.add(listener);
  }

  /**
   * Asks to be told of shards that are gone.
   *
   * @param listener given the id, on the thread that removed the shard, without a lock: if it
   *     hangs, it holds up that thread and nobody else
   * @return stops that; for any thread
   */
  public Runnable onShardRemoved(IntConsumer listener) {
    return onRemoved.add(listener);
  }

  /**
   * Lets slots follow the load of the window that has just ended, unless shards have come or gone
   * since it was measured.
   */
  synchronized void rebalance(List<ShardLoad> loads) {
    double windowSeconds = policy.getMetricsWindow().toNanos() / 1e9;
    slots.follow(loads, WINDOWS_AT_A_FENCE * windowSeconds);
  }

  /** The rates of the slots that bring more than so many events per second. */
  synchronized List<Double> slotsAbove(double rate, List<ShardLoad> loads) {
    return slots.above(rate, loads);
  }

  // ---------------------------------------------------------------- checks

  /** Whether the last change of that direction is too recent. */
  synchronized boolean coolingDown(Direction direction) {
    return cooldown.isOn(direction, policy.getCooldown());
  }

  private void requireOpen() {
    if (set.closed()) {
      throw refusal(Reason.ILLEGAL_STATE, "the bus is closed");
    }
  }

  private static void requireCount(int count) {
    if (count < 1) {
      throw new IllegalArgumentException("count: " + count + " must be at least 1");
    }
  }

  private static ScalingException illegalState(Shard shard, String what) {
    return refusal(
        Reason.ILLEGAL_STATE, "shard %d is %s and cannot %s", shard.id(), shard.state(), what);
  }

  private static ScalingException refusal(Reason reason, String format, Object... values) {
    return new ScalingException(reason, String.format(Locale.ROOT, format, values));
  }

  private String describe() {
    ToIntFunction<ShardState> count = state -> (int) set.inState(state).count();
    return String.format(
        Locale.ROOT,
        "there are %d active, %d provisioning and %d draining shards",
        count.applyAsInt(ShardState.ACTIVE),
        count.applyAsInt(ShardState.PROVISIONING),
        count.applyAsInt(ShardState.DRAINING) + count.applyAsInt(ShardState.STOPPED));
  }
}
