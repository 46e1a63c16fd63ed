package io.shardbus.shard;

import io.shardbus.event.Headers;
import io.vertx.core.buffer.Buffer;
import org.jspecify.annotations.Nullable;

/**
 * An element of a ring. It takes 24 bytes on a JVM with compressed references, or 32 for events
 * with a key or an acknowledgement, and 40 for those with an id or headers.
 */
class QueuedEvent {

  final Buffer payload;

  /**
   * Raised by the consumer if an earlier event of the shard has the same one. No other thread
   * writes it.
   */
  long timestamp;

  private QueuedEvent(Buffer payload, long timestamp) {
    this.payload = payload;
    this.timestamp = timestamp;
  }

  static QueuedEvent of(
      Buffer payload, @Nullable String key, long timestamp, @Nullable DeliveryAck ack) {
    return of(payload, key, null, Headers.none(), timestamp, ack);
  }

  static QueuedEvent of(
      Buffer payload,
      @Nullable String key,
      @Nullable String id,
      Headers headers,
      long timestamp,
      @Nullable DeliveryAck ack) {
    if (id != null || !headers.isEmpty()) {
      return new Attributed(payload, key, id, headers, timestamp, ack);
    }
    return key == null && ack == null
        ? new QueuedEvent(payload, timestamp)
        : new Attended(payload, key, timestamp, ack);
  }

  @Nullable String key() {
    return null;
  }

  @Nullable String id() {
    return null;
  }

  Headers headers() {
    return Headers.none();
  }

  @Nullable DeliveryAck ack() {
    return null;
  }

  /** The bytes that count against the limit of the ring. */
  int footprint() {
    return payload.length();
  }

  private static class Attended extends QueuedEvent {

    private final @Nullable String key;
    private final @Nullable DeliveryAck ack;

    Attended(Buffer payload, @Nullable String key, long timestamp, @Nullable DeliveryAck ack) {
      super(payload, timestamp);
      this.key = key;
      this.ack = ack;
    }

    @Override
    @Nullable String key() {
      return key;
    }

    @Override
    @Nullable DeliveryAck ack() {
      return ack;
    }

    @Override
    int footprint() {
      return payload.length() + (key == null ? 0 : key.length());
    }
  }

  private static final class Attributed extends Attended {

    private final @Nullable String id;
    private final Headers headers;

    Attributed(
        Buffer payload,
        @Nullable String key,
        @Nullable String id,
        Headers headers,
        long timestamp,
        @Nullable DeliveryAck ack) {
      super(payload, key, timestamp, ack);
      this.id = id;
      this.headers = headers;
    }

    @Override
    @Nullable String id() {
      return id;
    }

    @Override
    Headers headers() {
      return headers;
    }

    @Override
    int footprint() {
      return super.footprint() + (id == null ? 0 : id.length()) + headers.bytes();
    }
  }
}
