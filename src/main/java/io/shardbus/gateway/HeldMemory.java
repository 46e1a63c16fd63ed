package io.shardbus.gateway;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.LongSupplier;

/**
 * The memory of the events that clients have sent and that wait for room, of all connections of one
 * event loop. If they take much memory, the server stops reading from clients that can be slowed
 * down, until they take little. Otherwise each client would add a message and be refused.
 */
final class HeldMemory {

  private final LongSupplier most;
  private final Set<Runnable> readers = new LinkedHashSet<>();
  private long bytes;
  private boolean full;

  /**
   * @param most the share of the loop in the limit, in bytes. Above a quarter of it reading stops,
   *     until it is an eighth. The rest is for bytes that come before all clients have stopped
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
