package io.shardbus.shard;

import io.shardbus.shard.ScalingException.Reason;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicReferenceFieldUpdater;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/*
 * Ownership: any thread reads. Changes hold the monitor, but for `publishClosed`, which must not wait for it.
 *
 * Ordering: `shards` and `routing` are immutable snapshots behind volatiles, replaced as a whole. `publishClosed` and
 * `publish` both replace `routing` by a compare-and-set, so that a table that is published late never replaces CLOSED.
 *
 * Why it is safe: `publish` returns only when no batch is pushed by the old table any more, so its caller may then seal
 * the lanes that left the table. `seeKeys` and `publish` hold the same monitor, so a table without fences is published
 * before the first event with a key is routed, or not at all.
 */
/**
 * The current shards, their routing table, and the ledgers of all shards, also of removed ones.
 * Readers see immutable snapshots behind volatiles; writers hold this object's monitor.
 */
final class ShardSet {

  private static final AtomicReferenceFieldUpdater<ShardSet, RoutingTable> ROUTING =
      AtomicReferenceFieldUpdater.newUpdater(ShardSet.class, RoutingTable.class, "routing");

  private final int ringCapacity;
  private final BackpressureMode mode;
  private final long maxLargeBytes;
  private final LongSupplier clock;

  private final ConcurrentSkipListMap<Integer, ShardLedger> ledgers = new ConcurrentSkipListMap<>();
  private volatile Map<Integer, Shard> shards = Map.of();
  private volatile RoutingTable routing =
      new RoutingTable(RoutingTable.NOBODY, RoutingTable.NOBODY, 0, null);

  /** The table that {@link RoutingTable#CLOSED} replaced; null until it has. */
  private volatile @Nullable RoutingTable last;

  private volatile boolean keysSeen;
  private int nextId;

  ShardSet(int ringCapacity, BackpressureMode mode, long maxLargeBytes, LongSupplier clock) {
    this.ringCapacity = ringCapacity;
    this.mode = mode;
    this.maxLargeBytes = maxLargeBytes;
    this.clock = clock;
  }

  RoutingTable routing() {
    return routing;
  }

  /** By id, ascending. */
  Collection<Shard> all() {
    return shards.values();
  }

  Stream<Shard> inState(ShardState state) {
    return all().stream().filter(shard -> shard.state() == state);
  }

  Collection<ShardLedger> ledgers() {
    return ledgers.values();
  }

  /** The sum of all ledgers. */
  ShardAccounting accounting() {
    ShardAccounting total = ShardAccounting.ZERO;
    for (ShardLedger ledger : ledgers()) {
      total = total.plus(ledger.accounting());
    }
    return total;
  }

  /** Of all shards there ever were, by id, ascending. */
  Map<Integer, ShardLedger> ledgersById() {
    return ledgers;
  }

  @Nullable ShardLedger ledger(int id) {
    return ledgers.get(id);
  }

  @Nullable Shard find(int id) {
    return shards.get(id);
  }

  Shard get(int id) {
    Shard shard = find(id);
    if (shard == null) {
      throw new ScalingException(
          Reason.UNKNOWN_SHARD, "shard " + id + " does not exist: there are " + shards.keySet());
    }
    return shard;
  }

  boolean closed() {
    return routing() == RoutingTable.CLOSED;
  }

  /** Whether an event with a key has come, so that moves have to keep their order. */
  boolean keysSeen() {
    return keysSeen;
  }

  /**
   * Called before the routing table is read for the first event with a key. A table is published
   * without fences only before that, and such a table is then what is read, or older than it.
   */
  synchronized void seeKeys() {
    keysSeen = true;
  }

  /**
   * A batch is grouped by one table and pushed group by group. If a lane were sealed in between,
   * its group would be routed again, behind later events of the same batch. So a table stays in use
   * until its batches are pushed.
   */
  synchronized void publish(RoutingTable next) {
    RoutingTable before = routing();
    if (before != RoutingTable.CLOSED && ROUTING.compareAndSet(this, before, next)) {
      before.awaitBatches();
    } else {
      awaitBatches();
    }
  }

  /** At once, even if another thread holds the monitor. */
  void publishClosed() {
    RoutingTable before = routing;
    while (before != RoutingTable.CLOSED
        && !ROUTING.compareAndSet(this, before, RoutingTable.CLOSED)) {
      before = routing;
    }
    if (before != RoutingTable.CLOSED) {
      last = before;
    }
  }

  /** Waits, once it is closed, for the batches that are being pushed by any table. */
  @SuppressWarnings("ThreadPriorityCheck") // the closing thread is between two instructions
  synchronized void awaitBatches() {
    RoutingTable before = last;
    while (before == null) {
      Thread.yield();
      before = last;
    }
    before.awaitBatches();
  }

  /** The id of the shard that is created next; each one after it has the next. */
  synchronized int nextId() {
    return nextId;
  }

  synchronized List<Shard> create(int count) {
    Map<Integer, Shard> next = new TreeMap<>(shards);
    Map<Integer, ShardLedger> more = new TreeMap<>();
    List<Shard> created = new ArrayList<>(count);
    for (int id = nextId; id < nextId + count; id++) {
      ShardLedger ledger = new ShardLedger();
      Shard shard = new Shard(id, ringCapacity, mode, maxLargeBytes, ledger, clock);
      more.put(id, ledger);
      next.put(id, shard);
      created.add(shard);
    }
    ledgers.putAll(more); // if memory runs out, the next shards take these ids, and their places
    shards = Collections.unmodifiableMap(next);
    nextId += count;
    return created;
  }

  /** For {@link #unmap}; takes memory. */
  Map<Integer, Shard> without(Shard shard) {
    Map<Integer, Shard> rest = new TreeMap<>(shards);
    rest.remove(shard.id());
    return Collections.unmodifiableMap(rest);
  }

  /**
   * The shard must be closed to producers and empty. Does not throw.
   *
   * @param rest the shards {@link #without} it
   */
  synchronized void unmap(Shard shard, Map<Integer, Shard> rest) {
    shards = rest;
    shard.ledger().close(shard.accepted(), shard.consumer().drained());
  }
}
