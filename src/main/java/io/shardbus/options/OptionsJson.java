package io.shardbus.options;

import io.vertx.core.json.JsonObject;

/**
 * Reads options from JSON and writes them, by their getters and setters. What it refuses it names:
 * the path of the option, what was wrong and what is allowed. Durations are text with a unit, such
 * as {@code "10ms"}.
 */
public final class OptionsJson {

  private OptionsJson() {}

  /**
   * Sets what the JSON names; the rest keeps its value.
   *
   * @param options an object with getters and setters
   * @param json the values. If there are none, Jackson databind is not needed
   * @param <T> the options' type
   * @return the same object
   * @throws IllegalArgumentException if a key is unknown, or a value is null, of the wrong type or
   *     out of range; or if Jackson databind is missing
   */
  public static <T> T read(T options, JsonObject json) {
    if (json.isEmpty()) {
      return options;
    }
    requireDatabind();
    return OptionsMapper.read(options, json);
  }

  /**
   * All values.
   *
   * @param options an object with getters and setters
   * @return the JSON that {@link #read} takes; options without a value are left out
   * @throws IllegalArgumentException if Jackson databind is missing
   */
  public static JsonObject write(Object options) {
    requireDatabind();
    return OptionsMapper.write(options);
  }

  private static void requireDatabind() {
    try {
      OptionalLibrary.require(
          "com.fasterxml.jackson.databind.ObjectMapper",
          "com.fasterxml.jackson.core:jackson-databind");
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException("options: their JSON form " + e.getMessage(), e);
    }
  }
}
