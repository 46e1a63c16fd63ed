/**
 * Events and their results: data only.
 *
 * <p>Here live an event on its way in ({@link io.shardbus.event.RawEvent}), in a shard and on its
 * way out ({@link io.shardbus.event.ShardEvent}, {@link io.shardbus.event.Batch}), the result of
 * handing one in ({@link io.shardbus.event.IngestResult}), and the code that finds keys, lines and
 * JSON in bytes. Nothing here has a thread, does I/O, or knows another package of Shardbus except
 * {@code options}.
 *
 * <p>Begin with {@link io.shardbus.event.RawEvent}.
 */
@NullMarked
package io.shardbus.event;

import org.jspecify.annotations.NullMarked;
