package io.shardbus.shard;

import io.vertx.core.buffer.Buffer;
import org.jspecify.annotations.Nullable;

/** What stands in a ring: 32 bytes on a JVM with compressed references. */
final class QueuedEvent {

  final Buffer payload;
  final @Nullable String key;

  /** Raised by the consumer if an earlier event of the shard has it too; nobody else writes it. */
  long timestamp;

  final @Nullable DeliveryAck ack;

  QueuedEvent(Buffer payload, @Nullable String key, long timestamp, @Nullable DeliveryAck ack) {
    this.payload = payload;
    this.key = key;
    this.timestamp = timestamp;
    this.ack = ack;
  }

  /** What the event counts against the ring's limit in bytes. */
  int footprint() {
    return payload.length() + (key == null ? 0 : key.length());
  }
}
