package io.shardbus.sink;

import java.util.List;

/**
 * Events read from a {@link ReplayableSink}.
 *
 * @param events the events; may be empty although there are more, if a filter passed over many
 * @param cursor where to go on
 * @param more whether more was stored when the page was read
 * @param missed how many events behind the query's cursor were deleted before they could be read,
 *     whether the query wants them or not: the reader was too slow. 0 if the sink cannot tell. A
 *     page without a cursor begins at the oldest event and has not missed those before it
 */
public record EventPage(List<StoredEvent> events, String cursor, boolean more, long missed) {}
