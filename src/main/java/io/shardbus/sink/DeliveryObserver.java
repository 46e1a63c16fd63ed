package io.shardbus.sink;

/**
 * Observes deliveries: called once per batch or attempt, never per event. It runs on the loops of
 * the shards, also on several at once, so it must be brief and must not block. While it hangs, so
 * does the event loop with all that runs there.
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
   * @param taken whether the sink took all events of the attempt
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
   * @param shard the shard that they went through
   * @param oldest timestamp of the first of them
   * @param newest timestamp of the last of them
   */
  default void confirmed(int shard, long oldest, long newest) {}

  /** The bus is closed, and no further call comes, except perhaps this one again. */
  default void closed() {}
}
