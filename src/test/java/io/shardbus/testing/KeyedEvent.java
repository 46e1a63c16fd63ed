package io.shardbus.testing;

import io.shardbus.event.RawEvent;
import io.vertx.core.buffer.Buffer;

/**
 * An event of a key, as it travels.
 *
 * @param key number of the key
 * @param place where it stands among the events of its key
 */
public record KeyedEvent(int key, int place) {

  /** Where the key stands in the event. */
  public static final String KEY_PATH = "k";

  public Buffer json() {
    return Buffer.buffer("{\"k\":" + key + ",\"n\":" + place + "}");
  }

  public RawEvent raw() {
    return RawEvent.of(json(), String.valueOf(key));
  }

  /** What {@link #json} wrote. */
  public static KeyedEvent of(Buffer json) {
    String text = json.toString();
    int comma = text.indexOf(',');
    return new KeyedEvent(
        Integer.parseInt(text, 5, comma, 10),
        Integer.parseInt(text, comma + 5, text.length() - 1, 10));
  }
}
