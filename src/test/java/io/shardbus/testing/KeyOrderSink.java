package io.shardbus.testing;

import io.shardbus.event.Batch;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkContext;
import io.shardbus.sink.SinkException;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * A backend that is slow, fails, hangs and heals, by the dice of a seed, and tells a checker of
 * each event that it confirms, once. It keeps to the rule of the order per key: if it does not take
 * an event, it takes no later one of its key from the same batch.
 */
public final class KeyOrderSink implements Sink {

  private static final int MOST_MILLIS = 8;

  /** One event in so many is one that it never takes. */
  private static final int POISON_INTERVAL = 997;

  private final KeyOrderChecker checker;
  private final long seed;
  private final int faultsPerThousand;
  private final boolean poison;
  private final Map<Integer, Lane> lanes = new ConcurrentHashMap<>();
  private final Set<Integer> hung = ConcurrentHashMap.newKeySet();
  private volatile int slow = -1;
  private volatile Vertx vertx;

  /** What it knows of a shard. Guarded by itself. */
  private static final class Lane {
    final Random dice;
    final BitSet taken = new BitSet();

    Lane(long seed) {
      dice = new Random(seed);
    }
  }

  /**
   * @param faultsPerThousand of so many batches one in a thousand is slow, fails or hangs
   * @param poison whether there are events that it never takes
   */
  public KeyOrderSink(KeyOrderChecker checker, long seed, int faultsPerThousand, boolean poison) {
    this.checker = checker;
    this.seed = seed;
    this.faultsPerThousand = faultsPerThousand;
    this.poison = poison;
  }

  /** Writes of a shard are not answered from now on. */
  public void hang(int shard) {
    hung.add(shard);
  }

  /** All shards' writes are answered from now on. */
  public void heal() {
    hung.clear();
    slow = -1;
  }

  /** One shard is slower than the others. */
  public void slow(int shard) {
    slow = shard;
  }

  @Override
  public String name() {
    return "key-order";
  }

  @Override
  public Future<Void> open(SinkContext context) {
    vertx = context.vertx();
    return Future.succeededFuture();
  }

  @Override
  public Future<Void> write(Batch batch) {
    Lane lane = lanes.computeIfAbsent(batch.shard(), id -> new Lane(seed * 31 + id));
    synchronized (lane) {
      if (hung.contains(batch.shard())) {
        return Promise.<Void>promise().future();
      }
      if (poison && batch.events().stream().anyMatch(KeyOrderSink::poisonous)) {
        return refuse(lane, batch);
      }
      if (batch.shard() == slow) {
        return later(lane, batch, MOST_MILLIS);
      }
      int roll = lane.dice.nextInt(1_000);
      if (roll >= faultsPerThousand) {
        take(lane, batch.events());
        return Future.succeededFuture();
      }
      return switch (roll % 5) {
        case 0, 1 -> later(lane, batch, 1 + lane.dice.nextInt(MOST_MILLIS));
        case 2 -> Future.failedFuture(SinkException.transientFailure("not now"));
        case 3 -> partly(lane, batch);
        default -> Promise.<Void>promise().future(); // until the bus asks again
      };
    }
  }

  private static boolean poisonous(ShardEvent event) {
    return KeyedEvent.of(event.payload()).place() % POISON_INTERVAL == POISON_INTERVAL - 1;
  }

  private Future<Void> refuse(Lane lane, Batch batch) {
    if (batch.size() == 1) {
      ShardEvent event = batch.events().get(0);
      if (first(lane, event)) {
        KeyedEvent refused = KeyedEvent.of(event.payload());
        checker.deadLettered(refused.key(), refused.place());
      }
    }
    return Future.failedFuture(SinkException.permanentFailure("poison"));
  }

  private Future<Void> later(Lane lane, Batch batch, int millis) {
    Promise<Void> promise = Promise.promise();
    vertx.setTimer(
        millis,
        timer -> {
          synchronized (lane) {
            take(lane, batch.events());
          }
          promise.complete();
        });
    return promise.future();
  }

  private Future<Void> partly(Lane lane, Batch batch) {
    BitSet failed = new BitSet();
    Set<Integer> without = new HashSet<>();
    for (int i = 0; i < batch.size(); i++) {
      ShardEvent event = batch.events().get(i);
      int key = KeyedEvent.of(event.payload()).key();
      if (without.contains(key) || lane.dice.nextInt(4) == 0) {
        without.add(key);
        failed.set(i);
      } else {
        take(lane, List.of(event));
      }
    }
    return failed.isEmpty()
        ? Future.succeededFuture()
        : Future.failedFuture(
            SinkException.partial(failed, SinkException.transientFailure("not all of it")));
  }

  private void take(Lane lane, List<ShardEvent> events) {
    for (ShardEvent event : events) {
      if (first(lane, event)) {
        KeyedEvent taken = KeyedEvent.of(event.payload());
        checker.confirmed(taken.key(), taken.place());
      }
    }
  }

  /** A batch that is written again, because its answer came too late, is known by its sequences. */
  private static boolean first(Lane lane, ShardEvent event) {
    int sequence = (int) event.sequence();
    boolean known = lane.taken.get(sequence);
    lane.taken.set(sequence);
    return !known;
  }

  @Override
  public Future<Void> close() {
    return Future.succeededFuture();
  }
}
