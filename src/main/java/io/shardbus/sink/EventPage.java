package io.shardbus.sink;

import java.util.List;

/**
 * Events read from a {@link ReplayableSink}.
 *
 * @param events the events; may be empty although there are more, if a filter passed over many
 * @param cursor where to go on
 * @param more whether more was stored when the page was read
 */
public record EventPage(List<StoredEvent> events, String cursor, boolean more) {}
