package io.shardbus.gateway;

import io.shardbus.event.RawEvent;
import io.vertx.core.buffer.Buffer;

/** Turns what clients send into events. */
@FunctionalInterface
interface EventReader {

  /**
   * Makes one event.
   *
   * @param bytes what the client sent for this event
   * @return the event
   * @throws io.shardbus.event.InvalidEventException if it is none; it says why
   */
  RawEvent read(Buffer bytes);
}
