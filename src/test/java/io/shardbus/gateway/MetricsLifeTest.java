package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.shardbus.ShardBus;
import io.shardbus.event.RawEvent;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.metrics.BusMetrics;
import io.shardbus.shard.BackpressureMode;
import io.shardbus.testing.Samples;
import io.vertx.core.Vertx;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** When meters come and go. */
class MetricsLifeTest extends MetricsFixture {

  @Test
  void shardGauges_goWithTheirShards() throws Exception {
    assertThat(shardLabels("shardbus_ring_fill")).containsExactly("0", "1");
    await(bus.scaleUp(2));
    assertThat(shardLabels("shardbus_ring_fill")).containsExactly("0", "1", "2", "3");
    await(bus.removeShard(1));
    assertThat(shardLabels("shardbus_ring_fill")).containsExactly("0", "2", "3");
    assertThat(shardLabels("shardbus_shard_weight")).containsExactly("0", "2", "3");
    Awaitility.await()
        .atMost(10, TimeUnit.SECONDS)
        .untilAsserted(
            () -> {
              double total = scrape().sum("shardbus_shard_weight");
              assertThat(total).isBetween(2.999, 3.001);
            });
  }

  /** Those of the gateway go with its bus, though it still answers. */
  @Test
  void metersOfAClosedBus_leaveAndTheNextIsCounted() throws Exception {
    MeterRegistry other = new SimpleMeterRegistry();
    metrics.bindTo(other);
    metrics.bindTo(registry); // it is already
    BusMetrics late = new BusMetrics(bus, Tags.of("bus", "late"));
    for (int i = 0; i < 5; i++) {
      bus.ingest(RawEvent.of("event " + i));
    }
    await(bus.close());
    assertThat(registry.getMeters()).isEmpty();
    assertThat(other.getMeters()).isEmpty();
    late.bindTo(registry);
    assertThat(registry.getMeters()).as("of a bus that was closed before").isEmpty();
    BusMetrics old = metrics;
    Gateway oldGateway = gateway;
    start(BackpressureMode.DROP_NEWEST);
    for (int i = 0; i < 100; i++) {
      bus.ingest(RawEvent.of("event " + i));
    }
    post("application/json", "{");
    old.close();
    late.close();
    await(oldGateway.close());
    assertThat(scrape().count("shardbus_events_accepted_total")).isEqualTo(100);
    assertThat(scrape().count("shardbus_gateway_refused_total", "reason", "invalid")).isEqualTo(1);
    assertThat(shardLabels("shardbus_ring_fill")).containsExactly("0", "1");
    await(bus.flush());
    assertThat(scrape().count("shardbus_batch_size_sum")).isEqualTo(100);
  }

  @Test
  void secondBusOfTheSameTags_isRefusedAndToldWhatToDo() throws Exception {
    Vertx elsewhere = Vertx.vertx();
    ShardBus second = await(ShardBus.start(elsewhere, options(), new RecordingSink()));
    Set<Meter> before = Set.copyOf(registry.getMeters());
    BusMetrics shadow = new BusMetrics(second);
    assertThatThrownBy(() -> shadow.bindTo(registry))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("shardbus.events.accepted")
        .hasMessageContaining("Tags.of(\"bus\"");
    shadow.close();
    assertThatThrownBy(
            () -> await(Gateway.start(vertx, second, new GatewayOptions().setPort(0), registry)))
        .cause()
        .hasMessageContaining("shardbus.gateway.connections")
        .hasMessageContaining("a registry of its own");
    assertThat(Set.copyOf(registry.getMeters())).isEqualTo(before);
    bus.ingest(RawEvent.of("one"));
    assertThat(scrape().count("shardbus_events_accepted_total")).isEqualTo(1);
    await(elsewhere.close());
  }

  /** An application may have taken them out itself, and bound others. */
  @Test
  void close_leavesTheMetersOfOthersAlone() throws Exception {
    ShardBus second =
        await(ShardBus.start(vertx, options().setAddress("second"), new RecordingSink()));
    registry.clear();
    try (BusMetrics mine = new BusMetrics(second)) {
      mine.bindTo(registry);
      int count = registry.getMeters().size();
      await(bus.close());
      metrics.close();
      assertThat(registry.getMeters()).hasSize(count);
    }
    assertThat(registry.getMeters()).isEmpty();
  }

  @Test
  void severalBuses_shareARegistryUntilTheyAreTakenOut() throws Exception {
    ShardBus second =
        await(ShardBus.start(vertx, options().setAddress("second"), new RecordingSink()));
    BusMetrics tagged = new BusMetrics(second);
    PrometheusMeterRegistry shared = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    new BusMetrics(bus).bindTo(shared);
    tagged.bindTo(shared);
    second.ingest(RawEvent.of("one"));
    await(second.flush());
    Samples both = new Samples(shared.scrape());
    assertThat(both.sum("shardbus_events_delivered_total", "address", "shardbus.ingest")).isZero();
    assertThat(both.sum("shardbus_events_delivered_total", "address", "second")).isEqualTo(1);
    tagged.close();
    await(second.scaleUp(1));
    second.ingest(RawEvent.of("two"));
    await(second.flush());
    assertThat(shared.getMeters())
        .extracting(Meter::getId)
        .noneMatch(id -> "second".equals(id.getTag("address")))
        .anyMatch(id -> "shardbus.ingest".equals(id.getTag("address")));
    metrics.close();
    await(gateway.close());
    assertThat(registry.getMeters()).isEmpty();
  }
}
