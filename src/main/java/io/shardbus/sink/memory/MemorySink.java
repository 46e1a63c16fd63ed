package io.shardbus.sink.memory;

import io.shardbus.event.Batch;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.AppendListeners;
import io.shardbus.sink.EventPage;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.PositionCursor;
import io.shardbus.sink.ReplayableSink;
import io.shardbus.sink.SinkContext;
import io.shardbus.sink.StoredEvent;
import io.vertx.core.Future;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Keeps the newest events in memory, for tests and tails. Safe for any thread. */
public final class MemorySink implements ReplayableSink {

  static final String NAME = "memory";
  private static final String STREAM = "all";

  private final MemorySinkOptions options;
  private final AppendListeners listeners = new AppendListeners();
  private final ArrayDeque<StoredEvent> events = new ArrayDeque<>();
  private final Map<Integer, Long> nextSequences = new HashMap<>();
  private long bytes;

  /** Position of the newest event; positions count from 1. */
  private long last;

  /**
   * @param options how much to keep; copied
   */
  public MemorySink(MemorySinkOptions options) {
    this.options = new MemorySinkOptions(options);
  }

  @Override
  public String name() {
    return NAME;
  }

  @Override
  public Future<Void> open(SinkContext context) {
    return Future.succeededFuture();
  }

  @Override
  public Future<Void> write(Batch batch) {
    synchronized (this) {
      for (ShardEvent event : batch.events()) {
        if (event.sequence() >= nextSequences.getOrDefault(batch.shard(), 0L)) {
          events.add(new StoredEvent(batch.producer().epoch(), event));
          bytes += event.payload().length();
          last++;
          nextSequences.put(batch.shard(), event.sequence() + 1);
        } // else it is here already, from an attempt that was given up
      }
      while (events.size() > options.getMaxEvents() || bytes > options.getMaxBytes()) {
        bytes -= events.remove().event().payload().length();
      }
    }
    listeners.appended();
    return Future.succeededFuture();
  }

  @Override
  public Future<EventPage> read(EventQuery query) {
    PositionCursor cursor;
    try {
      cursor = PositionCursor.parse(query.cursor(), NAME);
    } catch (IllegalArgumentException e) {
      return Future.failedFuture(e);
    }
    synchronized (this) {
      long position = last - events.size();
      long after = Math.max(position, cursor.position(STREAM));
      List<StoredEvent> page = new ArrayList<>();
      long reached = after;
      for (StoredEvent stored : events) {
        position++;
        if (position <= after) {
          continue;
        }
        if (page.size() == query.limit()) {
          break;
        }
        reached = position;
        if (query.filter() == null || query.filter().test(stored.event())) {
          page.add(stored);
        }
      }
      if (query.order() == EventQuery.Order.TIMESTAMP) {
        page.sort(Comparator.comparingLong(stored -> stored.event().timestamp()));
      }
      return Future.succeededFuture(new EventPage(page, cursorAt(reached), reached < last));
    }
  }

  private static String cursorAt(long position) {
    return new PositionCursor(new TreeMap<>(Map.of(STREAM, position))).format(NAME);
  }

  @Override
  public synchronized Future<String> endCursor() {
    return Future.succeededFuture(cursorAt(last));
  }

  @Override
  public Runnable onAppend(Runnable listener) {
    return listeners.add(listener);
  }

  @Override
  public Future<Void> close() {
    return Future.succeededFuture();
  }
}
