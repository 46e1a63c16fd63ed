package io.shardbus.gateway;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import io.vertx.ext.web.RoutingContext;

/** {@code GET /metrics}, in Prometheus' text format. */
final class Scrape {

  private static final Logger LOG = LoggerFactory.getLogger(Scrape.class);
  private static final String TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8";

  private final Vertx vertx;
  private final PrometheusMeterRegistry registry;

  Scrape(Vertx vertx, PrometheusMeterRegistry registry) {
    this.vertx = vertx;
    this.registry = registry;
  }

  /** {@return what it serves} */
  MeterRegistry registry() {
    return registry;
  }

  /** Reading every meter takes a while: not on an event loop. */
  void send(RoutingContext context, Pages pages) {
    vertx
        .executeBlocking(() -> Buffer.buffer(registry.scrape(TEXT_FORMAT)), false)
        .onSuccess(text -> pages.send(context, TEXT_FORMAT, text))
        .onFailure(
            e -> {
              LOG.error("cannot read the meters", e);
              Problem.send(context.response(), 500, "internal error");
            });
  }
}
