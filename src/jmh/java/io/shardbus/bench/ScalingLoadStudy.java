package io.shardbus.bench;

import io.shardbus.shard.ScalingPolicy;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.TimeUnit;

/**
 * Whether a bus that begins with one shard has as many as the load needs before a ring is full.
 * Sinks stand behind a throttle, so that the load needs several. Writes each look into {@code
 * scaling.csv} and draws {@code scaling.svg} in the current folder.
 */
final class ScalingLoadStudy {

  private static final long WARM_UP_NANOS = TimeUnit.SECONDS.toNanos(3);

  private static final int NEEDED =
      (int)
          Math.ceil(
              LoadShape.HIGH
                  / (new ScalingPolicy().getTargetUtilization() * ScalingRun.A_SHARD_PER_SECOND));

  private ScalingLoadStudy() {}

  /**
   * @param arguments seconds a load, 5 by default, and the sinks and loads that are wanted, such as
   *     {@code memory step}; all by default
   */
  public static void main(String[] arguments) throws Exception {
    long nanos = Study.nanos(arguments);
    Set<String> wanted =
        Set.copyOf(
            Arrays.asList(arguments).subList(Math.min(1, arguments.length), arguments.length));
    List<LoadShape> shapes =
        Arrays.stream(LoadShape.values()).filter(shape -> wanted.contains(shape.word())).toList();
    List<Backend> backends =
        Arrays.stream(Backend.values()).filter(backend -> wanted.contains(backend.word())).toList();
    ScalingRun.of(Backend.MEMORY, LoadShape.STEP, WARM_UP_NANOS);
    List<ScalingTrace> traces = new ArrayList<>();
    List<String> missing = new ArrayList<>();
    for (Backend backend : backends.isEmpty() ? List.of(Backend.values()) : backends) {
      if (!backend.isInstalled()) {
        missing.add(backend.word());
        continue;
      }
      for (LoadShape shape : shapes.isEmpty() ? List.of(LoadShape.values()) : shapes) {
        traces.add(ScalingRun.of(backend, shape, nanos));
      }
    }
    StringBuilder csv = new StringBuilder(ScalingTrace.CSV_HEADER).append('\n');
    traces.forEach(trace -> trace.csv(csv));
    Files.writeString(Path.of("scaling.csv"), csv);
    Files.writeString(Path.of("scaling.svg"), new ScalingChart(traces).toString());
    System.out.println(summary(traces, missing));
    System.out.println(changes(traces));
    System.out.println("![scaling](scaling.svg)\n");
  }

  private static Table summary(List<ScalingTrace> traces, List<String> missing) {
    Table table =
        new Table(
            String.format(
                Locale.ROOT,
                "Scaling under load: 1 to %d shards, rings of %,d, sinks that take %,d events/s a"
                    + " shard, up to %,.0f events/s",
                ScalingRun.MAX_SHARDS,
                ScalingRun.RING_CAPACITY,
                ScalingRun.A_SHARD_PER_SECOND,
                LoadShape.HIGH),
            "sink",
            "load",
            "offered",
            "refused",
            "first refusal, ms after the rise",
            NEEDED + " shards, ms after the rise",
            "most shards",
            "shard-seconds",
            "changes",
            "delay, ms: p50",
            "p99",
            "max");
    for (ScalingTrace trace : traces) {
      table.row(
          trace.backend.word(),
          trace.shape.word(),
          String.format(Locale.ROOT, "%,d", trace.offered),
          String.format(
              Locale.ROOT,
              "%,d (%.1f %%)",
              trace.refused,
              100.0 * trace.refused / Math.max(1, trace.offered)),
          trace.firstRefusal(),
          trace.reached(NEEDED),
          "" + trace.mostShards(),
          String.format(Locale.ROOT, "%.1f", trace.shardSeconds()),
          "" + trace.changes.size(),
          millis(trace, 50),
          millis(trace, 99),
          millis(trace, 100));
    }
    for (String backend : missing) {
      table.row(backend, "skipped: not installed", "", "", "", "", "", "", "", "", "", "");
    }
    return table;
  }

  private static String millis(ScalingTrace trace, double percentile) {
    return String.format(Locale.ROOT, "%.0f", trace.delays.getValueAtPercentile(percentile) / 1e6);
  }

  private static Table changes(List<ScalingTrace> traces) {
    Table table =
        new Table("What the policy did", "sink", "load", "after, ms", "change", "active", "reason");
    for (ScalingTrace trace : traces) {
      for (ScalingTrace.Change change : trace.changes) {
        table.row(
            trace.backend.word(),
            trace.shape.word(),
            "" + Math.round(1000 * change.seconds()),
            change.entry().direction().name().toLowerCase(Locale.ROOT)
                + " "
                + change.entry().shards().size(),
            "" + change.entry().active(),
            change.entry().reason());
      }
    }
    return table;
  }
}
