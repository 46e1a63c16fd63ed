/**
 * Delivery: from the rings of the shards into the sink.
 *
 * <p>Here live the drain of a shard, batches, attempts and retries, dead-lettering, the scaler, the
 * waiting room for events that find no room, and the verticles that run all of it. A verticle here
 * is a thin shell around a plain class, which tests run with a loop of their own. Which shard takes
 * an event is not decided here but in {@code shard}.
 *
 * <p>Where to begin:
 *
 * <ul>
 *   <li>{@code ShardVerticle} runs one shard, and {@code ShardPump} is the loop inside it.
 *   <li>{@code Delivery} writes batches and decides what to do after a failure.
 *   <li>{@code Scaler} adds and removes shards; {@code ShardDeployments} gives them verticles.
 *   <li>{@code IngestQueue} is the waiting room.
 *   <li>{@link io.shardbus.verticle.RouterVerticle} takes events from the event bus.
 * </ul>
 */
@NullMarked
package io.shardbus.verticle;

import org.jspecify.annotations.NullMarked;
