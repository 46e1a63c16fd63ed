/**
 * Parts for those who write sinks.
 *
 * <p>Here lives what several sinks share: batches in flight ({@link
 * io.shardbus.sink.support.InFlight}), a thread for a client that blocks ({@link
 * io.shardbus.sink.support.OwnThread}), pages, cursors and listeners for sinks that can be read
 * back. No sink must use them. The interface of sinks is in {@code sink}, which does not know this
 * package; nothing here knows a store.
 *
 * <p>Begin with {@link io.shardbus.sink.support.PageBuilder} if your sink can be read back, else
 * with {@link io.shardbus.sink.support.InFlight}.
 */
@NullMarked
package io.shardbus.sink.support;

import org.jspecify.annotations.NullMarked;
