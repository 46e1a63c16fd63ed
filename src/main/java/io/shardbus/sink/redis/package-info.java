/**
 * The redis sink: one Redis stream a shard.
 *
 * <p>The entries of a batch are added by a script, which the server runs as a whole or not at all.
 * The script keeps the last sequence of each producer beside the stream, in the same server, and
 * passes over events that it has added. So after a repeated batch every event is in the stream once
 * and in order, however late the first attempt arrives. Several producers may write to one stream.
 * If a producer comes with an older epoch than before, the script refuses it: it was started from
 * an old copy of its data folder, and its sequences mean other events.
 *
 * <p>An entry has the fields {@code producer}, {@code epoch}, {@code sequence}, {@code time} (RFC
 * 3339 with nine digits), {@code payload} and, if the event has them, {@code key}, {@code id} and
 * {@code header:NAME} for each header.
 *
 * <p>After a refusal the sink does not use the connection again, because the address may lead to
 * another server by now. A store gets a number with its first entry. If all data is deleted, the
 * number changes, and cursors show that.
 *
 * <p>Streams are read by the ids that the server gives. They begin with the server's time, which is
 * after the event's, and never go back. So a read of events since a time begins at the entries of
 * that time, less a minute for clocks that differ.
 *
 * <p>An event is as safe as the server's persistence makes it: confirm only what is on the disk
 * with {@code appendonly yes} and {@code appendfsync always}.
 */
@NullMarked
package io.shardbus.sink.redis;

import org.jspecify.annotations.NullMarked;
