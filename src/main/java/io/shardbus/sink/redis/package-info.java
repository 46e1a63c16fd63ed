/**
 * The redis sink: one Redis stream a shard.
 *
 * <p>The entries of a batch are added by a script, which the server runs as a whole or not at all.
 * The script keeps the last sequence of each producer beside the stream, in the same server, and
 * passes over what it has added before: a repeated batch leaves every event in the stream once and
 * in order, however late the first attempt arrives. Several producers may write to one stream. A
 * producer that comes with an older epoch than the newest one seen of it is refused: it was started
 * from an old copy of its data folder, and its sequences mean other events.
 *
 * <p>A connection over which anything was refused is not used again: the address may lead to
 * another server by now. With its first entry a store gets a number, by which cursors tell it from
 * one that was there before all was deleted.
 *
 * <p>Streams are read by the ids that the server gives. An event is as safe as the server's
 * persistence makes it: confirm only what is on the disk with {@code appendonly yes} and {@code
 * appendfsync always}.
 */
@NullMarked
package io.shardbus.sink.redis;

import org.jspecify.annotations.NullMarked;
