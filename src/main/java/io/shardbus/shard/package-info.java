/**
 * The engine: rings, routing, fences, counts and scaling decisions.
 *
 * <p>Nothing here is a verticle or does I/O, and of Vert.x it uses only buffers and JSON. So the
 * engine can be tested without Vert.x, and under Lincheck and jcstress. It decides which shard
 * takes an event; {@code delivery} takes the events out again and writes them.
 *
 * <p>Where to begin:
 *
 * <ul>
 *   <li>{@link io.shardbus.shard.ShardManager} is the entry for other packages.
 *   <li>{@code Ingestion} is the way of an event into a ring: {@code RoutingTable}, {@code Lane},
 *       {@code EventRing}, {@code WakeUp}.
 *   <li>{@link io.shardbus.shard.Shard} is what other packages see of a shard. {@code
 *       ShardConsumer} takes its events out again.
 *   <li>{@code Lane} explains what happens when keys move, and {@code LaneChange} does it.
 *   <li>{@link io.shardbus.shard.ShardMapper} holds the states of shards, {@code LoadBalancer}
 *       their shares, {@code ScalingEvaluator} says when there should be more or fewer.
 * </ul>
 */
@NullMarked
package io.shardbus.shard;

import org.jspecify.annotations.NullMarked;
