package io.shardbus.gateway;

import io.shardbus.event.EventKey;
import io.shardbus.event.InvalidEventException;
import io.shardbus.event.JsonCheck;
import io.shardbus.event.KeyPath;
import io.vertx.core.MultiMap;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * How a request gives keys to its events.
 *
 * @param key the key of all events; null for none
 * @param path the path of the key in each event; null for none
 * @param maxBytes the longest key allowed
 * @param json the check of events that must be JSON, as those with a path are
 */
record EventKeys(@Nullable EventKey key, @Nullable KeyPath path, int maxBytes, JsonCheck json) {

  /** Throws {@link IllegalArgumentException} for what is not allowed. */
  static EventKeys of(MultiMap parameters, int maxBytes, JsonCheck json) {
    String key = parameters.get("key");
    String path = parameters.get("keyPath");
    if (key != null && path != null) {
      throw new IllegalArgumentException("key and keyPath: only one of them can be given");
    }
    EventKey shared = key == null ? null : EventKey.of(key);
    if (shared != null && shared.bytes() > maxBytes) {
      throw new IllegalArgumentException(tooLong(maxBytes));
    }
    return new EventKeys(shared, path == null ? null : KeyPath.of(path), maxBytes, json);
  }

  private static String tooLong(int maxBytes) {
    return "gateway.maxKeyBytes: the key is longer than " + maxBytes + " bytes";
  }

  /** Throws {@link InvalidEventException} if the key of an event is too long. */
  void requireLength(int bytes) {
    if (bytes > maxBytes) {
      throw new InvalidEventException(tooLong(maxBytes), -1);
    }
  }

  /** The same for a key that is not counted yet. */
  @Nullable String requireLength(@Nullable String text) {
    if (text != null && text.length() > maxBytes / 3) { // a character has up to three bytes
      requireLength(text.getBytes(StandardCharsets.UTF_8).length);
    }
    return text;
  }
}
