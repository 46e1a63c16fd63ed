/**
 * Sinks: where batches go.
 *
 * <p>Here lives the interface: {@link io.shardbus.sink.Sink}, {@link
 * io.shardbus.sink.ReplayableSink} for those that can be read back, {@link
 * io.shardbus.sink.SinkException} for failures, and {@link io.shardbus.sink.SinkProvider}, by which
 * a sink is found and chosen. So do the types by which users of a bus follow its sink: {@link
 * io.shardbus.sink.SinkHealth}, {@link io.shardbus.sink.DeliveryObserver}, {@link
 * io.shardbus.sink.DeadLetters}. Each store has a package of its own below this one, is optional,
 * and knows no other. A sink never knows the bus that uses it.
 *
 * <p>Begin with {@link io.shardbus.sink.Sink}. {@code docs/sinks.md} shows how to write one.
 */
@NullMarked
package io.shardbus.sink;

import org.jspecify.annotations.NullMarked;
