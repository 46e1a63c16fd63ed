package io.shardbus.bench;

import io.shardbus.shard.ScalingHistory;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.HdrHistogram.Histogram;

/** What one load did to one bus, looked at every few milliseconds. */
final class ScalingTrace {

  static final String CSV_HEADER =
      "sink,load,millis,due_per_second,offered,shards,refused,delay_p99_ms";

  /**
   * One look.
   *
   * @param seconds since the start of the load
   * @param due events a second that the load asks for
   * @param offered events since the look before
   * @param shards active ones
   * @param refused events since the look before
   * @param delayMillis 99 % of the events confirmed since the look before waited no longer; NaN if
   *     none was
   */
  record Look(
      double seconds, double due, long offered, int shards, long refused, double delayMillis) {}

  /** What was added or removed, how long after the start, and why. */
  record Change(double seconds, ScalingHistory.Entry entry) {}

  final Backend backend;
  final LoadShape shape;
  final List<Look> looks = new ArrayList<>();
  final List<Change> changes = new ArrayList<>();

  /** Of all events, in nanoseconds. */
  final Histogram delays = new Histogram(3);

  long offered;
  long refused;

  ScalingTrace(Backend backend, LoadShape shape) {
    this.backend = backend;
    this.shape = shape;
  }

  int mostShards() {
    return looks.stream().mapToInt(Look::shards).max().orElse(0);
  }

  double shardSeconds() {
    double sum = 0;
    double before = 0;
    for (Look look : looks) {
      sum += look.shards() * (look.seconds() - before);
      before = look.seconds();
    }
    return sum;
  }

  /** How long after the load rose there were so many shards; empty if there never were. */
  String reached(int shards) {
    return looks.stream()
        .filter(look -> look.shards() >= shards)
        .findFirst()
        .map(look -> afterRise(look.seconds()))
        .orElse("never");
  }

  String firstRefusal() {
    return looks.stream()
        .filter(look -> look.refused() > 0)
        .findFirst()
        .map(look -> afterRise(look.seconds()))
        .orElse("");
  }

  /** In milliseconds. A sawtooth rises from the start on. */
  private String afterRise(double seconds) {
    double rise = shape == LoadShape.SAWTOOTH ? 0 : LoadShape.RISE_SECONDS;
    return "" + Math.round(1000 * (seconds - rise));
  }

  void csv(StringBuilder to) {
    for (Look look : looks) {
      to.append(
          String.format(
              Locale.ROOT,
              "%s,%s,%.0f,%.0f,%d,%d,%d,%s%n",
              backend.word(),
              shape.word(),
              1000 * look.seconds(),
              look.due(),
              look.offered(),
              look.shards(),
              look.refused(),
              Double.isNaN(look.delayMillis())
                  ? ""
                  : String.format(Locale.ROOT, "%.2f", look.delayMillis())));
    }
  }
}
