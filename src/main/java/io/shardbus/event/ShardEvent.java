package io.shardbus.event;

import io.vertx.core.buffer.Buffer;
import org.jspecify.annotations.Nullable;

/**
 * An event as its shard delivers it.
 *
 * @param shard the shard's id, 0 to 65534
 * @param sequence the event's place in the shard: from 0, without gaps
 * @param timestamp nanoseconds since the epoch, taken at ingestion on a monotonic clock; strictly
 *     increasing within a shard
 * @param payload the event's bytes as they were given; not to be changed
 * @param key the event's key, or null if it has none
 * @param id the client's name for the event, or null if it has none
 * @param headers what travels with the event
 */
public record ShardEvent(
    int shard,
    long sequence,
    long timestamp,
    Buffer payload,
    @Nullable String key,
    @Nullable String id,
    Headers headers) {

  /**
   * An event without an id and headers.
   *
   * @param shard the shard's id
   * @param sequence the event's place in the shard
   * @param timestamp nanoseconds since the epoch
   * @param payload the event's bytes
   * @param key the event's key, or null if it has none
   */
  public ShardEvent(
      int shard, long sequence, long timestamp, Buffer payload, @Nullable String key) {
    this(shard, sequence, timestamp, payload, key, null, Headers.none());
  }

  /**
   * What the event takes in memory and in stores, about: a character of the key or the id counts as
   * a byte.
   *
   * @return bytes of the payload, the key, the id and the headers
   */
  public int size() {
    return payload.length()
        + (key == null ? 0 : key.length())
        + (id == null ? 0 : id.length())
        + headers.bytes();
  }
}
