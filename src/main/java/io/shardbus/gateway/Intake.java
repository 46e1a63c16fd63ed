package io.shardbus.gateway;

import io.shardbus.ShardBus;
import io.vertx.core.Vertx;

/** The objects that the sending connections of an event loop share. */
record Intake(
    Vertx vertx,
    ShardBus bus,
    Limits limits,
    RateLimit rates,
    Retries retries,
    Budget budget,
    WaitingRoom waiting,
    Refusals refusals) {

  static Intake of(Vertx vertx, ShardBus bus, Limits limits) {
    return new Intake(
        vertx,
        bus,
        limits,
        new RateLimit(
            () -> limits.options().getMaxEventsPerSecondPerClient(),
            () -> limits.options().getMaxBytesPerSecondPerClient(),
            System::nanoTime),
        new Retries(vertx),
        new Budget(() -> limits.options().getMaxPartialBytes()),
        new WaitingRoom(() -> limits.options().getMaxPartialBytes()),
        new Refusals());
  }

  /**
   * The same for one of several event loops, with its own retries, and a waiting room with its
   * share of the memory.
   */
  Intake ofLoop(int loops) {
    return new Intake(
        vertx,
        bus,
        limits,
        rates,
        new Retries(vertx),
        budget,
        new WaitingRoom(() -> limits.options().getMaxPartialBytes() / loops),
        refusals);
  }

  GatewayOptions options() {
    return limits.options();
  }

  int maxEventBytes() {
    return bus.shards().limits().maxEventBytes();
  }
}
