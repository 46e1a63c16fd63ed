package io.shardbus.bench;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** Throughput as a table, with ratios to the bare ring, and as a chart. */
final class ThroughputReport {

  /** What the systems are compared at. */
  private record Setting(int producers, int shards, int bytes) implements Comparable<Setting> {

    @Override
    public int compareTo(Setting other) {
      int order = Integer.compare(bytes, other.bytes);
      if (order == 0) {
        order = Integer.compare(producers, other.producers);
      }
      return order == 0 ? Integer.compare(shards, other.shards) : order;
    }

    @Override
    public String toString() {
      return "%d producers, %d shards, %d B".formatted(producers, shards, bytes);
    }
  }

  private final Map<Setting, Map<Contender, Rounds.Case>> settings;

  ThroughputReport(Rounds rounds) {
    settings =
        rounds.of(Throughput.class).stream()
            .collect(
                Collectors.groupingBy(
                    ThroughputReport::setting,
                    TreeMap::new,
                    Collectors.toMap(
                        ThroughputReport::system,
                        each -> each,
                        (first, second) -> first,
                        LinkedHashMap::new)));
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
            "worst to best round",
            "Shardbus to it",
            "B/event");
    Rounds.Case limit = systems.get(Contender.BARE_RING);
    Rounds.Case bus = systems.get(Contender.BUS);
    systems.forEach(
        (system, one) ->
            table.row(
                system.title(),
                number("%.2f", one.score() / 1e6),
                limit == null ? "" : number("%.2f", Median.of(one.ratiosTo(limit))),
                limit == null ? "" : range(one.ratiosTo(limit)),
                bus == null ? "" : number("%.2f", Median.of(bus.ratiosTo(one))),
                number("%.0f", one.bytes())));
    return table;
  }

  private static String range(List<Double> ratios) {
    return ratios.stream()
        .sorted()
        .map(ratio -> number("%.2f", ratio))
        .collect(
            Collectors.collectingAndThen(
                Collectors.toList(), all -> all.get(0) + " to " + all.get(all.size() - 1)));
  }

  private static String number(String format, double value) {
    return Double.isNaN(value) ? "" : String.format(Locale.ROOT, format, value);
  }

  BarChart chart() {
    BarChart chart = new BarChart("Million events per second");
    settings.forEach(
        (setting, systems) -> {
          chart.group(setting.toString());
          systems.forEach(
              (system, one) ->
                  chart.bar(
                      system.title(),
                      one.score() / 1e6,
                      system.name().startsWith("BUS") || system == Contender.ENGINE));
        });
    return chart;
  }
}
