/**
 * Delivery: from the rings of the shards into the sink.
 *
 * <p>Here live the drain of a shard, batches, attempts and retries, dead letters, the scaler, the
 * waiting room for events that find no room, and the verticles that run shards and scaling. A
 * verticle here is a thin shell around a plain class, which tests run with a loop of their own.
 * Package {@code shard} decides which shard takes an event. Package {@code eventbus} has the
 * messages on the event bus.
 *
 * <p>Where to begin:
 *
 * <ul>
 *   <li>{@code ShardVerticle} runs one shard, and {@code ShardPump} is the loop inside it.
 *   <li>{@code Delivery} writes batches; {@code BatchParts} decides what to do after a failure.
 *   <li>{@code DeadLetterStore} keeps what the sink refuses for good.
 *   <li>{@code Scaler} adds and removes shards; {@code ShardDeployments} gives them verticles.
 *   <li>{@code WaitingRoom} holds the events that wait for room.
 * </ul>
 */
@NullMarked
package io.shardbus.delivery;

import org.jspecify.annotations.NullMarked;
