package io.shardbus.app.soak;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Broken promises. Safe for any thread. */
final class Violations {

  private static final int MOST_SHOWN = 20;

  private final List<String> shown = new ArrayList<>();
  private long count;

  /** A message is only made when there is something to say. */
  void check(boolean holds, String message, Object... details) {
    if (!holds) {
      add(String.format(Locale.ROOT, message, details));
    }
  }

  synchronized void add(String violation) {
    if (count++ < MOST_SHOWN) {
      shown.add(violation);
    }
  }

  synchronized long count() {
    return count;
  }

  /** The first of them. */
  synchronized List<String> shown() {
    return List.copyOf(shown);
  }
}
