package io.shardbus.gateway;

import io.shardbus.ShardBus;
import io.vertx.core.Vertx;

/** What the connections of an event loop share that bring events. */
record IngestResources(
    Vertx vertx,
    ShardBus bus,
    Limits limits,
    RateLimit rates,
    Budget budget,
    HeldMemory held,
    RefusalCounters refusals) {

  static IngestResources of(Vertx vertx, ShardBus bus, Limits limits) {
    return new IngestResources(
        vertx,
        bus,
        limits,
        new RateLimit(
            () -> limits.options().getMaxEventsPerSecondPerClient(),
            () -> limits.options().getMaxBytesPerSecondPerClient(),
            System::nanoTime),
        new Budget(() -> limits.options().getMaxPartialBytes()),
        new HeldMemory(() -> limits.options().getMaxPartialBytes()),
        new RefusalCounters());
  }

  /**
   * The same for one of several event loops, which has its share of the memory of events that wait.
   */
  IngestResources ofLoop(int loops) {
    return new IngestResources(
        vertx,
        bus,
        limits,
        rates,
        budget,
        new HeldMemory(() -> limits.options().getMaxPartialBytes() / loops),
        refusals);
  }

  GatewayOptions options() {
    return limits.options();
  }

  int maxEventBytes() {
    return bus.shards().limits().maxEventBytes();
  }
}
