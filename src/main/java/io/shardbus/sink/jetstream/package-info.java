/**
 * The jetstream sink: a NATS JetStream stream for all shards, with a subject for each.
 *
 * <p>A message's headers say what the event is besides its payload:
 *
 * <pre>{@code
 * Shardbus-Shard                       the shard's id
 * Shardbus-Sequence                    the event's place in the shard
 * Shardbus-Time                        RFC 3339 with nine digits
 * Shardbus-Epoch, Shardbus-Producer    the producer that gave the sequence
 * Shardbus-Key                         the key, encoded, if there is one
 * Nats-Msg-Id                          the id, encoded, or else producer:epoch:shard:sequence
 * Shardbus-Encoded                     the names of the headers below that are encoded, and of the
 *                                      event's own ce-datacontenttype
 * traceparent, ...                     the event's own headers
 * }</pre>
 *
 * <p>Headers hold printable ASCII only. So other text is percent-encoded as in the HTTP and NATS
 * bindings of CloudEvents: space, double quote, percent and each byte of UTF-8 that is not
 * printable ASCII become {@code %} and two hexadecimal digits. Headers {@code ce-NAME} are always
 * encoded, as the NATS binding has it. Others are only if they must be, so that {@code baggage} and
 * the like stay as they are. A CloudEvent's {@code content-type} is there as {@code
 * ce-datacontenttype} too. The order of the headers gets lost.
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
