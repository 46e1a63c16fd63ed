package io.shardbus.sink.memory;

import io.shardbus.event.Batch;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.EventPage;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.ReplayableSink;
import io.shardbus.sink.SinkContext;
import io.shardbus.sink.Storage;
import io.shardbus.sink.StoredEvent;
import io.shardbus.sink.support.AppendListeners;
import io.shardbus.sink.support.PageBuilder;
import io.shardbus.sink.support.PositionCursor;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Keeps the newest events in memory, for tests and tails. Reads merge the shards by time, so events
 * are sorted from page to page, as far as they were stored when the page was read. Safe for any
 * thread.
 */
public final class MemorySink implements ReplayableSink {

  static final String NAME = "memory";
  private static final int MAX_STRETCH = 10_000;

  private final MemorySinkOptions options;
  private final AppendListeners listeners = new AppendListeners();
  private final Map<Integer, Stream> streams = new TreeMap<>();

  /** The stream of each event that is kept, the oldest first. */
  private final ArrayDeque<Stream> arrivals = new ArrayDeque<>();

  private final long run = PositionCursor.newStore();
  private volatile @Nullable Vertx vertx;
  private long bytes;

  /** The events of a shard. Their positions count from 1. */
  private static final class Stream {

    final String name;
    final ArrayDeque<StoredEvent> events = new ArrayDeque<>();
    @Nullable ProducerId producer;
    long nextSequence; // of that producer

    /** The position of the newest event that is not kept any more. */
    long gone;

    Stream(int shard) {
      name = Integer.toString(shard);
    }

    long last() {
      return gone + events.size();
    }
  }

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
      Stream stream = streams.computeIfAbsent(batch.shard(), Stream::new);
      if (!batch.producer().equals(stream.producer)) {
        stream.producer = batch.producer();
        stream.nextSequence = 0;
      }
      for (ShardEvent event : batch.events()) {
        if (event.sequence() >= stream.nextSequence) {
          stream.events.add(new StoredEvent(batch.producer(), event));
          arrivals.add(stream);
          bytes += event.size();
          stream.nextSequence = event.sequence() + 1;
        } // otherwise an earlier attempt has stored it
      }
      while (arrivals.size() > options.getMaxEvents() || bytes > options.getMaxBytes()) {
        Stream oldest = arrivals.remove();
        bytes -= oldest.events.remove().event().size();
        oldest.gone++;
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
        : open.executeBlocking(() -> page(cursor, query), false);
  }

  /** The filter runs outside of the lock, because writes wait for the lock. */
  private EventPage page(PositionCursor cursor, EventQuery query) {
    PageBuilder page = new PageBuilder(query);
    TreeMap<String, Long> positions = new TreeMap<>(cursor.positions());
    boolean fromTheOldest = cursor.isBeginning();
    Stretch stretch;
    int taken;
    do {
      stretch = after(positions);
      if (!fromTheOldest) {
        page.missed(stretch.missed());
      }
      fromTheOldest = false;
      taken = 0;
      while (taken < stretch.events().size() && page.hasRoom()) {
        StoredEvent stored = stretch.events().get(taken++);
        positions.merge(Integer.toString(stored.event().shard()), 1L, Long::sum);
        page.scan(stored);
      }
    } while (stretch.more() && page.hasRoom());
    boolean more = stretch.more() || taken < stretch.events().size();
    return page.page(new PositionCursor(positions).format(NAME), more);
  }

  /**
   * Some of the events.
   *
   * @param events the next events of all shards, by time
   * @param missed how many events before them are not kept any more
   * @param more whether there are events behind them
   */
  private record Stretch(List<StoredEvent> events, long missed, boolean more) {}

  /** The next of a stream, and those behind it. */
  private record Head(StoredEvent event, Iterator<StoredEvent> rest) {}

  /**
   * @param positions the last that was read of each stream; moved behind the events that are gone
   */
  private synchronized Stretch after(Map<String, Long> positions) {
    PriorityQueue<Head> heads =
        new PriorityQueue<>(Comparator.comparingLong(head -> head.event().event().timestamp()));
    long missed = 0;
    for (Stream stream : streams.values()) {
      long read = positions.getOrDefault(stream.name, 0L);
      missed += Math.max(0, stream.gone - read);
      long from = Math.max(read, stream.gone);
      positions.put(stream.name, from);
      if (from < stream.last()) {
        add(heads, stream.events.stream().skip(from - stream.gone).iterator());
      }
    }
    List<StoredEvent> events = new ArrayList<>();
    while (events.size() < MAX_STRETCH && !heads.isEmpty()) {
      Head next = heads.remove();
      events.add(next.event());
      add(heads, next.rest());
    }
    return new Stretch(events, missed, !heads.isEmpty());
  }

  private static void add(PriorityQueue<Head> heads, Iterator<StoredEvent> events) {
    if (events.hasNext()) {
      heads.add(new Head(events.next(), events));
    }
  }

  @Override
  public synchronized Future<String> endCursor() {
    TreeMap<String, Long> ends = new TreeMap<>(PositionCursor.BEGINNING.in(run).positions());
    streams.values().forEach(stream -> ends.put(stream.name, stream.last()));
    return Future.succeededFuture(new PositionCursor(ends).format(NAME));
  }

  @Override
  public synchronized Storage storage() {
    Long oldest = null;
    Long newest = null;
    for (Stream stream : streams.values()) {
      if (!stream.events.isEmpty()) {
        long first = stream.events.getFirst().event().timestamp();
        long last = stream.events.getLast().event().timestamp();
        oldest = oldest == null ? first : Math.min(oldest, first);
        newest = newest == null ? last : Math.max(newest, last);
      }
    }
    return new Storage(bytes, oldest, newest, null);
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
