package io.shardbus.gateway;

import io.shardbus.event.InvalidEventException;
import io.shardbus.event.RawEvent;
import io.vertx.core.MultiMap;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What the parameters of an ingesting request ask for.
 *
 * @param ack when an event counts as done
 * @param key the key of all events; null for none
 * @param keyPath where in each event its key stands; null for nowhere
 */
record IngestRequest(Ack ack, @Nullable String key, @Nullable String keyPath) {

  private static final Pattern DOT = Pattern.compile("\\.");

  enum Ack {
    NONE,
    ACCEPTED,
    DELIVERED
  }

  /** Throws {@link IllegalArgumentException} for what is not allowed. */
  static IngestRequest of(MultiMap parameters, Ack byDefault) {
    String key = parameters.get("key");
    String keyPath = parameters.get("keyPath");
    if (key != null && keyPath != null) {
      throw new IllegalArgumentException("key and keyPath: only one of them can be given");
    }
    if (keyPath != null && keyPath.isEmpty()) {
      throw new IllegalArgumentException("keyPath: must not be empty, such as user.id");
    }
    String ack = parameters.get("ack");
    return new IngestRequest(ack == null ? byDefault : ack(ack), key, keyPath);
  }

  private static Ack ack(String text) {
    return switch (text) {
      case "none" -> Ack.NONE;
      case "accepted" -> Ack.ACCEPTED;
      case "delivered" -> Ack.DELIVERED;
      default ->
          throw new IllegalArgumentException(
              "ack: \"" + text + "\" must be none, accepted or delivered");
    };
  }

  /** Checks one event's bytes. Throws {@link InvalidEventException}. */
  RawEvent event(Buffer bytes) {
    if (keyPath == null) {
      return RawEvent.parse(bytes, key);
    }
    return RawEvent.of(bytes, keyIn(RawEvent.parse(bytes).json(), keyPath));
  }

  private static String keyIn(@Nullable Object json, String path) {
    Object value = json;
    for (String name : DOT.split(path, -1)) {
      value = value instanceof JsonObject object ? object.getValue(name) : null;
    }
    if (value == null || value instanceof JsonObject || value instanceof JsonArray) {
      throw new InvalidEventException("no string, number or boolean at keyPath " + path, -1);
    }
    return value.toString();
  }
}
