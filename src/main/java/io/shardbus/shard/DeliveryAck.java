package io.shardbus.shard;

import io.shardbus.event.Outcome;

/**
 * Told what became of accepted events. One instance may be given to many events: neighbours in a
 * batch that have the same one are told of in one call, on the thread that delivered, dead-lettered
 * or evicted them. Must be quick; what it throws is logged and changes nothing.
 */
public interface DeliveryAck {

  /**
   * The sink confirmed events.
   *
   * @param events how many, at least 1
   */
  void delivered(int events);

  /**
   * Events will not be delivered.
   *
   * @param why EVICTED, DEAD_LETTERED, or UNKNOWN if the bus was closed before the sink confirmed
   *     them
   * @param events how many, at least 1
   */
  void failed(Outcome why, int events);
}
