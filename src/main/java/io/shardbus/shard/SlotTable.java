package io.shardbus.shard;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Who owns which slots in dynamic mode, and who is to. Publishes the routing table. Changes are
 * made under the mapper's monitor; reading is for any thread.
 */
final class SlotTable {

  private final ShardSet set;
  private final SlotLoads loads;
  private final LoadBalancer balancer = new LoadBalancer();
  private final AtomicLong moved = new AtomicLong();

  SlotTable(ShardSet set, int count) {
    this.set = set;
    loads = new SlotLoads(count);
  }

  int count() {
    return loads.slots();
  }

  /** Slots that have changed their owner since the start. */
  long moved() {
    return moved.get();
  }

  /** How many slots each active shard owns, by ascending id. */
  Map<Integer, Integer> byShard() {
    Map<Integer, Integer> byId = new LinkedHashMap<>();
    set.inState(ShardState.ACTIVE).forEach(shard -> byId.put(shard.id(), 0));
    RoutingTable table = set.routing();
    for (int i = 0; i < table.slotCount(); i++) {
      byId.computeIfPresent(table.owner(i).id(), (id, slots) -> slots + 1);
    }
    return byId;
  }

  /** Equal shares for shards that have not seen an event. */
  void divide(List<Shard> shards) {
    publish(SlotPlan.equalRanges(shards, count()));
  }

  /** Makes a shard active, with a share of what the others have. */
  void welcome(Shard newcomer) {
    Map<Shard, Double> rates = rates();
    newcomer.state(ShardState.ACTIVE);
    if (rates.isEmpty()) {
      divide(List.of(newcomer));
    } else {
      publish(move(LoadBalancer.withNewcomer(rates, newcomer)));
    }
  }

  /** Takes shards out of the table: they are draining. */
  void release(List<Shard> leaving) {
    Map<Shard, Double> rates = rates();
    double freed = 0;
    for (Shard shard : leaving) {
      shard.state(ShardState.DRAINING);
      Double rate = rates.remove(shard);
      freed += rate == null ? 0 : rate;
    }
    if (freed > 0) {
      publish(move(LoadBalancer.withFreed(rates, freed)));
    }
  }

  /** Lets slots follow the load, unless shards have come or gone since it was measured. */
  void follow(List<ShardLoad> window) {
    List<ShardLoad> active =
        window.stream().filter(load -> load.shard().state() == ShardState.ACTIVE).toList();
    if (active.isEmpty() || set.routing().slotCount() == 0) {
      return;
    }
    loads.update(set.routing(), active);
    if (active.size() == set.inState(ShardState.ACTIVE).count()) {
      balancer.followHeadroom(rates(), active).ifPresent(targets -> publish(move(targets)));
    }
  }

  /** Events per second that the slots of each active shard bring. */
  private Map<Shard, Double> rates() {
    Map<Shard, Double> rates = new LinkedHashMap<>();
    set.inState(ShardState.ACTIVE).forEach(shard -> rates.put(shard, 0.0));
    RoutingTable table = set.routing();
    for (int i = 0; i < table.slotCount(); i++) {
      rates.merge(table.owner(i), loads.rate(i), Double::sum);
    }
    return rates;
  }

  private Shard[] move(Map<Shard, Double> targets) {
    return SlotPlan.move(set.routing().copyOfSlots(), loads, targets);
  }

  private void publish(Shard[] after) {
    RoutingTable table = set.routing();
    int changed = 0;
    for (int i = 0; i < Math.min(after.length, table.slotCount()); i++) {
      if (after[i] != table.owner(i)) {
        changed++;
      }
    }
    if (changed > 0 || after.length != table.slotCount()) {
      moved.addAndGet(changed);
      set.publish(after, loads);
    }
  }
}
