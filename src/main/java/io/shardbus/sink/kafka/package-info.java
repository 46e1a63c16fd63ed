/**
 * The Kafka sink: each event is a record of one topic.
 *
 * <p>A record's value is the event's payload, its key the event's key in UTF-8 or null, its
 * timestamp the event's in milliseconds, or the nearest that the broker takes. The rest is in
 * headers, as UTF-8 text:
 *
 * <pre>{@code
 * shard            the shard's id
 * sequence         the event's place in the shard
 * timestamp        nanoseconds since the epoch
 * epoch, producer  who gave the sequence
 * deduplicationId  producer:epoch:shard:sequence
 * }</pre>
 *
 * <p>Records that lack these headers are of others and are passed over when reading.
 *
 * <p>After each failure the producer is a new one, and the topic is looked at: one that was made
 * anew may have fewer partitions.
 *
 * <p>The producer is idempotent, so its own retries make no duplicates. Kafka does not recognise a
 * record that is sent again by a new producer: after a failed attempt whose records were in fact
 * written, and after a restart with events unconfirmed, an event can be there twice, with one
 * deduplicationId. The first occurrences of a shard's events are in order all the same.
 */
@NullMarked
package io.shardbus.sink.kafka;

import org.jspecify.annotations.NullMarked;
