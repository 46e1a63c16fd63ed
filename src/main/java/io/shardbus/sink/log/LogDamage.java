package io.shardbus.sink.log;

import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import java.nio.file.Path;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** What readers found damaged since the log was opened. Safe for any thread. */
final class LogDamage {

  private static final Logger LOG = LoggerFactory.getLogger(LogDamage.class);

  /** Bounds memory. Beyond it, nothing more is logged or counted. */
  private static final int MAX_PLACES = 10_000;

  private final Set<Place> places = ConcurrentHashMap.newKeySet();

  private record Place(Path file, long last) {}

  /**
   * Logs and counts a place once, however often it is read, and wherever readers begin.
   *
   * @param first the position of the first event that cannot be read
   * @param last that of the last one, or a later one
   */
  void found(Segment file, long first, long last) {
    if (places.size() < MAX_PLACES && places.add(new Place(file.path(), last))) {
      LOG.error(
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
