package io.shardbus.sink;

import io.shardbus.event.ShardEvent;

/** Chooses events while reading. Safe for any thread. */
@FunctionalInterface
public interface EventFilter {

  /**
   * Whether the reader wants an event.
   *
   * @param event the event
   * @return true if it is wanted
   */
  boolean test(ShardEvent event);

  /**
   * {@return whether the filter wants no event without an id; then a sink may pass over such events
   * without asking}
   */
  default boolean needsId() {
    return false;
  }
}
