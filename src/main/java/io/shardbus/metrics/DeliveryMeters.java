package io.shardbus.metrics;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.DistributionSummary;
import io.micrometer.core.instrument.Meter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Tags;
import io.micrometer.core.instrument.Timer;
import io.shardbus.sink.DeliveryObserver;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.stream.LongStream;

/** What is measured once per batch. */
final class DeliveryMeters implements DeliveryObserver {

  private static final Duration[] LATENCIES =
      LongStream.of(1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 30_000, 60_000)
          .mapToObj(Duration::ofMillis)
          .toArray(Duration[]::new);

  private static final double[] SIZES = {
    1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 100_000, 1_000_000
  };

  private final LongSupplier clock;
  private final DistributionSummary batchSize;
  private final Timer taken;
  private final Timer failed;
  private final Timer latency;
  private final Counter retried;

  /**
   * @param own is handed the meters
   */
  DeliveryMeters(MeterRegistry registry, Tags tags, LongSupplier clock, Consumer<Meter> own) {
    this.clock = clock;
    batchSize =
        DistributionSummary.builder("shardbus.batch.size")
            .description("Events in a batch")
            .tags(tags)
            .serviceLevelObjectives(SIZES)
            .register(registry);
    taken = write(registry, tags, "done");
    failed = write(registry, tags, "failed");
    latency =
        Timer.builder("shardbus.delivery.latency")
            .description(
                "From ingestion to confirmation, of the oldest and the newest event of a write")
            .tags(tags)
            .serviceLevelObjectives(LATENCIES)
            .register(registry);
    retried =
        Counter.builder("shardbus.events.retried")
            .description("Events that had to be written once more, once for each time")
            .tags(tags)
            .register(registry);
    List.<Meter>of(batchSize, taken, failed, latency, retried).forEach(own);
  }

  private static Timer write(MeterRegistry registry, Tags tags, String outcome) {
    return Timer.builder("shardbus.sink.write")
        .description("From handing events to the sink to its answer, by outcome")
        .tags(tags.and("outcome", outcome))
        .serviceLevelObjectives(LATENCIES)
        .register(registry);
  }

  @Override
  public void batchFormed(int events) {
    batchSize.record(events);
  }

  @Override
  public void answered(long nanos, boolean ok) {
    (ok ? taken : failed).record(nanos, TimeUnit.NANOSECONDS);
  }

  @Override
  public void retried(int events) {
    retried.increment(events);
  }

  @Override
  public void confirmed(int shard, long oldest, long newest) {
    long now = clock.getAsLong();
    // Timestamps of a burst are pushed ahead of the clock to keep them rising.
    latency.record(Math.max(0, now - oldest), TimeUnit.NANOSECONDS);
    latency.record(Math.max(0, now - newest), TimeUnit.NANOSECONDS);
  }
}
