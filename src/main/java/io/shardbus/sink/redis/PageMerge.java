package io.shardbus.sink.redis;

import io.shardbus.sink.EventPage;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.StoredEvent;
import io.shardbus.sink.support.PageBuilder;
import io.shardbus.sink.support.PositionCursor;
import java.util.ArrayDeque;
import java.util.Comparator;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/*
 * Merges the streams of the shards into a page. The next event always comes from the stream whose next event is the
 * oldest, so no stream starves. Before each choice it needs the next entry, or the end, of every stream.
 */
final class PageMerge {

  private final PageBuilder page;
  private final TreeMap<String, Long> positions;
  private final List<Stream> streams;

  private record Entry(EntryId id, @Nullable StoredEvent event) {

    long timestamp() {
      return event == null ? Long.MIN_VALUE : event.event().timestamp();
    }
  }

  /** A shard's entries behind the cursor, as far as they were fetched. */
  static final class Stream {

    private final String shard;
    private final ArrayDeque<Entry> fetched = new ArrayDeque<>();
    private EntryId last;
    private boolean ended;

    Stream(String shard, EntryId last) {
      this.shard = shard;
      this.last = last;
    }

    String shard() {
      return shard;
    }

    /** The newest entry fetched. */
    EntryId last() {
      return last;
    }

    void add(EntryId id, @Nullable StoredEvent event) {
      last = id;
      fetched.add(new Entry(id, event));
    }

    void atEnd() {
      ended = true;
    }

    boolean isDry() {
      return !ended && fetched.isEmpty();
    }
  }

  PageMerge(PositionCursor cursor, EventQuery query, List<String> shards) {
    page = new PageBuilder(query);
    positions = new TreeMap<>(cursor.positions());
    EntryId before = new EntryId(Math.max(0, page.sinceMillis() - 1), 0);
    streams =
        shards.stream()
            .map(shard -> new Stream(shard, before.orLater(EntryId.of(cursor, shard))))
            .toList();
  }

  /** Whether an entry, and all behind it, come too late to be of interest. */
  boolean isPast(EntryId id) {
    return page.isPast(TimeUnit.MILLISECONDS.toNanos(id.millis()));
  }

  /** How many entries to ask of each stream. */
  int fetchCount() {
    return page.fetchCount(streams.size());
  }

  /** The streams of which more must be fetched. */
  List<Stream> dry() {
    return streams.stream().filter(Stream::isDry).toList();
  }

  /**
   * Takes events as long as the next entry of every stream is known. Returns whether the page is
   * done.
   */
  boolean merge() {
    while (true) {
      Stream oldest = oldest();
      if (oldest == null || !page.hasRoom()) {
        return true;
      }
      take(oldest);
      if (oldest.isDry()) {
        return false;
      }
    }
  }

  private @Nullable Stream oldest() {
    return streams.stream()
        .filter(stream -> !stream.fetched.isEmpty())
        .min(Comparator.comparingLong(stream -> stream.fetched.element().timestamp()))
        .orElse(null);
  }

  private void take(Stream stream) {
    Entry entry = stream.fetched.remove();
    entry.id.put(positions, stream.shard);
    page.scan(entry.event);
  }

  EventPage result() {
    return page.page(
        new PositionCursor(positions).format(RedisSinkOptions.SINK_NAME), oldest() != null);
  }
}
