package io.shardbus.app.soak;

import io.shardbus.event.RawEvent;
import io.vertx.core.buffer.Buffer;

/**
 * A number that tells an event's producer and its place among that producer's events, and how it
 * travels.
 */
final class SoakEvent {

  private static final int PLACE_BITS = 40;
  private static final long PLACE_MASK = (1L << PLACE_BITS) - 1;

  /** Keys per producer: the order of events with the same key is checked apart. */
  private static final int KEYS = 16;

  /** One event in so many is one that no sink will ever take. */
  private static final int POISON_INTERVAL = 50_021;

  private SoakEvent() {}

  static long code(int producer, long place) {
    return (long) producer << PLACE_BITS | place;
  }

  static int producer(long code) {
    return (int) (code >>> PLACE_BITS);
  }

  static long place(long code) {
    return code & PLACE_MASK;
  }

  static boolean poisonous(long code) {
    return place(code) % POISON_INTERVAL == POISON_INTERVAL - 1;
  }

  static int key(long code) {
    return (int) (place(code) % KEYS);
  }

  /** Hashed by its bytes: neighbours go to different shards. */
  static RawEvent spread(long code) {
    return RawEvent.of(Buffer.buffer(Long.BYTES).appendLong(code));
  }

  /** Hashed by its key, of which each producer has its own. */
  static RawEvent keyed(long code) {
    return RawEvent.of(
        Buffer.buffer(Long.BYTES).appendLong(code), producer(code) + "/" + key(code));
  }

  static long code(Buffer payload) {
    return payload.getLong(0);
  }
}
