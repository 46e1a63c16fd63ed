package io.shardbus.sink;

import io.shardbus.event.ShardEvent;

/**
 * An event that was read back.
 *
 * @param epoch the producer's epoch: sequences start again from 0 in each
 * @param event the event
 */
public record StoredEvent(long epoch, ShardEvent event) {}
