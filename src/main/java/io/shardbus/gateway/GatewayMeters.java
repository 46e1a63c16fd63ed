package io.shardbus.gateway;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.shardbus.metrics.OwnMeters;
import io.shardbus.net.Budget;
import io.shardbus.sink.DeliveryObserver;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/** The meters of a gateway. */
final class GatewayMeters {

  private static final Logger LOG = LoggerFactory.getLogger(GatewayMeters.class);
  private static final int MAX_GATEWAYS = 1_000;

  private static final String ADVICE =
      "if another gateway serves it, give each a registry of its own";

  private final MeterRegistry registry;
  private final IngestResources resources;
  private final @Nullable Connections connections;
  private final WebSockets webSockets;
  private final EventReads reads;

  /**
   * @param connections null if the server is the application's
   */
  GatewayMeters(
      MeterRegistry registry,
      IngestResources resources,
      @Nullable Connections connections,
      WebSockets webSockets,
      EventReads reads) {
    this.registry = registry;
    this.resources = resources;
    this.connections = connections;
    this.webSockets = webSockets;
    this.reads = reads;
  }

  /** Adds them beside those of other gateways. The result removes them. */
  Runnable addBesideOthers() {
    Tags bus = Tags.of("address", resources.bus().address());
    for (int number = 0; number < MAX_GATEWAYS; number++) {
      try {
        return add(bus.and("gateway", Integer.toString(number)));
      } catch (IllegalStateException e) {
        LOG.trace("the number is another gateway's", e);
      }
    }
    LOG.warn("the meters of a gateway are in no registry: it has those of too many gateways");
    return () -> {};
  }

  /**
   * Adds them. The result removes them; so does the end of the bus, so that the next bus and its
   * gateway can have the registry.
   *
   * @throws IllegalStateException if the registry has meters with these names and tags
   */
  Runnable add(Tags tags) {
    Runnable release = OwnMeters.add(registry, ADVICE, own -> add(own, tags));
    Runnable stop =
        resources
            .bus()
            .observe(
                new DeliveryObserver() {
                  @Override
                  public void closed() {
                    release.run();
                  }
                });
    return () -> {
      stop.run();
      release.run();
    };
  }

  private void add(Consumer<Meter> own, Tags tags) {
    if (connections != null) {
      own.accept(
          gauge(tags, "connections", "connections that are open", connections, Connections::count));
    }
    own.accept(
        gauge(tags, "websockets", "WebSockets that are open", webSockets, WebSockets::count));
    own.accept(gauge(tags, "tails", "live tails that are open", reads, EventReads::tails));
    own.accept(
        Gauge.builder("shardbus.gateway.partial", resources.budget(), Budget::used)
            .tags(tags)
            .baseUnit("bytes")
            .description("unfinished bodies and messages, and those that wait for room")
            .register(registry));
    resources
        .refusals()
        .counts()
        .forEach(
            (reason, count) ->
                own.accept(
                    FunctionCounter.builder("shardbus.gateway.refused", count, LongAdder::sum)
                        .tags(tags.and("reason", reason.word()))
                        .description("events and bodies that the gateway itself refused")
                        .register(registry)));
  }

  private <T> Gauge gauge(Tags tags, String name, String what, T of, ToDoubleFunction<T> count) {
    return Gauge.builder("shardbus.gateway." + name, of, count)
        .tags(tags)
        .description(what)
        .register(registry);
  }
}
