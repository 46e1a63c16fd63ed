/**
 * The jetstream sink: a NATS JetStream stream for all shards, with a subject for each.
 *
 * <p>The events of a batch are published one behind the other without waiting, all over one
 * connection. The connection never reconnects by itself: what was published after an event that got
 * lost with its connection is lost as well, and the retry, over a new connection, publishes all of
 * it again in order. Publishing stops at the first refusal. So within a shard events are stored in
 * order of sequence, with one exception: where the server refuses an event and takes those
 * published right behind it, as when a stream of several replicas changes its leader, or when the
 * limits of a stream made by others refuse messages, the refused event is stored behind them. The
 * sequence in the headers tells.
 *
 * <p>The stream is looked for with each connection, and again after each refusal. If it is missing
 * it is made. So a server that lost it is written to again with the next attempt.
 *
 * <p>The server recognises a repeated event by its message id, but only within the stream's
 * duplicate window: an event that was stored although its confirmation got lost is stored twice if
 * its retry comes later than that. A confirmed event is as safe as the server makes it: it syncs
 * its files now and then, and keeps as many replicas as the stream has.
 */
@NullMarked
package io.shardbus.sink.jetstream;

import org.jspecify.annotations.NullMarked;
