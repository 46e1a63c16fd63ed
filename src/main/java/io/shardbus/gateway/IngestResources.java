package io.shardbus.gateway;

import io.shardbus.ShardBus;
import io.shardbus.delivery.WaitingRoom;
import io.shardbus.net.Budget;
import io.shardbus.net.RateLimit;
import io.shardbus.options.Durations;
import io.vertx.core.Vertx;

/** The objects that the sending connections of an event loop share. */
record IngestResources(
    Vertx vertx,
    ShardBus bus,
    WaitingRoom waitingRoom,
    Limits limits,
    RateLimit rates,
    Budget budget,
    HeldMemory held,
    RefusalCounters refusals,
    KeptHeaders kept,
    Proxies proxies) {

  /** What the face of a bus does not show. */
  static WaitingRoom.Holder holder(ShardBus bus) {
    if (!(bus instanceof WaitingRoom.Holder holder)) {
      throw new IllegalArgumentException("bus: must be as ShardBus.start made it");
    }
    return holder;
  }

  static IngestResources of(Vertx vertx, ShardBus bus, Limits limits) {
    return new IngestResources(
        vertx,
        bus,
        holder(bus).waitingRoom(),
        limits,
        new RateLimit(
            () -> limits.options().getMaxEventsPerSecondPerClient(),
            () -> limits.options().getMaxBytesPerSecondPerClient(),
            System::nanoTime),
        new Budget(() -> limits.options().getMaxPartialBytes()),
        new HeldMemory(() -> limits.options().getMaxPartialBytes()),
        new RefusalCounters(),
        new KeptHeaders(limits.options().getKeepHeaders()),
        new Proxies(limits.options().getTrustedProxies()));
  }

  /** The same for one of several event loops, with its share of the memory for waiting events. */
  IngestResources ofLoop(int loops) {
    return new IngestResources(
        vertx,
        bus,
        waitingRoom,
        limits,
        rates,
        budget,
        new HeldMemory(() -> limits.options().getMaxPartialBytes() / loops),
        refusals,
        kept,
        proxies);
  }

  GatewayOptions options() {
    return limits.options();
  }

  /** The answer to a request whose events are in the bus. */
  String notConfirmed() {
    return "gateway.ackTimeout: accepted, but the sink did not confirm it in "
        + Durations.format(options().getAckTimeout())
        + ": the bus still tries";
  }

  int maxEventBytes() {
    return bus.shards().limits().maxEventBytes();
  }
}
