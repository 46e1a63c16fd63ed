package io.shardbus.sink;

import io.shardbus.event.EventTime;
import io.shardbus.options.Durations;
import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import org.jspecify.annotations.Nullable;

/**
 * What to read from a {@link ReplayableSink}. {@link #of} reads everything; the {@code with}
 * methods give copies that read less.
 *
 * <p>An event is stored after its time: usually within milliseconds, and later while the sink is
 * down. So a store is not sorted by time, and a walk with {@code until} goes on behind the first
 * younger event. It ends where the store has reached a time that is {@link #LATEST} after {@code
 * until}, or else at the end of the store. Events that were stored later than that are not found.
 *
 * <p>With {@code since}, a store may begin at the events that it took at that time, less {@link
 * #CLOCKS_DIFFER}. So if its clock is behind that of the bus by more than this, events are missed.
 *
 * @param cursor where to go on: the cursor of the page before; null for the oldest event
 * @param limit how many events at most, 1 to {@value #MAX_LIMIT}; a page also ends early when it
 *     grows large in bytes
 * @param filter which events; null for all
 * @param order how events of different shards are ordered
 * @param since only events of this time or younger, in nanoseconds since the epoch; {@link
 *     Long#MIN_VALUE} for all
 * @param until only events older than this time, in nanoseconds since the epoch; {@link
 *     Long#MAX_VALUE} for all
 * @param key only events with this key; null for all
 * @param shard only events of this shard; null for all
 */
public record EventQuery(
    @Nullable String cursor,
    int limit,
    @Nullable EventFilter filter,
    Order order,
    long since,
    long until,
    @Nullable String key,
    @Nullable Integer shard) {

  /** The largest limit, in events. */
  public static final int MAX_LIMIT = 10_000;

  /** How long after its time an event may be stored so that a walk with {@code until} finds it. */
  public static final Duration LATEST = Duration.ofDays(1);

  /** How far the clock of a store may be behind that of the bus. */
  public static final Duration CLOCKS_DIFFER = Duration.ofMinutes(1);

  /** How events of different shards are ordered. */
  public enum Order {
    /** The cheapest order for the sink. Within a shard it is the sequence. */
    NONE,
    /**
     * By timestamp, within each page. Within a shard that is the sequence, unless the clock went
     * back. Pages follow the order in which the sink stored events. So the first events of a page
     * can be older than the last ones of the page before, by the time between writes of different
     * shards.
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
   * @param since the oldest time
   * @param until the first time that is too young
   * @param key the only key
   * @param shard the only shard
   */
  public EventQuery {
    if (limit < 1 || limit > MAX_LIMIT) {
      throw new IllegalArgumentException("limit: " + limit + " must be 1 to " + MAX_LIMIT);
    }
  }

  /**
   * Reads all events, in the cheapest order.
   *
   * @param cursor where to go on: the cursor of the page before; null for the oldest event
   * @param limit how many events at most, 1 to {@value #MAX_LIMIT}
   * @return the query
   */
  public static EventQuery of(@Nullable String cursor, int limit) {
    return new EventQuery(
        cursor, limit, null, Order.NONE, Long.MIN_VALUE, Long.MAX_VALUE, null, null);
  }

  /**
   * Reads a time as users write it, for {@code since} and {@code until}.
   *
   * @param text as in RFC 3339, or a duration before now such as {@code -15m}
   * @return nanoseconds since the epoch
   * @throws IllegalArgumentException if it is neither
   */
  public static long time(String text) {
    try {
      return EventTime.parse(
          text.startsWith("-")
              ? Instant.now().minus(Durations.parse(text.substring(1))).toString()
              : text);
    } catch (IllegalArgumentException | ArithmeticException | DateTimeException e) {
      throw new IllegalArgumentException(
          "\""
              + text
              + "\" must be a time such as 2026-11-29T16:05:12Z, or a time before now such as"
              + " -15m",
          e);
    }
  }

  /**
   * The same query from another place.
   *
   * @param place the cursor of a page; null for the oldest event
   * @return the query
   */
  public EventQuery withCursor(@Nullable String place) {
    return new EventQuery(place, limit, filter, order, since, until, key, shard);
  }

  /**
   * Reads only some events.
   *
   * @param wanted which; null for all
   * @return the query
   */
  public EventQuery withFilter(@Nullable EventFilter wanted) {
    return new EventQuery(cursor, limit, wanted, order, since, until, key, shard);
  }

  /**
   * Reads in an order.
   *
   * @param wanted how events of different shards are ordered
   * @return the query
   */
  public EventQuery withOrder(Order wanted) {
    return new EventQuery(cursor, limit, filter, wanted, since, until, key, shard);
  }

  /**
   * Reads only events of a time or younger.
   *
   * @param time nanoseconds since the epoch
   * @return the query
   */
  public EventQuery withSince(long time) {
    return new EventQuery(cursor, limit, filter, order, time, until, key, shard);
  }

  /**
   * Reads only events that are older than a time.
   *
   * @param time nanoseconds since the epoch
   * @return the query
   */
  public EventQuery withUntil(long time) {
    return new EventQuery(cursor, limit, filter, order, since, time, key, shard);
  }

  /**
   * Reads only events with a key.
   *
   * @param wanted the key; null for all events
   * @return the query
   */
  public EventQuery withKey(@Nullable String wanted) {
    return new EventQuery(cursor, limit, filter, order, since, until, wanted, shard);
  }

  /**
   * Reads only events of a shard.
   *
   * @param wanted the shard's id; null for all events
   * @return the query
   */
  public EventQuery withShard(@Nullable Integer wanted) {
    return new EventQuery(cursor, limit, filter, order, since, until, key, wanted);
  }
}
