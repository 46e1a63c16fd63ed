package io.shardbus.sink.support;

import io.shardbus.event.ShardEvent;
import io.shardbus.sink.EventFilter;
import io.shardbus.sink.EventPage;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.StoredEvent;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Gathers the events of one page, within the limit of the query and bounds of its own. Not safe for
 * several threads at once.
 */
public final class PageBuilder {

  private static final long MAX_BYTES = 8 << 20;

  // A filter that matches little must not read everything for one page.
  private static final int MAX_SCANNED = 100_000;
  private static final long MAX_SCANNED_BYTES = 32 << 20;

  // Bound what is fetched and not scanned yet.
  private static final int MAX_FETCHED = 500;
  private static final long MAX_FETCHED_BYTES = 8 << 20;

  /** The assumed size of an event before one was seen, in bytes. */
  private static final long EXPECTED_BYTES = 64 << 10;

  private static final long LATEST_NANOS = EventQuery.LATEST.toNanos();

  private final EventQuery query;
  private final List<StoredEvent> events = new ArrayList<>();
  private long bytes;
  private int scanned;
  private long scannedBytes;
  private long missed;

  /**
   * An empty page.
   *
   * @param query what to read
   */
  public PageBuilder(EventQuery query) {
    this.query = query;
  }

  /** {@return whether to read on: the page is not full, and has not passed over too many events} */
  public boolean hasRoom() {
    return events.size() < query.limit()
        && bytes < MAX_BYTES
        && scanned < MAX_SCANNED
        && scannedBytes < MAX_SCANNED_BYTES;
  }

  /**
   * Looks at the next event, and takes it if the query wants it.
   *
   * @param stored the event; null for an entry of the store that is not an event of Shardbus
   */
  public void scan(@Nullable StoredEvent stored) {
    scanned++;
    if (stored == null) {
      return;
    }
    int size = stored.event().size();
    scannedBytes += size;
    if (isWanted(stored.event())) {
      events.add(stored);
      bytes += size;
    }
  }

  /**
   * Notes events that the cursor had not reached and that the store does not have any more.
   *
   * @param events how many
   */
  public void missed(long events) {
    missed += events;
  }

  /** The filter comes last: it may read the payload. */
  private boolean isWanted(ShardEvent event) {
    EventFilter filter = query.filter();
    return event.timestamp() >= query.since()
        && event.timestamp() < query.until()
        && (query.shard() == null || query.shard() == event.shard())
        && (query.key() == null || query.key().equals(event.key()))
        && (filter == null || filter.test(event));
  }

  /** Whether some events are passed over. */
  private boolean isSelective() {
    return query.filter() != null
        || query.key() != null
        || query.shard() != null
        || query.since() != Long.MIN_VALUE
        || query.until() != Long.MAX_VALUE;
  }

  /**
   * The time from which a store has to be read: it has taken no event that the query wants before.
   * For a store with a clock of its own.
   *
   * @return milliseconds since the epoch; a negative number for the beginning of the store
   */
  public long sinceMillis() {
    return query.since() == Long.MIN_VALUE
        ? -1
        : TimeUnit.NANOSECONDS.toMillis(query.since()) - EventQuery.CLOCKS_DIFFER.toMillis();
  }

  /**
   * Whether a stream of the store has nothing more that the query wants, because all that comes was
   * stored too long after {@code until}.
   *
   * @param time when the next event was stored or, if the store does not know that, the event's own
   *     time; nanoseconds since the epoch
   * @return true to end the stream
   */
  public boolean isPast(long time) {
    return time - LATEST_NANOS >= query.until();
  }

  /**
   * How many events to ask of each stream, for a store that cannot bound its answers in bytes. The
   * number balances round trips with memory. It follows the size of the events that were scanned.
   *
   * @param streams how many streams are asked at once
   * @return events, at least 1
   */
  public int fetchCount(int streams) {
    int among = Math.max(1, streams);
    int wanted = isSelective() ? MAX_FETCHED : (query.limit() - events.size()) / among + 1;
    long average = scanned == 0 ? EXPECTED_BYTES : scannedBytes / scanned + 1;
    long affordable = MAX_FETCHED_BYTES / among / average;
    return (int) Math.max(1, Math.min(affordable, Math.min(wanted, MAX_FETCHED)));
  }

  /**
   * Ends the page.
   *
   * @param cursor where to go on
   * @param more whether more is stored
   * @return the page
   */
  public EventPage page(String cursor, boolean more) {
    if (query.order() == EventQuery.Order.TIMESTAMP) {
      events.sort(Comparator.comparingLong(stored -> stored.event().timestamp()));
    }
    return new EventPage(events, cursor, more, missed);
  }
}
