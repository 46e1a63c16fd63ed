package io.shardbus.delivery;

import io.shardbus.event.RawEvent;
import io.shardbus.shard.IdWindow;
import io.shardbus.shard.ShardManager;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The events of the {@link WaitingRoom}, by the ring for which they wait, each lane in the order in
 * which they came. While ids are recalled, events with an id wait in a lane of their own, and
 * behind them those of their keys. Nothing of that lane is tried until the lanes are arranged anew,
 * so no event overtakes one of its key that waits for a ring. Guarded by the monitor of the room.
 */
final class WaitingLanes {

  /** Where events wait while no shard is active. */
  private static final Object NO_LANE = new Object();

  /** Where events wait for the end of the recall of ids. */
  private static final Object RECALL = new Object();

  private final ShardManager manager;
  private Map<Object, Set<Waiting>> lanes = new HashMap<>();

  /** The keys of events that wait in RECALL; null unless ids are recalled. */
  private @Nullable Set<String> recallKeys;

  /** Whether an event with an id and a key has left RECALL unserved. */
  private boolean recallKeysOld;

  private long arrivals;
  private long routingEpoch;

  WaitingLanes(ShardManager manager) {
    this.manager = manager;
    routingEpoch = manager.routingEpoch();
  }

  /** The routing by which the lanes are arranged. */
  long routingEpoch() {
    return routingEpoch;
  }

  /** Follows the routing and the recall. */
  void arrange() {
    long epoch = manager.routingEpoch();
    boolean recalling = isRecalling();
    while (epoch != routingEpoch // also if the routing changed while the lanes were arranged
        || recalling != (recallKeys != null)
        || recallKeysOld) {
      rearrange(recalling ? new HashSet<>() : null);
      routingEpoch = epoch;
      epoch = manager.routingEpoch();
      recalling = isRecalling();
    }
  }

  private boolean isRecalling() {
    IdWindow ids = manager.ids().orElse(null);
    return ids != null && ids.isRecalling();
  }

  /** As a whole or not at all: memory may run out. */
  private void rearrange(@Nullable Set<String> held) {
    List<Waiting> all = all();
    all.sort(Comparator.comparingLong(Waiting::arrival));
    Map<Object, Set<Waiting>> next = new HashMap<>();
    for (Waiting one : all) {
      Object lane = laneOf(one.event, held);
      holdKey(lane, one.event, held);
      next.computeIfAbsent(lane, ring -> new LinkedHashSet<>()).add(one);
    }
    lanes = next;
    recallKeys = held;
    recallKeysOld = false;
  }

  List<Waiting> all() {
    List<Waiting> all = new ArrayList<>();
    lanes.values().forEach(all::addAll);
    return all;
  }

  Object laneOf(RawEvent event) {
    return laneOf(event, recallKeys);
  }

  private Object laneOf(RawEvent event, @Nullable Set<String> held) {
    if (held != null && (event.id() != null || held.contains(event.key()))) {
      return RECALL;
    }
    return manager.selectLane(event).orElse(NO_LANE);
  }

  private static void holdKey(Object lane, RawEvent event, @Nullable Set<String> held) {
    String key = event.key();
    if (lane == RECALL && held != null && key != null) {
      held.add(key);
    }
  }

  /** Whether an event that comes now may be tried: it would overtake none. */
  boolean isFree(Object lane) {
    return lane != RECALL && !lanes.containsKey(lane);
  }

  /** Puts an event behind the others of a lane. If it throws, the event may be there or not. */
  void add(Object lane, Waiting one) {
    one.arrival = arrivals++;
    holdKey(lane, one.event, recallKeys);
    lanes.computeIfAbsent(lane, ring -> new LinkedHashSet<>()).add(one);
  }

  /** Takes an event out that will not be served. Returns whether it waited. */
  boolean remove(Waiting one) {
    recallKeysOld |= recallKeys != null && one.event.id() != null && one.event.key() != null;
    boolean waited = false;
    for (var each = lanes.values().iterator(); each.hasNext() && !waited; ) {
      Set<Waiting> lane = each.next();
      waited = lane.remove(one);
      if (lane.isEmpty()) {
        each.remove();
      }
    }
    return waited;
  }

  /**
   * Serves each lane whose events may be tried.
   *
   * @param serve takes out what it serves; returns false if the routing has changed
   * @return whether the routing stayed what it was; else there may be more to do
   */
  boolean serveAll(Predicate<Set<Waiting>> serve) {
    boolean stayed = true;
    for (var each = lanes.entrySet().iterator(); stayed && each.hasNext(); ) {
      var lane = each.next();
      if (lane.getKey() != RECALL) {
        stayed = serve.test(lane.getValue());
        if (lane.getValue().isEmpty()) {
          each.remove();
        }
      }
    }
    return stayed;
  }
}
