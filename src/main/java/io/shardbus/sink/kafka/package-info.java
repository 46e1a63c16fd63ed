/**
 * The Kafka sink: each event is a record of one topic.
 *
 * <p>A record's value is the event's payload, its key the event's key in UTF-8 or null, and its
 * timestamp the event's in milliseconds, or the nearest one that the broker takes. The headers hold
 * the rest, as UTF-8 text:
 *
 * <pre>{@code
 * shard            the shard's id
 * sequence         the event's place in the shard
 * timestamp        nanoseconds since the epoch
 * epoch, producer  the producer that gave the sequence
 * deduplicationId  producer:epoch:shard:sequence
 * }</pre>
 *
 * <p>Readers pass over records without these headers: other programs wrote them.
 *
 * <p>After each failure the sink makes a new producer and looks at the topic again, which may have
 * been created again with fewer partitions.
 *
 * <p>The producer is idempotent, so its own retries make no duplicates. Kafka does not recognise a
 * record that a new producer sends again. So an event can be there twice, with one deduplicationId:
 * after a failed attempt whose records were written all the same, and after a restart with
 * unconfirmed events. The first occurrences of a shard's events are in order all the same.
 */
@NullMarked
package io.shardbus.sink.kafka;

import org.jspecify.annotations.NullMarked;
