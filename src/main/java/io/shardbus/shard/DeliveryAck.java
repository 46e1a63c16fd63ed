package io.shardbus.shard;

import io.shardbus.event.Outcome;

/**
 * Learns the fate of accepted events. One instance may serve many events: neighbours in a batch
 * with the same instance come in one call, on the thread that delivered, dead-lettered or evicted
 * them. It must be quick. If it throws, that is logged and changes nothing.
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
