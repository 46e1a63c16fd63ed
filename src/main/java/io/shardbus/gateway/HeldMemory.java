package io.shardbus.gateway;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.LongSupplier;

/**
 * The memory of the events that clients have sent and that wait for room, of all connections of an
 * event loop, to which it belongs. While it is much, nobody who can be slowed down is read from:
 * else each client would add a message, and be refused.
 */
final class HeldMemory {

  private final LongSupplier most;
  private final Set<Runnable> readers = new LinkedHashSet<>();
  private long bytes;
  private boolean full;

  /**
   * @param most the loop's share of the limit in force, in bytes: above a quarter of it nobody is
   *     read from, until it is an eighth; what comes before everybody is stopped has the rest
   */
  HeldMemory(LongSupplier most) {
    this.most = most;
  }

  /**
   * @param onChange called when {@link #full} has changed
   */
  void enter(Runnable onChange) {
    readers.add(onChange);
  }

  void leave(Runnable onChange) {
    readers.remove(onChange);
  }

  boolean full() {
    return full;
  }

  /** More waits, or less. */
  void add(long change) {
    bytes += change;
    boolean now = bytes > most.getAsLong() / (full ? 8 : 4);
    if (now != full) {
      full = now;
      List.copyOf(readers).forEach(Runnable::run);
    }
  }
}
