package io.shardbus.app.soak;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Broken promises. Safe for any thread. */
final class Violations {

  /** What was broken. */
  enum Kind {
    LOST,
    DOUBLED,
    REORDERED,
    UNANSWERED,
    OTHER;

    String word() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private static final int MOST_SHOWN = 20;

  private final List<String> shown = new ArrayList<>();
  private final Map<Kind, Long> counts = new EnumMap<>(Kind.class);

  /** The message is made only if there is a violation. */
  void check(boolean holds, Kind kind, String message, Object... details) {
    if (!holds) {
      add(kind, 1, String.format(Locale.ROOT, message, details));
    }
  }

  /** Reports {@code count} events or futures together; nothing if it is 0. */
  void count(Kind kind, long count, String message, Object... details) {
    if (count > 0) {
      add(kind, count, count + " " + String.format(Locale.ROOT, message, details));
    }
  }

  private synchronized void add(Kind kind, long count, String violation) {
    counts.merge(kind, count, Long::sum);
    if (shown.size() < MOST_SHOWN) {
      shown.add(kind.word() + ": " + violation);
    }
  }

  synchronized long count() {
    return counts.values().stream().mapToLong(count -> count).sum();
  }

  /** How many of each kind. */
  synchronized Map<Kind, Long> counts() {
    Map<Kind, Long> all = new EnumMap<>(Kind.class);
    for (Kind kind : Kind.values()) {
      all.put(kind, counts.getOrDefault(kind, 0L));
    }
    return all;
  }

  /** The first of them. */
  synchronized List<String> shown() {
    return List.copyOf(shown);
  }
}
