package io.shardbus.shard;

/**
 * Told what became of accepted events. One instance may be given to many events: neighbours in a
 * batch that have the same one are told of in one call, on the thread that delivered, dead-lettered
 * or evicted them. Must be quick; what it throws is logged and changes nothing.
 */
public interface DeliveryAck {

  /** Why an accepted event will not be delivered. */
  enum Failure {
    /** Pushed out of a full ring by a newer event, in mode drop-oldest. */
    EVICTED,
    /** The sink refused it for good, or too often. */
    DEAD_LETTERED,
    /** The bus was closed before the sink confirmed it: whether it was taken cannot be known. */
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
