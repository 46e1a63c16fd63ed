package io.shardbus.bench;

import io.shardbus.ShardBus;
import io.shardbus.shard.ScalingPolicy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** What it costs to add and remove a shard every 100 ms, against leaving the shards alone. */
final class ScalingStudy {

  private static final int PRODUCERS = 2;
  private static final int SHARDS = 2;
  private static final int BYTES = 128;
  private static final int PAIRS = 5;
  private static final int MOST_IDS = 4096;
  private static final long PERIOD_MILLIS = 100;

  private ScalingStudy() {}

  public static void main(String[] arguments) throws Exception {
    long nanos = Study.nanos(arguments);
    ScalingPolicy policy =
        new ScalingPolicy().setMaxShards(SHARDS + 1).setCooldown(Duration.ZERO).setAutoScale(false);
    WholeBus pipeline =
        new WholeBus(WholeBus.options(SHARDS).setScaling(policy), MOST_IDS, Feed.SINGLE);
    Producers producers = new Producers(pipeline, PRODUCERS, BYTES);
    Rate.perSecond(pipeline::consumed, nanos);
    List<Double> still = new ArrayList<>();
    List<Double> moving = new ArrayList<>();
    List<Double> ratios = new ArrayList<>();
    int changes = 0;
    for (int pair = 0; pair < PAIRS; pair++) {
      still.add(Rate.perSecond(pipeline::consumed, nanos));
      Scaling scaling = new Scaling(pipeline.bus());
      moving.add(Rate.perSecond(pipeline::consumed, nanos));
      changes += scaling.end();
      ratios.add(moving.get(pair) / still.get(pair));
    }
    producers.close();
    pipeline.close();
    System.out.println(
        new Table(
                "Throughput while scaling: %d producers, %d shards, %d B"
                    .formatted(PRODUCERS, SHARDS, BYTES),
                "shards",
                "million events/s",
                "ratio",
                "changes")
            .row("stay", millions(still), "1.00", "0")
            .row(
                "one comes or goes every " + PERIOD_MILLIS + " ms",
                millions(moving),
                String.format(Locale.ROOT, "%.2f", Median.of(ratios)),
                "" + changes));
  }

  private static String millions(List<Double> rates) {
    return String.format(Locale.ROOT, "%.2f", Median.of(rates) / 1e6);
  }

  /** Adds and removes one shard, again and again, until it is told to end. */
  private static final class Scaling {

    private final ShardBus bus;
    private final Thread thread = new Thread(this::run, "scaling");
    private volatile boolean ending;
    private volatile int changes;

    Scaling(ShardBus bus) {
      this.bus = bus;
      thread.setDaemon(true);
      thread.start();
    }

    private void run() {
      try {
        int done = 0;
        while (!ending) {
          Thread.sleep(PERIOD_MILLIS);
          bus.scaleUp(1).await();
          Thread.sleep(PERIOD_MILLIS);
          bus.scaleDown(1).await();
          done += 2;
          changes = done;
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
      }
    }

    /** How often the number of shards has changed. */
    int end() throws InterruptedException {
      ending = true;
      thread.join();
      return changes;
    }
  }
}
