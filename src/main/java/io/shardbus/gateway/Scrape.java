package io.shardbus.gateway;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpHeaders;
import io.vertx.core.http.HttpServerResponse;
import io.vertx.ext.web.RoutingContext;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** {@code GET /metrics}, in Prometheus' text format. */
final class Scrape implements Handler<RoutingContext> {

  private static final Logger LOG = LoggerFactory.getLogger(Scrape.class);
  private static final String TEXT_FORMAT = "text/plain; version=0.0.4; charset=utf-8";

  private final Vertx vertx;
  private final PrometheusMeterRegistry registry;

  Scrape(Vertx vertx, PrometheusMeterRegistry registry) {
    this.vertx = vertx;
    this.registry = registry;
  }

  /** Adds the gateway's own meter; what it returns takes it out again. */
  Runnable count(WebSockets sockets) {
    Gauge gauge =
        Gauge.builder("shardbus.gateway.websockets", sockets, WebSockets::count)
            .description("WebSockets that are open")
            .register(registry);
    return () -> registry.remove(gauge);
  }

  /** Reading every meter takes a while: not on an event loop. */
  @Override
  public void handle(RoutingContext context) {
    HttpServerResponse response = context.response();
    vertx
        .executeBlocking(() -> registry.scrape(TEXT_FORMAT), false)
        .onSuccess(
            text -> {
              if (!response.closed()) {
                response
                    .putHeader(HttpHeaders.CONTENT_TYPE, TEXT_FORMAT)
                    .putHeader(HttpHeaders.CACHE_CONTROL, "no-store")
                    .end(text);
              }
            })
        .onFailure(
            e -> {
              LOG.error("cannot read the meters", e);
              Problem.send(response, 500, "internal error");
            });
  }
}
