package io.shardbus.bench;

import io.shardbus.ShardBus;
import io.shardbus.shard.ScalingPolicy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/**
 * What it costs to add and remove a shard every 100 ms. Windows in which the shards stay and
 * windows in which they move take turns; each of the latter is held against the mean of those
 * around it, so that a machine that gets slower is not taken for a cost.
 */
final class ScalingStudy {

  private static final int PRODUCERS = 2;
  private static final int SHARDS = 2;
  private static final int BYTES = 128;
  private static final int WINDOWS = 8;
  private static final int MOST_IDS = 4096;
  private static final long PERIOD_MILLIS = 100;
  private static final double LESS_THAN_PERCENT = 5;

  private final WholeBus pipeline;
  private final long window;

  /** Belongs to the thread that scales; read when it has ended. */
  private int changes;

  private ScalingStudy(WholeBus pipeline, long window) {
    this.pipeline = pipeline;
    this.window = window;
  }

  public static void main(String[] arguments) throws Exception {
    long nanos = Study.nanos(arguments);
    ScalingPolicy policy =
        new ScalingPolicy().setMaxShards(SHARDS + 1).setCooldown(Duration.ZERO).setAutoScale(false);
    WholeBus pipeline =
        new WholeBus(WholeBus.options(SHARDS).setScaling(policy), MOST_IDS, Feed.SINGLE);
    Producers producers = new Producers(pipeline, PRODUCERS, BYTES);
    Rate.perSecond(pipeline::consumed, nanos);
    Table table = new ScalingStudy(pipeline, nanos / 2).measure();
    producers.close();
    pipeline.close();
    System.out.println(table);
  }

  private Table measure() throws InterruptedException {
    List<Double> still = new ArrayList<>();
    List<Double> moving = new ArrayList<>();
    List<Double> costs = new ArrayList<>();
    still.add(millionsPerSecond());
    for (int i = 0; i < WINDOWS; i++) {
      Loop scaling = new Loop("scaling", () -> scale(pipeline.bus()));
      moving.add(millionsPerSecond());
      scaling.close();
      still.add(millionsPerSecond());
      double around = (still.get(i) + still.get(i + 1)) / 2;
      costs.add(100 * (1 - moving.get(i) / around));
    }
    Spread cost = new Spread("%.1f %%", costs);
    return new Table(
            "Throughput while scaling: %d producers, %d shards, %d B; %d windows each"
                .formatted(PRODUCERS, SHARDS, BYTES, WINDOWS),
            "shards",
            "million events/s",
            "range",
            "cost",
            "range",
            "changes",
            "target")
        .row("stay", millions(still).median(), millions(still).range(), "", "", "", "")
        .row(
            "one comes or goes every " + PERIOD_MILLIS + " ms",
            millions(moving).median(),
            millions(moving).range(),
            cost.median(),
            cost.range(),
            "" + changes,
            Target.below(LESS_THAN_PERCENT, "%", Median.of(costs)));
  }

  private double millionsPerSecond() throws InterruptedException {
    return Rate.perSecond(pipeline::consumed, window) / 1e6;
  }

  private static Spread millions(List<Double> rates) {
    return new Spread("%.2f", rates);
  }

  private void scale(ShardBus bus) throws InterruptedException {
    Thread.sleep(PERIOD_MILLIS);
    bus.scaleUp(1).await();
    Thread.sleep(PERIOD_MILLIS);
    bus.scaleDown(1).await();
    changes += 2;
  }
}
