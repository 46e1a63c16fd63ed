/**
 * The event-bus sink: a consumer group over the Vert.x event bus, with acknowledgement, redelivery
 * and credits.
 *
 * <p>A consumer announces itself by publishing JSON at the sink's address, once a second and when a
 * sink asks for it at {@code ADDRESS.census}:
 *
 * <pre>{@code
 * {"type": "hello", "member": ID, "credits": N, "late": false}    // at most N batches at once, please
 * {"type": "bye", "member": ID}                                   // no more batches
 * }</pre>
 *
 * <p>{@code late} says whether a member has a batch whose time has passed. Such a member gets no
 * more shards while there are other members.
 *
 * <p>Batches go as requests to {@code ADDRESS.member.ID}. The body is binary:
 *
 * <pre>{@code
 * u8 version (2), u16 length and bytes of the producer's id, i64 epoch, i32 shard, i32 count, then for each event
 * i64 sequence, i64 timestamp, key and id and headers, i32 length of the payload, its bytes
 * }</pre>
 *
 * <p>The timestamp is nanoseconds since the epoch. {@link io.shardbus.event.AttributeCodec}
 * describes how key, id and headers are written.
 *
 * <p>The header {@code deduplicationId} holds {@code producer:epoch:shard:firstSequence}, the
 * header {@code timeout} the milliseconds for which the sink waits. A reply acknowledges the batch.
 * A failure code says what to do with it: 1 try again, 2 never, 3 give it to another member. Codes
 * 4 and 5 mean the same as 1 and 2, but for some events only, and acknowledge the others. The
 * message of the failure begins with the indexes of the failed events in the batch, and a space, as
 * in {@code 0-3,7 no room}. After code 4, later events of the same keys come again too, behind the
 * failed ones. A sink of an earlier version, which does not know these codes, tries the whole batch
 * again.
 */
@NullMarked
package io.shardbus.sink.eventbus;

import org.jspecify.annotations.NullMarked;
