package io.shardbus;

import io.vertx.core.Vertx;

/** Joins every bus that starts, found by {@link java.util.ServiceLoader}: the meters come so. */
public interface BusExtension {

  /**
   * A bus is about to be handed to the caller that started it. May block. If it throws, the bus
   * starts without it, and the log says why.
   *
   * @param vertx where the bus runs
   * @param bus the bus; an observer learns of its end
   */
  void started(Vertx vertx, ShardBus bus);
}
