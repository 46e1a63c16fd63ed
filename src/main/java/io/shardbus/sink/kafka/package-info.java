/**
 * The Kafka sink: each event is a record of one topic.
 *
 * <p>A record's value is the event's payload, its key the event's key in UTF-8 or null, and its
 * timestamp the event's in milliseconds, or the nearest one that the broker takes. The headers hold
 * the rest, as UTF-8 text:
 *
 * <pre>{@code
 * Shardbus-Event    producer:epoch:shard:sequence:time, the name of the event and its time,
 *                   in nanoseconds since the epoch
 * Shardbus-Id       the id, if the event has one
 * traceparent, ...  the event's own headers
 * }</pre>
 *
 * <p>The names of an event's own headers are in lower case, so they never meet those of Shardbus.
 * For an event with {@code ce-specversion}, headers {@code ce-NAME} become {@code ce_NAME}, as in
 * the Kafka binding of CloudEvents, and {@code ce-NAME} again when they are read. So that both can
 * be there, {@code ce_NAME} becomes {@code ce-NAME}. An event with {@code ce_specversion} is
 * treated the same.
 *
 * <p>Readers pass over records without the first header: other programs wrote them.
 *
 * <p>After each failure the sink makes a new producer and looks at the topic again, which may have
 * been created again with fewer partitions.
 *
 * <p>The producer is idempotent, so its own retries make no duplicates. Kafka does not recognise a
 * record that a new producer sends again. So an event can be there twice, with one name: after a
 * failed attempt whose records were written all the same, and after a restart with unconfirmed
 * events. The first occurrences of a key's events are in order all the same, and with {@code
 * partitionBy: shard} those of a shard's.
 */
@NullMarked
package io.shardbus.sink.kafka;

import org.jspecify.annotations.NullMarked;
