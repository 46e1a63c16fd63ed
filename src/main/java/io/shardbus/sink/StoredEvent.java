package io.shardbus.sink;

import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;

/**
 * An event that was read back. Two producers can write events with the same shard, epoch and
 * sequence to one store. Only the producer's id tells such events apart.
 *
 * @param producer the producer that gave the event its sequence; sequences start again from 0 in
 *     each epoch
 * @param event the event
 */
public record StoredEvent(ProducerId producer, ShardEvent event) {

  /** {@return the number of the producer's start, at least 0} */
  public long epoch() {
    return producer.epoch();
  }
}
