/**
 * Both ends of the protocols that put events into a bus over the Vert.x event bus.
 *
 * <p>Here live {@link io.shardbus.eventbus.RouterVerticle}, which takes events at the address of
 * the bus, and {@link io.shardbus.eventbus.EventBusPublisher}, which sends batches to it with
 * credits, from any node. What they say to each other is in one class, {@code PublisherProtocol}.
 * Neither end knows {@code ShardBus}: the router takes a {@code ShardManager} and a waiting room,
 * the publisher only an address. The sink that hands events to consumers is not here but in {@code
 * sink.eventbus}.
 *
 * <p>Begin with {@code PublisherProtocol}, then {@code PublisherLink} for the publisher's end and
 * {@code PublisherSessions} for the router's.
 */
@NullMarked
package io.shardbus.eventbus;

import org.jspecify.annotations.NullMarked;
