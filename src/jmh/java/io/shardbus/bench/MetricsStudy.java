package io.shardbus.bench;

import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.shardbus.metrics.BusMetrics;
import java.util.ArrayList;
import java.util.List;

/**
 * What the meters of a bus cost. They are bound to one bus under load and taken out again, window
 * by window; the two windows of a pair follow each other, and which is the first changes from pair
 * to pair, so that a machine that gets slower is not taken for a cost.
 */
final class MetricsStudy {

  private static final int PRODUCERS = 2;
  private static final int SHARDS = 2;
  private static final int BYTES = 128;
  private static final int PAIRS = 50;
  private static final long SCRAPED_EVERY_MILLIS = 1_000;
  private static final double AT_LEAST = 0.98;

  private final WholeBus pipeline;
  private final long window;

  private MetricsStudy(WholeBus pipeline, long window) {
    this.pipeline = pipeline;
    this.window = window;
  }

  public static void main(String[] arguments) throws Exception {
    long nanos = Study.nanos(arguments);
    WholeBus pipeline = new WholeBus(SHARDS, Feed.SINGLE);
    Producers producers = new Producers(pipeline, PRODUCERS, BYTES);
    MetricsStudy study = new MetricsStudy(pipeline, nanos / 10);
    Rate.perSecond(pipeline::consumed, nanos);
    study.measured();
    Table table = study.measure();
    producers.close();
    pipeline.close();
    System.out.println(table);
  }

  private Table measure() throws InterruptedException {
    List<Double> without = new ArrayList<>();
    List<Double> with = new ArrayList<>();
    List<Double> ratios = new ArrayList<>();
    for (int pair = 0; pair < PAIRS; pair++) {
      if (pair % 2 == 0) {
        without.add(millionsPerSecond());
        with.add(measured());
      } else {
        with.add(measured());
        without.add(millionsPerSecond());
      }
      ratios.add(with.get(pair) / without.get(pair));
    }
    Spread ratio = new Spread("%.3f", ratios);
    return new Table(
            "Throughput with the meters of the bus: %d producers, %d shards, %d B; %d pairs of %d ms"
                .formatted(PRODUCERS, SHARDS, BYTES, PAIRS, window / 1_000_000),
            "meters",
            "million events/s",
            "range",
            "ratio",
            "range",
            "target")
        .row("none", millions(without).median(), millions(without).range(), "", "", "")
        .row(
            "bound, scraped every " + SCRAPED_EVERY_MILLIS + " ms",
            millions(with).median(),
            millions(with).range(),
            ratio.median(),
            ratio.range(),
            Target.atLeast(AT_LEAST, "of none", Median.of(ratios)));
  }

  private double measured() throws InterruptedException {
    PrometheusMeterRegistry registry = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    BusMetrics metrics = new BusMetrics(pipeline.bus());
    metrics.bindTo(registry);
    Loop scraper = new Loop("scraper", () -> scrape(registry));
    double rate = millionsPerSecond();
    scraper.close();
    metrics.close();
    return rate;
  }

  private static void scrape(PrometheusMeterRegistry registry) throws InterruptedException {
    registry.scrape();
    Thread.sleep(SCRAPED_EVERY_MILLIS);
  }

  private double millionsPerSecond() throws InterruptedException {
    return Rate.perSecond(pipeline::consumed, window) / 1e6;
  }

  private static Spread millions(List<Double> rates) {
    return new Spread("%.2f", rates);
  }
}
