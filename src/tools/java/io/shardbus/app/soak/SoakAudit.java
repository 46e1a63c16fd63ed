package io.shardbus.app.soak;

import io.shardbus.BusStats;
import io.shardbus.ShardBus;
import io.shardbus.app.soak.Violations.Kind;
import io.shardbus.shard.BackpressureMode;
import io.shardbus.shard.ShardAccounting;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Compares the records of the bus, the producers and the backend after a round. */
final class SoakAudit {

  private final ShardBus bus;
  private final List<SoakProducer> producers;
  private final Map<Integer, SoakLane> lanes;
  private final Map<Integer, List<Long>> leftovers;
  private final Violations violations;
  private final List<BitSet> delivered = new ArrayList<>();

  SoakAudit(
      ShardBus bus,
      List<SoakProducer> producers,
      Map<Integer, SoakLane> lanes,
      Map<Integer, List<Long>> leftovers,
      Violations violations) {
    this.bus = bus;
    this.producers = producers;
    this.lanes = lanes;
    this.leftovers = leftovers;
    this.violations = violations;
    producers.forEach(producer -> delivered.add(new BitSet()));
  }

  void run() {
    BusStats stats = bus.stats();
    long offered = 0;
    long accepted = 0;
    long unknown = 0;
    for (SoakProducer producer : producers) {
      offered += producer.offered();
      accepted += producer.fates().acceptedCount();
      unknown += producer.fates().unknownCount();
    }
    ShardAccounting total = stats.total();
    between("offered", offered - unknown, offered, stats.offered());
    between("accepted", accepted, accepted + unknown, total.accepted());
    balanced("in total", total);
    if (!bus.shards().backpressureMode().equals(BackpressureMode.DROP_OLDEST)) {
      same("evicted", 0, total.evicted());
    }
    long taken = 0;
    for (Map.Entry<Integer, SoakLane> entry : lanes.entrySet()) {
      int id = entry.getKey();
      SoakLane lane = entry.getValue();
      ShardAccounting account = bus.shards().accounting(id).orElseThrow();
      String shard = "shard " + id + ": ";
      balanced(shard, account);
      same(shard + "delivered", lane.taken() + left(id), account.delivered());
      same(shard + "dead-lettered", lane.refused(), account.deadLettered());
      taken += lane.taken();
    }
    for (List<Long> left : leftovers.values()) {
      taken += left.size();
    }
    same("delivered", taken, total.delivered());
    lanes.forEach(this::auditLane);
    leftovers.forEach((shard, codes) -> codes.forEach(this::came));
    producers.forEach(producer -> auditProducer(producer, total.evicted()));
  }

  private int left(int shard) {
    return leftovers.getOrDefault(shard, List.of()).size();
  }

  private void balanced(String where, ShardAccounting a) {
    same(where + " accounted for", a.accepted(), a.delivered() + a.evicted() + a.deadLettered());
    violations.count(Kind.LOST, a.pending(), "events pending %s", where);
    violations.check(a.pending() >= 0, Kind.OTHER, "%s: pending %d", where, a.pending());
  }

  private void same(String what, long expected, long actual) {
    between(what, expected, expected, actual);
  }

  private void between(String what, long least, long most, long actual) {
    violations.check(
        least <= actual && actual <= most,
        Kind.OTHER,
        "%s: %d instead of %d to %d",
        what,
        actual,
        least,
        most);
  }

  private void came(long code) {
    int producer = SoakEvent.producer(code);
    int place = (int) SoakEvent.place(code);
    BitSet seen = delivered.get(producer);
    violations.check(!seen.get(place), Kind.DOUBLED, "producer %d: %d came twice", producer, place);
    seen.set(place);
  }

  /** In a shard the events of a thread keep their order; of those with keys, those of each key. */
  private void auditLane(int shard, SoakLane lane) {
    Map<Long, Long> lastPlaces = new HashMap<>();
    for (int sequence = 0; sequence < lane.count(); sequence++) {
      long code = lane.code(sequence);
      if (code == SoakLane.REFUSED) {
        continue;
      }
      came(code);
      SoakProducer producer = producers.get(SoakEvent.producer(code));
      long place = SoakEvent.place(code);
      long thread = 100L * producer.id() + (producer.keyed() ? SoakEvent.key(code) : 0);
      Long last = lastPlaces.put(thread, place);
      violations.check(
          last == null || last < place,
          Kind.REORDERED,
          "shard %d: of producer %d, %d came after %d",
          shard,
          producer.id(),
          place,
          last == null ? -1 : last);
    }
  }

  private void auditProducer(SoakProducer producer, long evicted) {
    BitSet got = delivered.get(producer.id());
    long lost = 0;
    for (long place = 0; producer.knowsEach() && place < producer.offered(); place++) {
      if (got.get((int) place)) {
        violations.check(
            !producer.fates().refused(place),
            Kind.OTHER,
            "producer %d: %d was delivered but refused",
            producer.id(),
            place);
      } else if (producer.fates().accepted(place)
          && !SoakEvent.poisonous(SoakEvent.code(producer.id(), place))) {
        lost++;
      }
    }
    violations.count(
        Kind.LOST,
        Math.max(0, lost - evicted),
        "events of producer %d were accepted and are nowhere",
        producer.id());
  }
}
