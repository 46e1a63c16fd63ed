package io.shardbus.bench;

/** One producer's way into a pipeline. Used by one thread. */
@FunctionalInterface
interface Inlet {

  /**
   * Hands over an event and tries again while there is no room.
   *
   * @return events accepted by this call; may be 0 if they are gathered first
   */
  int push(Payload payload);
}
