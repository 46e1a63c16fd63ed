package io.shardbus.bench;

import com.sun.management.OperatingSystemMXBean;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.event.RawEvent;
import io.shardbus.metrics.BusMetrics;
import io.shardbus.sink.Sinks;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.micrometer.MicrometerMetricsFactory;
import io.vertx.micrometer.MicrometerMetricsOptions;
import java.lang.management.ManagementFactory;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/**
 * What metrics cost: events from one producer through the bus to a sink that does nothing, with and
 * without metrics in turn, while somebody scrapes every second. Wall time tells the throughput, CPU
 * time tells the same where other programs share the machine. Run by hand; takes the number of
 * rounds.
 */
final class MetricsCost {

  private static final int EVENTS = 4_000_000;
  private static final OperatingSystemMXBean PROCESS =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
  private static final RawEvent[] SAMPLES = samples();

  private MetricsCost() {}

  public static void main(String[] args) throws Exception {
    int rounds = args.length > 0 ? Integer.parseInt(args[0]) : 15;
    Run[] without = new Run[rounds];
    Run[] with = new Run[rounds];
    for (int i = -5; i < rounds; i++) { // the first ones warm up
      boolean first = (i & 1) == 0;
      Run a = run(first);
      Run b = run(!first);
      if (i >= 0) {
        with[i] = first ? a : b;
        without[i] = first ? b : a;
        System.out.printf("%2d  without %s  with %s%n", i, without[i], with[i]);
      }
    }
    System.out.printf(
        "medians: without %.3f M events/s, %.1f ns CPU; with %.3f M events/s, %.1f ns CPU%n",
        median(rounds, i -> without[i].millionsPerSecond()),
        median(rounds, i -> without[i].cpuNanos()),
        median(rounds, i -> with[i].millionsPerSecond()),
        median(rounds, i -> with[i].cpuNanos()));
    System.out.printf(
        "median cost of a round: %.2f %% of throughput, %.2f %% of CPU%n",
        median(
            rounds, i -> 100 * (1 - with[i].millionsPerSecond() / without[i].millionsPerSecond())),
        median(rounds, i -> 100 * (with[i].cpuNanos() / without[i].cpuNanos() - 1)));
  }

  private record Run(double millionsPerSecond, double cpuNanos) {

    @Override
    public String toString() {
      return String.format("%.3f M events/s %.1f ns CPU", millionsPerSecond, cpuNanos);
    }
  }

  private static double median(int rounds, IntToDoubleFunction value) {
    return IntStream.range(0, rounds).mapToDouble(value).sorted().toArray()[rounds / 2];
  }

  private static RawEvent[] samples() {
    RawEvent[] events = new RawEvent[4096];
    Arrays.setAll(events, i -> RawEvent.of("{\"user\":\"u" + i + "\",\"value\":" + i * 31 + "}"));
    return events;
  }

  private static Run run(boolean metrics) throws Exception {
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    Vertx vertx =
        metrics
            ? Vertx.builder()
                .with(
                    new VertxOptions()
                        .setMetricsOptions(new MicrometerMetricsOptions().setEnabled(true)))
                .withMetrics(new MicrometerMetricsFactory(registry))
                .build()
            : Vertx.vertx();
    ShardBusOptions options = new ShardBusOptions().setShards(2);
    options.getSink().setName("noop");
    ShardBus bus = await(ShardBus.start(vertx, options, Sinks.create(options.getSink())));
    if (metrics) {
      new BusMetrics(bus).bindTo(registry);
      vertx.setPeriodic(1000, id -> vertx.executeBlocking(registry::scrape));
    }
    long cpu = PROCESS.getProcessCpuTime();
    long begin = System.nanoTime();
    for (int i = 0; i < EVENTS; ) {
      if (bus.ingest(SAMPLES[i & 4095]).accepted()) {
        i++;
      } else {
        LockSupport.parkNanos(50_000);
      }
    }
    await(bus.flush());
    double seconds = (System.nanoTime() - begin) / 1e9;
    double cpuNanos = (PROCESS.getProcessCpuTime() - cpu) / (double) EVENTS;
    await(bus.close());
    await(vertx.close());
    return new Run(EVENTS / seconds / 1e6, cpuNanos);
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
  }
}
