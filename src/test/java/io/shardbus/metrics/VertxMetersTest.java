package io.shardbus.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.event.RawEvent;
import io.shardbus.gateway.Gateway;
import io.shardbus.gateway.GatewayOptions;
import io.shardbus.junit5.RecordingSink;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.ext.web.Router;
import io.vertx.micrometer.MicrometerMetricsFactory;
import io.vertx.micrometer.MicrometerMetricsOptions;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The meters of a bus in the registry of its Vert.x. */
class VertxMetersTest {

  private final MeterRegistry registry = new SimpleMeterRegistry();
  private Vertx vertx = vertx(new MicrometerMetricsOptions().setEnabled(true).setRegistryName("x"));

  private Vertx vertx(MicrometerMetricsOptions metrics) {
    return Vertx.builder()
        .with(new VertxOptions().setMetricsOptions(metrics))
        .withMetrics(new MicrometerMetricsFactory(registry))
        .build();
  }

  @AfterEach
  void tearDown() throws Exception {
    await(vertx.close());
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
  }

  private static ShardBus start(Vertx vertx, String address) throws Exception {
    return await(
        ShardBus.start(
            vertx,
            new ShardBusOptions().setShards(1).setRingCapacity(1024).setAddress(address),
            new RecordingSink()));
  }

  /** The addresses of the meters of buses. */
  private List<String> addresses() {
    return registry.getMeters().stream()
        .map(Meter::getId)
        .filter(id -> id.getName().startsWith("shardbus."))
        .map(id -> id.getTag("address"))
        .distinct()
        .sorted()
        .map(Objects::requireNonNull)
        .toList();
  }

  @Test
  void metersOfEachBus_areThereUntilItCloses() throws Exception {
    ShardBus orders = start(vertx, "orders");
    ShardBus clicks = start(vertx, "clicks");
    assertThat(addresses()).containsExactly("clicks", "orders");
    clicks.ingest(RawEvent.of("one"));
    clicks.ingest(RawEvent.of("two"));
    assertThat(
            registry
                .get("shardbus.events.accepted")
                .tag("address", "clicks")
                .functionCounter()
                .count())
        .isEqualTo(2);
    await(clicks.close());
    assertThat(addresses()).containsExactly("orders");
    await(orders.close());
    assertThat(addresses()).isEmpty();
  }

  /** By the numbers of the gateways. */
  private List<String> numbersOf(String meter) {
    return registry.getMeters().stream()
        .map(Meter::getId)
        .filter(id -> id.getName().equals(meter) && "orders".equals(id.getTag("address")))
        .map(id -> id.getTag("gateway"))
        .sorted()
        .toList();
  }

  @Test
  void metersOfGateways_areThereUntilTheGatewayOrTheBusCloses() throws Exception {
    ShardBus bus = start(vertx, "orders");
    Router app = Router.router(vertx);
    Gateway first = Gateway.mount(app, bus, new GatewayOptions());
    await(Gateway.start(vertx, bus, new GatewayOptions().setPort(0)));
    assertThat(numbersOf("shardbus.gateway.tails")).containsExactly("0", "1");
    assertThat(numbersOf("shardbus.gateway.connections")).as("not mounted").containsExactly("1");
    await(first.close());
    assertThat(numbersOf("shardbus.gateway.tails")).containsExactly("1");
    Gateway.mount(app, bus, new GatewayOptions());
    assertThat(numbersOf("shardbus.gateway.tails")).containsExactly("0", "1");
    await(bus.close());
    assertThat(registry.find("shardbus.gateway.tails").meters()).isEmpty();
    assertThat(addresses()).isEmpty();
  }

  @Test
  void busOfAnotherVertxWithTheSameAddress_runsUnmeasured() throws Exception {
    start(vertx, "orders");
    Vertx elsewhere = vertx(new MicrometerMetricsOptions().setEnabled(true).setRegistryName("x"));
    ShardBus second = start(elsewhere, "orders");
    assertThat(await(second.deliver(RawEvent.of("x"))).accepted()).isTrue();
    assertThat(registry.get("shardbus.events.accepted").functionCounter().count()).isZero();
    await(elsewhere.close());
    assertThat(addresses()).containsExactly("orders");
  }

  @Test
  void vertxWithoutMetrics_getsNoMeters() throws Exception {
    await(vertx.close());
    vertx = Vertx.vertx();
    start(vertx, "orders");
    assertThat(addresses()).isEmpty();
  }
}
