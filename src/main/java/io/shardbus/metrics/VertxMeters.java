package io.shardbus.metrics;

import io.micrometer.core.instrument.MeterRegistry;
import io.shardbus.BusExtension;
import io.shardbus.ShardBus;
import io.shardbus.options.OptionalLibrary;
import io.vertx.core.Vertx;
import io.vertx.core.spi.metrics.MetricsProvider;
import io.vertx.micrometer.backends.BackendRegistries;
import io.vertx.micrometer.impl.MicrometerMetrics;
import org.jspecify.annotations.Nullable;

/** Adds the meters of a bus to the registry of its Vert.x, if that has Micrometer metrics. */
public final class VertxMeters implements BusExtension {

  /** For the service loader. */
  public VertxMeters() {}

  @Override
  public void started(Vertx vertx, ShardBus bus) {
    MeterRegistry registry = registry(vertx);
    if (registry != null) {
      new BusMetrics(bus).bindTo(registry);
    }
  }

  /**
   * The registry of a Vert.x.
   *
   * @param vertx the Vert.x
   * @return null if it has no Micrometer metrics
   */
  public static @Nullable MeterRegistry registry(Vertx vertx) {
    return vertx instanceof MetricsProvider provider
            && vertx.isMetricsEnabled()
            && OptionalLibrary.isThere("io.vertx.micrometer.MicrometerMetricsOptions")
        ? OfVertx.registry(provider)
        : null;
  }

  /** Loaded only if the library is there. */
  private static final class OfVertx {

    private OfVertx() {}

    /**
     * The registry may have any name, which Vert.x tells only in a package that is not exported.
     */
    static @Nullable MeterRegistry registry(MetricsProvider provider) {
      try {
        return provider.getMetrics() instanceof MicrometerMetrics known ? known.registry() : null;
      } catch (IllegalAccessError e) { // on the module path
        return BackendRegistries.getDefaultNow();
      }
    }
  }
}
