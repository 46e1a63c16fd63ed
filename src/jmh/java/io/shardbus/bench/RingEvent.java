package io.shardbus.bench;

import io.vertx.core.buffer.Buffer;

/** What stands in the rings that are compared with the product's. */
final class RingEvent {

  Buffer payload;
  long hash;
  long timestamp;
  long sequence;

  RingEvent(Buffer payload, long hash, long timestamp) {
    this.payload = payload;
    this.hash = hash;
    this.timestamp = timestamp;
  }

  static RingEvent of(Payload payload) {
    return new RingEvent(payload.buffer(), payload.computeHash(), System.nanoTime());
  }

  /** Which of some rings the event goes to, by the upper half of its hash. */
  int ring(int count) {
    return ring(hash, count);
  }

  static int ring(long hash, int count) {
    return (int) ((hash >>> 32) * count >>> 32);
  }
}
