package io.shardbus.bench;

import io.shardbus.shard.Steps;
import java.util.Locale;

/** The cost of the steps as a table. */
final class StepsReport {

  private StepsReport() {}

  static Table table(Rounds rounds) {
    Table table = new Table("Steps of one event, one thread", "step", "payload", "ns", "B");
    for (Rounds.Case one : rounds.of(Steps.class)) {
      String name = one.params().getBenchmark();
      String bytes = one.params().getParam("bytes");
      table.row(
          name.substring(name.lastIndexOf('.') + 1),
          bytes == null ? "" : bytes + " B",
          String.format(Locale.ROOT, "%.1f", one.score()),
          Double.isNaN(one.bytes()) ? "" : String.format(Locale.ROOT, "%.0f", one.bytes()));
    }
    return table;
  }
}
