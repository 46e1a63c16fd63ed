package io.shardbus.sink.support;

import io.shardbus.sink.EventFilter;
import io.shardbus.sink.EventPage;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.StoredEvent;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
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

  private final EventQuery query;
  private final List<StoredEvent> events = new ArrayList<>();
  private long bytes;
  private int scanned;
  private long scannedBytes;

  /**
   * An empty page.
   *
   * @param query what to read
   */
  public PageBuilder(EventQuery query) {
    this.query = query;
  }

  /**
   * Whether to read on.
   *
   * @return false if the page is full, or if it has passed over enough events
   */
  public boolean hasRoom() {
    return events.size() < query.limit()
        && bytes < MAX_BYTES
        && scanned < MAX_SCANNED
        && scannedBytes < MAX_SCANNED_BYTES;
  }

  /**
   * Looks at the next event, and takes it if the filter wants it.
   *
   * @param stored the event; null for an entry of the store that is not an event of Shardbus
   */
  public void scan(@Nullable StoredEvent stored) {
    scanned++;
    if (stored == null) {
      return;
    }
    int size = stored.event().payload().length();
    scannedBytes += size;
    EventFilter filter = query.filter();
    if (filter == null || filter.test(stored.event())) {
      events.add(stored);
      bytes += size;
    }
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
    int wanted = query.filter() == null ? (query.limit() - events.size()) / among + 1 : MAX_FETCHED;
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
    return new EventPage(events, cursor, more);
  }
}
