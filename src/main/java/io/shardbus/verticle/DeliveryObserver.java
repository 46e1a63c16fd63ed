package io.shardbus.verticle;

/**
 * Is told of deliveries, once per batch or attempt and never per event. It is called on the loops
 * of the shards, also of several at once, so it must be brief and must not block: while it hangs,
 * so does the event loop with all that runs there.
 */
public interface DeliveryObserver {

  /**
   * A batch is about to be written for the first time.
   *
   * @param events how many it holds
   */
  default void batchFormed(int events) {}

  /**
   * The sink answered an attempt, or its time was up.
   *
   * @param nanos from the attempt to its end
   * @param taken whether the sink took all that was written
   */
  default void answered(long nanos, boolean taken) {}

  /**
   * Events will be written once more.
   *
   * @param events how many
   */
  default void retried(int events) {}

  /**
   * The sink confirmed events.
   *
   * @param oldest timestamp of the first of them
   * @param newest timestamp of the last of them
   */
  default void confirmed(long oldest, long newest) {}

  /** The bus is closed: there is no more to tell. May be told more than once. */
  default void closed() {}
}
