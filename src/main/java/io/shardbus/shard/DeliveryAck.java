package io.shardbus.shard;

/**
 * Learns the fate of accepted events. One instance may serve many events: neighbours in a batch
 * with the same instance come in one call, on the thread that delivered, dead-lettered or evicted
 * them. It must be quick. If it throws, that is logged and changes nothing.
 */
public interface DeliveryAck {

  /** Why an accepted event will not be delivered. */
  enum Failure {
    /** Pushed out of a full ring by a newer event, in mode drop-oldest. */
    EVICTED,
    /** The sink refused it for good, or too often. */
    DEAD_LETTERED,
    /**
     * The bus was closed before the sink confirmed it, so it is not known whether the sink took it.
     */
    ABANDONED
  }

  /**
   * The sink confirmed events.
   *
   * @param events how many, at least 1
   */
  void delivered(int events);

  /**
   * Events will not be delivered.
   *
   * @param failure why
   * @param events how many, at least 1
   */
  void failed(Failure failure, int events);
}
