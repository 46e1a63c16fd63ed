package io.shardbus.bench;

import java.util.List;
import java.util.Locale;

/** The cost of the steps as a table. */
final class StepsReport {

  private StepsReport() {}

  /** One table, or none if no step was measured. */
  static List<Table> tables(Rounds rounds, List<Class<?>> steps) {
    Table table =
        new Table(
            "Steps of one event, one thread", "step", "payload", "ns", "B, with its preparation");
    for (Class<?> each : steps) {
      for (Rounds.Case one : rounds.of(each)) {
        String name = one.params().getBenchmark();
        String bytes = one.params().getParam("bytes");
        String event = one.params().getParam("event");
        String interceptors = one.params().getParam("interceptors");
        String what = interceptors != null ? interceptors + " interceptors" : event;
        table.row(
            name.substring(name.lastIndexOf('.') + 1),
            bytes != null ? bytes + " B" : what != null ? what : "",
            String.format(Locale.ROOT, "%.1f", one.score()),
            Double.isNaN(one.bytes()) ? "" : String.format(Locale.ROOT, "%.0f", one.bytes()));
      }
    }
    return table.isEmpty() ? List.of() : List.of(table);
  }
}
