package io.shardbus.gateway;

import io.shardbus.ShardBus;
import io.vertx.core.Vertx;

/** What all connections share that bring events. */
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

  GatewayOptions options() {
    return limits.options();
  }

  int maxEventBytes() {
    return bus.shards().limits().maxEventBytes();
  }
}
