package io.shardbus.app;

import io.vertx.core.json.Json;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.SplittableRandom;

/**
 * Makes up JSON events that are hard to handle: clicks, orders, log records, measurements, profiles
 * and documents. They are nested, in several scripts, and have 50 bytes to 100 kB; most are small.
 * The same seed makes the same events. Not safe for threads.
 */
public final class EventGenerator {

  private static final String[] WORDS = {
    "order",
    "café",
    "größe",
    "データ",
    "событие",
    "مرحبا",
    "emoji 🚀",
    "cart",
    "login",
    "timeout",
    "naïve",
    "shard",
    "\"quoted\"",
    "back\\slash",
    "tab\there",
    "line\nbreak",
    "zero\u0001",
    "한국어",
    "ελληνικά"
  };
  private static final int MAX_BYTES = 100_000;

  private final SplittableRandom random;
  private long number;

  /**
   * @param seed decides everything
   */
  public EventGenerator(long seed) {
    random = new SplittableRandom(seed);
  }

  /** {@return the next event: one JSON object without line breaks, 50 bytes to 100 kB in UTF-8} */
  public String next() {
    JsonObject event =
        new JsonObject().put("id", number++).put("user", new JsonObject().put("id", user()));
    switch (random.nextInt(6)) {
      case 0 -> click(event);
      case 1 -> order(event);
      case 2 -> log(event);
      case 3 -> measurement(event);
      case 4 -> profile(event);
      default -> document(event);
    }
    return event.encode();
  }

  private String word() {
    return WORDS[random.nextInt(WORDS.length)];
  }

  private String user() {
    return "u" + random.nextInt(10_000);
  }

  private void click(JsonObject event) {
    event
        .put("type", "click")
        .put("anonymous", random.nextBoolean())
        .put("x", random.nextInt(4000))
        .put("y", random.nextInt(3000));
  }

  private void order(JsonObject event) {
    JsonArray items = new JsonArray();
    for (int i = random.nextInt(1, 12); i > 0; i--) {
      items.add(
          new JsonObject()
              .put("sku", word() + "-" + random.nextInt(1000))
              .put("price", random.nextInt(1_000_000) / 100.0)
              .put("quantity", random.nextInt(1, 5))
              .putNull("discount"));
    }
    event.put("type", "order").put("items", items);
  }

  private void log(JsonObject event) {
    event
        .put("type", "log")
        .put("level", random.nextInt(10) == 0 ? "ERROR" : "INFO")
        .put("message", text(random.nextInt(10, 300)));
  }

  private void measurement(JsonObject event) {
    event
        .put("type", "measurement")
        .put("sensor", random.nextInt(100_000))
        .put("value", random.nextDouble() * Math.pow(10, random.nextInt(-10, 10)))
        .put("at", 1_700_000_000_000_000_000L + random.nextLong(1L << 40));
  }

  private void profile(JsonObject event) {
    JsonObject inner = new JsonObject().put("name", word());
    for (int depth = random.nextInt(1, 20); depth > 0; depth--) {
      inner =
          new JsonObject().put(word(), inner).put("tags", new JsonArray().add(word()).add(depth));
    }
    event.put("type", "profile").put("data", inner);
  }

  private void document(JsonObject event) {
    // Log-uniform: as many from 100 to 1,000 bytes as from 10,000 to 100,000, but only one document
    // in ten is long.
    double exponent =
        random.nextInt(10) == 0 ? 3 + 2 * random.nextDouble() : 2 + random.nextDouble();
    int bytes = (int) Math.min(MAX_BYTES - 200, Math.pow(10, exponent)); // the rest is less
    event.put("type", "document").put("body", text(bytes));
  }

  /** About as many bytes of JSON as asked for, never more than one word above it. */
  private String text(int bytes) {
    StringBuilder text = new StringBuilder();
    int size = 0;
    while (size < bytes) {
      String word = word();
      text.append(word).append(' ');
      size += Json.encode(word).getBytes(StandardCharsets.UTF_8).length - 1; // less the quotes
    }
    return text.toString();
  }
}
