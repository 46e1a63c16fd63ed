package io.shardbus.testing;

import io.shardbus.event.Batch;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkContext;
import io.vertx.core.Future;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;

/**
 * Remembers what it was given, and checks what must hold for every batch: sequences without a gap,
 * timestamps that rise, one write in flight a shard. A behaviour decides what happens to a batch.
 */
public final class RecordingSink implements Sink {

  private final Map<Integer, List<ShardEvent>> events = new ConcurrentHashMap<>();
  private final Map<Integer, AtomicBoolean> writing = new ConcurrentHashMap<>();
  private final List<String> faults = new ArrayList<>();
  private final AtomicLong count = new AtomicLong();
  private volatile Function<Batch, Future<Void>> behaviour = batch -> Future.succeededFuture();
  private volatile boolean closed;
  private volatile Future<Void> closing = Future.succeededFuture();

  /** Failures of what it returns mean that the batch was not taken. */
  public RecordingSink behave(Function<Batch, Future<Void>> next) {
    behaviour = next;
    return this;
  }

  /** As {@link #behave}, but the behaviour may also throw, or return null. */
  public RecordingSink behaveRudely(Function<Batch, Future<Void>> next) {
    return behave(
        batch -> {
          Future<Void> answer = null;
          try {
            answer = next.apply(batch);
          } finally {
            if (answer == null) {
              writing.get(batch.shard()).set(false);
            }
          }
          return answer;
        });
  }

  /** What closing comes to. */
  public RecordingSink closing(Future<Void> end) {
    closing = end;
    return this;
  }

  @Override
  public String name() {
    return "recording";
  }

  @Override
  public Future<Void> open(SinkContext context) {
    return Future.succeededFuture();
  }

  @Override
  public Future<Void> write(Batch batch) {
    AtomicBoolean mine = writing.computeIfAbsent(batch.shard(), id -> new AtomicBoolean());
    if (!mine.compareAndSet(false, true)) {
      fault("two writes in flight for shard " + batch.shard());
    }
    Future<Void> answer = behaviour.apply(batch);
    return answer == null
        ? null
        : answer.onSuccess(done -> take(batch)).onComplete(done -> mine.set(false));
  }

  /** Records the events of a batch that are not named. They leave gaps. */
  public void take(Batch batch, BitSet failed) {
    List<ShardEvent> mine = events.computeIfAbsent(batch.shard(), id -> new ArrayList<>());
    synchronized (mine) {
      for (int i = failed.nextClearBit(0); i < batch.size(); i = failed.nextClearBit(i + 1)) {
        mine.add(batch.events().get(i));
      }
    }
  }

  /** Records a batch. A behaviour that takes a part only may call it itself. */
  public void take(Batch batch) {
    List<ShardEvent> mine = events.computeIfAbsent(batch.shard(), id -> new ArrayList<>());
    synchronized (mine) {
      for (ShardEvent event : batch.events()) {
        if (!mine.isEmpty()) {
          ShardEvent before = mine.get(mine.size() - 1);
          if (event.sequence() != before.sequence() + 1) {
            fault(
                "shard " + batch.shard() + ": " + event.sequence() + " after " + before.sequence());
          }
          if (event.timestamp() <= before.timestamp()) {
            fault("shard " + batch.shard() + ": timestamp does not rise at " + event.sequence());
          }
        } else if (event.sequence() != 0) {
          fault("shard " + batch.shard() + " begins with " + event.sequence());
        }
        mine.add(event);
      }
    }
    count.addAndGet(batch.size());
  }

  private void fault(String what) {
    synchronized (faults) {
      if (faults.size() < 20) {
        faults.add(what);
      }
    }
  }

  @Override
  public Future<Void> close() {
    closed = true;
    return closing;
  }

  public boolean isClosed() {
    return closed;
  }

  public long count() {
    return count.get();
  }

  public List<String> faults() {
    synchronized (faults) {
      return List.copyOf(faults);
    }
  }

  /** All events, shard by shard, in order. */
  public List<ShardEvent> all() {
    List<ShardEvent> all = new ArrayList<>();
    events.values().forEach(all::addAll);
    return all;
  }

  public List<ShardEvent> ofShard(int id) {
    return events.getOrDefault(id, List.of());
  }
}
