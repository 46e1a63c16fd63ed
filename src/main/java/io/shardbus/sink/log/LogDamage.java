package io.shardbus.sink.log;

import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;

/** What readers found damaged since the log was opened. Safe for any thread. */
final class LogDamage {

  /** Bounds memory. Beyond it, nothing more is told or counted. */
  private static final int MAX_PLACES = 10_000;

  private final Consumer<String> tell;

  /** Of each file, the last position of each place by the first one. */
  private final Map<Path, TreeMap<Long, Long>> places = new HashMap<>();

  private int count;

  /**
   * @param tell told of each place once, in a sentence
   */
  LogDamage(Consumer<String> tell) {
    this.tell = tell;
  }

  /**
   * Tells and counts a place once, however often it is read, and wherever readers begin. Places
   * that touch are one.
   *
   * @param first the position of the first event that cannot be read
   * @param last that of the last one, or a later one
   */
  synchronized void found(Segment file, long first, long last) {
    TreeMap<Long, Long> lost = places.computeIfAbsent(file.path(), path -> new TreeMap<>());
    long from = first;
    long to = last;
    Map.Entry<Long, Long> other = lost.floorEntry(last + 1);
    while (other != null && other.getValue() >= first - 1) {
      if (other.getKey() <= first && other.getValue() >= last) {
        return;
      }
      from = Math.min(from, other.getKey());
      to = Math.max(to, other.getValue());
      lost.remove(other.getKey());
      count--;
      other = lost.floorEntry(last + 1);
    }
    if (count == MAX_PLACES) {
      return;
    }
    lost.put(from, to);
    count++;
    tell.accept(
        "the log file "
            + file.path()
            + " is damaged: events at the positions "
            + from
            + " to "
            + to
            + " cannot be read; reading goes on behind them");
  }

  /** How many places were found. */
  synchronized int count() {
    return count;
  }
}
