package io.shardbus.shard;

import io.shardbus.shard.ScalingDecision.Direction;
import java.util.List;
import java.util.Locale;

/**
 * What a rule made of a scenario.
 *
 * @param p99Millis of the events that were drained, from their arrival to that
 * @param shardSeconds of shards in any state
 * @param reliefMillis from the step until the active shards drain what comes and all have slots; -1
 *     if never
 * @param mostShards in any state
 * @param activeBySecond active shards when each second began
 */
record ScalingOutcome(
    long offered,
    long refused,
    int p99Millis,
    double shardSeconds,
    double perfectShardSeconds,
    double minutes,
    List<Change> changes,
    int reliefMillis,
    int mostShards,
    List<Integer> activeBySecond) {

  static final String HEADER =
      "| Load | Rule | Offered | Refused | Refused % | p99 delay, ms | Shard-seconds | Perfect |"
          + " Ratio | Changes | Reversals a minute | Relief, ms | Most shards |\n"
          + "|---|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n";

  record Change(int millis, Direction direction, int count, String cause) {

    @Override
    public String toString() {
      String sign = direction == Direction.UP ? "+" : "-";
      return String.format(Locale.ROOT, "%.3f s: %s%d %s", millis / 1e3, sign, count, cause);
    }
  }

  double refusedPercent() {
    return 100.0 * refused / offered;
  }

  /** Shard-seconds, compared with those of the perfect scaler. */
  double ratio() {
    return shardSeconds / perfectShardSeconds;
  }

  double changesPerMinute() {
    return changes.size() / minutes;
  }

  /** How often a change of one direction follows one of the other. */
  double reversalsPerMinute() {
    int reversals = 0;
    for (int i = 1; i < changes.size(); i++) {
      reversals += changes.get(i).direction() == changes.get(i - 1).direction() ? 0 : 1;
    }
    return reversals / minutes;
  }

  String row(String load, String rule) {
    return String.format(
        Locale.ROOT,
        "| %s | %s | %,d | %,d | %.2f | %,d | %.1f | %.1f | %.2f | %d | %.2f | %s | %d |%n",
        load,
        rule,
        offered,
        refused,
        refusedPercent(),
        p99Millis,
        shardSeconds,
        perfectShardSeconds,
        ratio(),
        changes.size(),
        reversalsPerMinute(),
        reliefMillis < 0 ? "-" : String.format(Locale.ROOT, "%,d", reliefMillis),
        mostShards);
  }
}
