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
}
