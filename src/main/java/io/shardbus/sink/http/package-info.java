/**
 * Posts events to a URL.
 *
 * <p>With {@code body: ndjson} or {@code array} a request carries a batch, with {@code single} an
 * event. Each request has the header {@code Idempotency-Key}: {@code
 * PRODUCER:EPOCH:SHARD:FIRST-LAST} with the sequences of a batch, the id of a single event, or
 * {@code PRODUCER:EPOCH:SHARD:SEQUENCE} if it has none. It is the same when a request is repeated.
 *
 * <p>A single event that is no envelope has its attributes in headers, percent-encoded as in
 * CloudEvents: {@code Shardbus-Key}, {@code Shardbus-Id}, {@code Shardbus-Shard}, {@code
 * Shardbus-Sequence}, {@code Shardbus-Time}, {@code Shardbus-Producer}, {@code Shardbus-Epoch}. Its
 * own headers are there as {@code Shardbus-Header-NAME}; {@code ce-NAME}, {@code traceparent} and
 * {@code tracestate} have their own names.
 *
 * <p>Begin with {@link io.shardbus.sink.http.HttpSinkOptions}.
 */
@NullMarked
package io.shardbus.sink.http;

import org.jspecify.annotations.NullMarked;
