/**
 * The jetstream sink: a NATS JetStream stream for all shards, with a subject for each.
 *
 * <p>The sink publishes the events of a batch one after the other over one connection, without
 * waiting in between. The connection never reconnects by itself. If it is lost, all unanswered
 * events are lost with it, and the retry publishes them again, in order, over a new connection.
 * Publishing stops at the first refusal. So events of a shard are stored in order of sequence, with
 * one exception: if the server refuses an event and takes the events right behind it, the refused
 * event is stored behind them. This can happen while a stream of several replicas changes its
 * leader, or when the limits of a stream made by others refuse messages. The sequence in the
 * headers shows the order.
 *
 * <p>The sink looks for the stream with each connection, and again after each refusal. If the
 * stream is missing, the sink creates it. So if a server has lost the stream, the next attempt
 * works again.
 *
 * <p>The server recognises a repeated event by its message id, but only within the stream's
 * duplicate window: if an event was stored, its confirmation got lost, and its retry comes later
 * than that, it is stored twice. A confirmed event is as safe as the server makes it: the server
 * syncs its files now and then, and keeps as many replicas as the stream has.
 */
@NullMarked
package io.shardbus.sink.jetstream;

import org.jspecify.annotations.NullMarked;
