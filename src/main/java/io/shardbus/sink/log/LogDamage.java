package io.shardbus.sink.log;

import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/** What readers found damaged since the log was opened. Safe for any thread. */
final class LogDamage {

  /** Bounds memory. Beyond it, nothing more is told or counted. */
  private static final int MAX_PLACES = 10_000;

  private final Set<Place> places = ConcurrentHashMap.newKeySet();

  private final Consumer<String> tell;

  private record Place(Path file, long last) {}

  /**
   * @param tell told of each place once, in a sentence
   */
  LogDamage(Consumer<String> tell) {
    this.tell = tell;
  }

  /**
   * Tells and counts a place once, however often it is read, and wherever readers begin.
   *
   * @param first the position of the first event that cannot be read
   * @param last that of the last one, or a later one
   */
  void found(Segment file, long first, long last) {
    if (places.size() < MAX_PLACES && places.add(new Place(file.path(), last))) {
      tell.accept(
          "the log file "
              + file.path()
              + " is damaged: events at the positions "
              + first
              + " to "
              + last
              + " cannot be read; reading goes on behind them");
    }
  }

  /** How many places were found. */
  int count() {
    return places.size();
  }
}
