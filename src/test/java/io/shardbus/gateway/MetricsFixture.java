package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.metrics.BusMetrics;
import io.shardbus.shard.BackpressureMode;
import io.shardbus.shard.ScalingPolicy;
import io.shardbus.testing.Samples;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import java.time.Duration;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A bus and a gateway, whose meters are scraped. */
abstract class MetricsFixture {

  Vertx vertx;
  HttpClient http;
  ShardBus bus;
  BusMetrics metrics;
  Gateway gateway;
  final PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
  final RecordingSink sink = new RecordingSink();

  @BeforeEach
  void setUp() throws Exception {
    vertx = Vertx.vertx();
    http = vertx.createHttpClient();
    start(BackpressureMode.DROP_NEWEST);
  }

  void start(BackpressureMode mode) throws Exception {
    bus = await(ShardBus.start(vertx, options().setBackpressure(mode), sink));
    metrics = new BusMetrics(bus);
    metrics.bindTo(registry);
    gateway = await(Gateway.start(vertx, bus, new GatewayOptions().setPort(0), registry));
  }

  @AfterEach
  void tearDown() throws Exception {
    await(vertx.close());
  }

  static ShardBusOptions options() {
    ShardBusOptions options =
        new ShardBusOptions()
            .setShards(2)
            .setRingCapacity(1024)
            .setMaxEventBytes(1000)
            .setScaling(ScalingPolicy.defaults(4).setAutoScale(false));
    options.getDelivery().setInitialBackoff(Duration.ofMillis(1));
    return options;
  }

  static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
  }

  String get(String path, String type) throws Exception {
    return await(
        http.request(HttpMethod.GET, gateway.port(), "127.0.0.1", path)
            .compose(
                request -> {
                  // Asked for before it is sent, so that no part of it comes too early.
                  Future<Buffer> answer =
                      request
                          .response()
                          .compose(
                              response -> {
                                assertThat(response.statusCode()).isEqualTo(200);
                                assertThat(response.getHeader("Content-Type")).startsWith(type);
                                return response.body();
                              });
                  return request.end().compose(sent -> answer);
                })
            .map(Buffer::toString));
  }

  Samples scrape() throws Exception {
    return new Samples(get("/metrics", "text/plain"));
  }

  void post(String type, String body) throws Exception {
    await(
        http.request(HttpMethod.POST, gateway.port(), "127.0.0.1", "/v1/events")
            .compose(
                request -> {
                  Future<Buffer> answer = request.response().compose(HttpClientResponse::body);
                  return request.putHeader("Content-Type", type).end(body).compose(sent -> answer);
                }));
  }

  Set<String> shardLabels(String name) throws Exception {
    return scrape().of(name).stream()
        .map(sample -> sample.labels().get("shard"))
        .collect(Collectors.toCollection(TreeSet::new));
  }
}
