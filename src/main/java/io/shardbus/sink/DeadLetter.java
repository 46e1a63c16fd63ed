package io.shardbus.sink;

import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;

/**
 * An event that the sink will not take.
 *
 * @param producer who gave the event its sequence
 * @param event the event
 * @param cause what the sink said
 * @param attempts how often the event was offered to the sink
 * @param time nanoseconds since the epoch at which the bus gave up
 */
public record DeadLetter(
    ProducerId producer, ShardEvent event, String cause, int attempts, long time) {}
