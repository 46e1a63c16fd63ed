package io.shardbus.sink.memory;

import io.shardbus.event.Batch;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.EventPage;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.ReplayableSink;
import io.shardbus.sink.SinkContext;
import io.shardbus.sink.StoredEvent;
import io.shardbus.sink.support.AppendListeners;
import io.shardbus.sink.support.PageBuilder;
import io.shardbus.sink.support.PositionCursor;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Keeps the newest events in memory, for tests and tails. Safe for any thread. */
public final class MemorySink implements ReplayableSink {

  static final String NAME = "memory";
  private static final String STREAM = "all";
  private static final int MAX_STRETCH = 10_000;

  private final MemorySinkOptions options;
  private final AppendListeners listeners = new AppendListeners();
  private final ArrayDeque<StoredEvent> events = new ArrayDeque<>();
  private final Map<Integer, Long> nextSequences = new HashMap<>();
  private final long run = PositionCursor.newStore();
  private volatile @Nullable Vertx vertx;
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
    vertx = context.vertx();
    return Future.succeededFuture();
  }

  @Override
  public Future<Void> write(Batch batch) {
    synchronized (this) {
      for (ShardEvent event : batch.events()) {
        if (event.sequence() >= nextSequences.getOrDefault(batch.shard(), 0L)) {
          events.add(new StoredEvent(batch.producer(), event));
          bytes += event.size();
          last++;
          nextSequences.put(batch.shard(), event.sequence() + 1);
        } // otherwise an earlier attempt has stored it
      }
      while (events.size() > options.getMaxEvents() || bytes > options.getMaxBytes()) {
        bytes -= events.remove().event().size();
      }
    }
    listeners.appended();
    return Future.succeededFuture();
  }

  @Override
  public Future<EventPage> read(EventQuery query) {
    PositionCursor cursor;
    try {
      cursor = PositionCursor.parse(query.cursor(), NAME).in(run);
    } catch (IllegalArgumentException e) {
      return Future.failedFuture(e);
    }
    Vertx open = vertx;
    return open == null
        ? Future.failedFuture(new IllegalStateException("the sink is not open"))
        // A filter takes longer than an event loop has.
        : open.executeBlocking(() -> page(cursor.position(STREAM), query), false);
  }

  /** The filter runs outside of the lock, because writes wait for the lock. */
  private EventPage page(long after, EventQuery query) {
    PageBuilder page = new PageBuilder(query);
    long reached = after;
    Stretch stretch;
    do {
      stretch = after(reached);
      reached = stretch.from();
      for (StoredEvent stored : stretch.events()) {
        if (!page.hasRoom()) {
          break;
        }
        page.scan(stored);
        reached++;
      }
    } while (reached < stretch.end() && page.hasRoom());
    return page.page(cursorAt(reached), reached < stretch.end());
  }

  /**
   * Some of the events.
   *
   * @param from the position before the first of the events
   * @param events the next events
   * @param end the position of the newest event there is
   */
  private record Stretch(long from, List<StoredEvent> events, long end) {}

  private synchronized Stretch after(long position) {
    long from = Math.max(position, last - events.size());
    List<StoredEvent> some =
        events.stream().skip(from - (last - events.size())).limit(MAX_STRETCH).toList();
    return new Stretch(from, some, last);
  }

  private String cursorAt(long position) {
    return PositionCursor.BEGINNING.in(run).at(STREAM, position).format(NAME);
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
