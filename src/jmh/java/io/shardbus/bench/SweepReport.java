package io.shardbus.bench;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.ToIntFunction;

/** What each factor does to throughput, in a table a factor. */
final class SweepReport {

  private enum Factor {
    PAYLOAD("payload, B", Setting::bytes),
    PRODUCERS("producers", Setting::producers),
    SHARDS("shards", Setting::shards);

    private final String title;
    private final ToIntFunction<Setting> value;

    Factor(String title, ToIntFunction<Setting> value) {
      this.title = title;
      this.value = value;
    }

    /** Whether the other factors are as they are at the base. */
    boolean alone(Setting setting) {
      for (Factor other : values()) {
        if (other != this
            && other.value.applyAsInt(setting) != other.value.applyAsInt(Setting.BASE)) {
          return false;
        }
      }
      return true;
    }
  }

  private final Map<Setting, Map<Contender, Rounds.Case>> settings;

  SweepReport(Rounds rounds) {
    settings = ThroughputReport.bySetting(rounds, Sweep.class);
  }

  /** A table for each factor that was swept. */
  List<Table> tables() {
    List<Table> tables = new ArrayList<>();
    forEachFactor((factor, values) -> tables.add(table(factor, values)));
    return tables;
  }

  /** Passes over a factor of which there is only one value. */
  private void forEachFactor(BiConsumer<Factor, List<Setting>> action) {
    for (Factor factor : Factor.values()) {
      List<Setting> values = settings.keySet().stream().filter(factor::alone).toList();
      if (values.size() > 1) {
        action.accept(factor, values);
      }
    }
  }

  private Table table(Factor factor, List<Setting> values) {
    int least = factor.value.applyAsInt(values.get(0));
    Table table =
        new Table(
            "Throughput by " + factor.title + "; else " + Setting.BASE,
            factor.title,
            "system",
            "million events/s",
            "to the bare ring",
            "range",
            "to " + least,
            "range");
    for (Setting setting : values) {
      Map<Contender, Rounds.Case> systems = settings.get(setting);
      Rounds.Case ring = systems.get(Contender.BARE_RING);
      systems.forEach(
          (system, one) -> {
            Rounds.Case first = settings.get(values.get(0)).get(system);
            Spread toRing =
                new Spread(
                    "%.2f", ring == null || one == ring ? List.of() : one.ratiosInGroups(ring));
            Spread toFirst =
                new Spread("%.2f", one == first ? List.of() : one.ratiosInRounds(first));
            table.row(
                "" + factor.value.applyAsInt(setting),
                system.title(),
                String.format(Locale.ROOT, "%.2f", one.score() / 1e6),
                toRing.median(),
                toRing.range(),
                toFirst.median(),
                toFirst.range());
          });
    }
    return table;
  }

  void draw(BarChart chart) {
    forEachFactor(
        (factor, values) ->
            values.forEach(
                setting -> {
                  chart.group("by " + factor.title + ": " + setting);
                  settings
                      .get(setting)
                      .forEach(
                          (system, one) ->
                              chart.bar(system.title(), one.score() / 1e6, system.own()));
                }));
  }
}
