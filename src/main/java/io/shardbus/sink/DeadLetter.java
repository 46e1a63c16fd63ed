package io.shardbus.sink;

import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;

/**
 * An event that the sink has refused for good.
 *
 * @param producer the producer that gave the event its sequence
 * @param event the event
 * @param cause the answer of the sink
 * @param attempts how often the event was offered to the sink
 * @param time nanoseconds since the epoch at which the bus gave up
 */
public record DeadLetter(
    ProducerId producer, ShardEvent event, String cause, int attempts, long time) {}
