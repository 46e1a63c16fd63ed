package io.shardbus.gateway;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.Meter;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.shardbus.metrics.OwnMeters;
import io.shardbus.net.Budget;
import io.shardbus.sink.DeliveryObserver;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import io.vertx.ext.web.RoutingContext;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Consumer;
import java.util.function.ToDoubleFunction;

/** {@code GET /metrics}, in Prometheus' text format. */
final class Scrape {

  private static final Logger LOG = LoggerFactory.getLogger(Scrape.class);
  private static final String TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8";

  private static final String ADVICE =
      "if another gateway serves it, give each a registry of its own";

  private final Vertx vertx;
  private final PrometheusMeterRegistry registry;

  Scrape(Vertx vertx, PrometheusMeterRegistry registry) {
    this.vertx = vertx;
    this.registry = registry;
  }

  /** Adds the meters of the gateway. The result removes them. */
  Runnable count(
      IngestResources resources, Connections connections, WebSockets webSockets, EventReads reads) {
    Runnable release =
        OwnMeters.add(registry, ADVICE, own -> add(own, resources, connections, webSockets, reads));
    Runnable stop =
        resources
            .bus()
            .observe(
                new DeliveryObserver() {
                  @Override
                  public void closed() {
                    release.run(); // so that the next bus and its gateway can have the registry
                  }
                });
    return () -> {
      stop.run();
      release.run();
    };
  }

  private void add(
      Consumer<Meter> own,
      IngestResources resources,
      Connections connections,
      WebSockets webSockets,
      EventReads reads) {
    own.accept(gauge("connections", "connections that are open", connections, Connections::count));
    own.accept(gauge("websockets", "WebSockets that are open", webSockets, WebSockets::count));
    own.accept(gauge("tails", "live tails that are open", reads, EventReads::tails));
    own.accept(
        Gauge.builder("shardbus.gateway.partial", resources.budget(), Budget::used)
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
                        .tag("reason", reason.word())
                        .description("events and bodies that the gateway itself refused")
                        .register(registry)));
  }

  private <T> Gauge gauge(String name, String what, T of, ToDoubleFunction<T> count) {
    return Gauge.builder("shardbus.gateway." + name, of, count)
        .description(what)
        .register(registry);
  }

  /** Reading every meter takes a while: not on an event loop. */
  void send(RoutingContext context, Pages pages) {
    vertx
        .executeBlocking(() -> Buffer.buffer(registry.scrape(TEXT_FORMAT)), false)
        .onSuccess(
text -> pages.send(context, TEXT_FORMAT, text))
        .onFailure(
            e -> {
              LOG.error("cannot read the meters", e);
              Problem.send(context.response(), 500, "internal error");
            });
  }
}
