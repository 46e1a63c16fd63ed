package io.shardbus.sink;

import org.jspecify.annotations.Nullable;

/**
 * What to read from a {@link ReplayableSink}.
 *
 * @param cursor where to go on: the cursor of the page before; null for the oldest event
 * @param limit how many events at most, 1 to {@value #MAX_LIMIT}; a page also ends early when it
 *     grows large in bytes
 * @param filter which events; null for all
 * @param order how events of different shards are ordered
 */
public record EventQuery(
    @Nullable String cursor, int limit, @Nullable EventFilter filter, Order order) {

  /** The largest limit, in events. */
  public static final int MAX_LIMIT = 10_000;

  /** How events of different shards are ordered. Within a shard it is always the sequence. */
  public enum Order {
    /** The cheapest order for the sink. */
    NONE,
    /**
     * By timestamp across the shards, within each page. Pages follow the order in which the sink
     * stored events. So the first events of a page can be older than the last ones of the page
     * before, by the time between writes of different shards.
     */
    TIMESTAMP
  }

  /**
   * Checks the limit.
   *
   * @param cursor where to go on
   * @param limit events
   * @param filter which events
   * @param order across shards
   */
  public EventQuery {
    if (limit < 1 || limit > MAX_LIMIT) {
      throw new IllegalArgumentException("limit: " + limit + " must be 1 to " + MAX_LIMIT);
    }
  }
}
