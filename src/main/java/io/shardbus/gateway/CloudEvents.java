package io.shardbus.gateway;

import io.shardbus.event.Headers;
import io.shardbus.event.InvalidEventException;
import io.shardbus.event.RawEvent;
import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * How CloudEvents 1.0 are events of Shardbus. An attribute becomes the header {@code ce-} + its
 * name, and {@code datacontenttype} the header {@code content-type}. The data is the payload. The
 * key is always the attribute {@code partitionkey} too.
 */
final class CloudEvents {

  static final String PREFIX = "ce-";
  static final String CONTENT_TYPE = "content-type";
  static final String DATA_CONTENT_TYPE = "datacontenttype";
  static final List<String> REQUIRED = List.of("specversion", "id", "source", "type");

  private static final String VERSION = "1.0";
  static final String PARTITION_KEY = "partitionkey";
  private static final Pattern NAME = Pattern.compile("[a-z0-9]+");
  private static final Pattern WHITE_SPACE = Pattern.compile("\\s");

  private CloudEvents() {}

  /**
   * Makes an event.
   *
   * @param attributes by name; checked
   * @param data the payload
   * @param keys how the event gets its key; else it is the attribute {@code partitionkey}
   * @param kept headers of the request; attributes come before those with the same name
   * @throws InvalidEventException if there can be no such event; it says why
   */
  static RawEvent event(Map<String, String> attributes, Buffer data, EventKeys keys, Headers kept) {
    Map<String, String> headers = new LinkedHashMap<>();
    kept.forEach(
        (name, value) -> {
          if (!name.startsWith(PREFIX)) {
            headers.put(name, value);
          }
        });
    attributes.forEach(
        (name, value) ->
            headers.put(name.equals(DATA_CONTENT_TYPE) ? CONTENT_TYPE : PREFIX + name, value));
    String key = key(attributes, data, keys);
    if (key == null || key.isEmpty()) { // attributes are not empty
      headers.remove(PREFIX + PARTITION_KEY);
    } else {
      headers.put(PREFIX + PARTITION_KEY, key);
    }
    return RawEvent.builder(data).key(key).id(id(attributes)).headers(Headers.of(headers)).build();
  }

  /** Throws {@link InvalidEventException} if an attribute is wrong. */
  static void check(Map<String, String> attributes) {
    for (String name : REQUIRED) {
      if (attributes.getOrDefault(name, "").isEmpty()) {
        throw invalid(name, "is missing or empty");
      }
    }
    if (!VERSION.equals(attributes.get("specversion"))) {
      throw invalid("specversion", "must be " + VERSION);
    }
    if (WHITE_SPACE.matcher(attributes.getOrDefault("source", "")).find()) {
      throw invalid("source", "must be a URI reference, which has no white space");
    }
    for (String name : attributes.keySet()) {
      if (!isName(name)) {
        throw invalid(name, "must have another name: lower-case letters and digits, and not data");
      }
    }
  }

  /** Whether an attribute can have a name. In JSON, the data is beside the attributes. */
  static boolean isName(String text) {
    return NAME.matcher(text).matches() && !text.equals("data");
  }

  static InvalidEventException invalid(String attribute, String why) {
    return new InvalidEventException(
        "not a CloudEvent: the attribute " + attribute + " " + why, -1);
  }

  /** A source has no space, so different events have different ids. */
  private static String id(Map<String, String> attributes) {
    String id = attributes.get("source") + " " + attributes.get("id");
    return id.getBytes(StandardCharsets.UTF_8).length <= RawEvent.MAX_ID_BYTES
        ? id
        : "sha-256:" + HexFormat.of().formatHex(Sha256.of(id));
  }

  private static @Nullable String key(Map<String, String> attributes, Buffer data, EventKeys keys) {
    if (keys.key() != null) {
      return keys.key().text();
    }
    if (keys.path() == null) {
      return keys.requireLength(attributes.get(PARTITION_KEY));
    }
    keys.json().require(data);
    return keys.requireLength(keys.path().require(data));
  }

  /** Whether data of a type is JSON; so is data without a type. */
  static boolean isJson(@Nullable String contentType) {
    if (contentType == null) {
      return true;
    }
    String media = contentType.split(";", 2)[0].strip().toLowerCase(Locale.ROOT);
    return media.endsWith("/json") || media.endsWith("+json");
  }
}
