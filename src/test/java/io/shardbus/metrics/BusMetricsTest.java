package io.shardbus.metrics;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.shard.ScalingPolicy;
import io.vertx.core.Vertx;
import io.vertx.junit5.VertxExtension;
import java.lang.ref.WeakReference;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(VertxExtension.class)
class BusMetricsTest {

  @Test
  void busThatLivesOn_forgetsClosedMetrics(Vertx vertx) {
    ShardBusOptions options =
        new ShardBusOptions().setShards(1).setScaling(new ScalingPolicy().setAutoScale(false));
    ShardBus bus = ShardBus.start(vertx, options, new RecordingSink()).await();
    WeakReference<MeterRegistry> registry = bindAndClose(bus);
    Awaitility.await()
        .until(
            () -> {
              System.gc();
              return registry.refersTo(null);
            });
    assertThat(bus.shards().isClosed()).isFalse();
    bus.close().await();
  }

  private static WeakReference<MeterRegistry> bindAndClose(ShardBus bus) {
    MeterRegistry registry = new SimpleMeterRegistry();
    try (BusMetrics metrics = new BusMetrics(bus)) {
      metrics.bindTo(registry);
    }
    return new WeakReference<>(registry);
  }
}
