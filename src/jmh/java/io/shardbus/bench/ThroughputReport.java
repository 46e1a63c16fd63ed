package io.shardbus.bench;

import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** All systems in a table, with ratios to the bare ring and to the product. */
final class ThroughputReport {

  private static final double LEAST_TO_BARE_RING = 0.8;
  private static final double LEAST_TO_DISRUPTOR = 3;
  private static final double LEAST_TO_EVENT_BUS = 3;
  private static final double LEAST_TO_LOCKED_RING = 2;
  private static final double MOST_BYTES = 64;

  private final Map<Setting, Map<Contender, Rounds.Case>> settings;

  ThroughputReport(Rounds rounds) {
    settings = bySetting(rounds, Throughput.class);
  }

  /** The cases of a class of benchmarks by setting and system. */
  static Map<Setting, Map<Contender, Rounds.Case>> bySetting(
      Rounds rounds, Class<? extends PipelineBenchmark> benchmarks) {
    return rounds.of(benchmarks).stream()
        .collect(
            Collectors.groupingBy(
                ThroughputReport::setting,
                TreeMap::new,
                Collectors.toMap(
                    ThroughputReport::system,
                    each -> each,
                    (first, second) -> first,
                    () -> new EnumMap<>(Contender.class))));
  }

  private static Setting setting(Rounds.Case one) {
    return new Setting(
        Integer.parseInt(one.params().getParam("producers")),
        Integer.parseInt(one.params().getParam("shards")),
        Integer.parseInt(one.params().getParam("bytes")));
  }

  private static Contender system(Rounds.Case one) {
    return Contender.valueOf(one.params().getParam("system"));
  }

  List<Table> tables() {
    return settings.entrySet().stream().map(each -> table(each.getKey(), each.getValue())).toList();
  }

  private static Table table(Setting setting, Map<Contender, Rounds.Case> systems) {
    Table table =
        new Table(
            "Throughput: " + setting,
            "system",
            "million events/s",
            "to the bare ring",
            "range",
            "Shardbus to it",
            "range",
            "B/event",
            "target");
    systems.forEach(
        (system, one) -> {
          List<Double> toRing = ratios(one, systems.get(Contender.BARE_RING));
          List<Double> busToIt =
              systems.containsKey(Contender.BUS)
                  ? ratios(systems.get(Contender.BUS), one)
                  : List.of();
          Spread ring = new Spread("%.2f", toRing);
          Spread bus = new Spread("%.2f", busToIt);
          table.row(
              system.title(),
              String.format(Locale.ROOT, "%.2f", one.score() / 1e6),
              ring.median(),
              ring.range(),
              bus.median(),
              bus.range(),
              String.format(Locale.ROOT, "%.0f", one.bytes()),
              setting.producers() == Setting.BASE.producers()
                      && setting.shards() == Setting.BASE.shards()
                  ? target(system, Median.of(toRing), Median.of(busToIt), one.bytes())
                  : "");
        });
    return table;
  }

  private static List<Double> ratios(Rounds.Case one, Rounds.Case other) {
    return one == null || other == null || one == other ? List.of() : one.ratiosInGroups(other);
  }

  private static String target(Contender system, double toRing, double busToIt, double bytes) {
    return switch (system) {
      case BUS ->
          Target.atLeast(LEAST_TO_BARE_RING, "of the bare ring", toRing)
              + "; "
              + Target.atMost(MOST_BYTES, "B/event", bytes);
      case BUS_BATCHES -> Target.above(1, "of the bare ring", toRing);
      case DISRUPTOR_BUSY_SPIN, DISRUPTOR_YIELDING, DISRUPTOR_SLEEPING, DISRUPTOR_BLOCKING ->
          shardbus(LEAST_TO_DISRUPTOR, busToIt);
      case EVENT_BUS -> shardbus(LEAST_TO_EVENT_BUS, busToIt);
      case LOCKED_RING -> shardbus(LEAST_TO_LOCKED_RING, busToIt);
      default -> "";
    };
  }

  private static String shardbus(double bound, double busToIt) {
    return "Shardbus " + Target.atLeast(bound, "times it", busToIt);
  }

  void draw(BarChart chart) {
    settings.forEach(
        (setting, systems) -> {
          chart.group(setting.toString());
          systems.forEach(
              (system, one) -> chart.bar(system.title(), one.score() / 1e6, system.own()));
        });
  }
}
