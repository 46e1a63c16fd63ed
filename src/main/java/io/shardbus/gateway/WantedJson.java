package io.shardbus.gateway;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import io.shardbus.event.JsonCheck;
import io.shardbus.event.PathReader.Step;
import io.vertx.core.buffer.Buffer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The parts of JSON events that a filter looks at. Only these are kept of an event, so that a
 * filter needs little memory. Values are a {@link String}, {@link Decimal}, {@link Boolean}, {@link
 * #NULL}, {@link List} or {@link Map}, and are equal as JSON has it. Of members with the same name
 * the last counts.
 */
final class WantedJson {

  /** The null of JSON; Java's null stands for no value. */
  static final Object NULL =
      new Object() {
        @Override
        public String toString() {
          return "null";
        }
      };

  /** Without limits: what is read has passed the check. */
  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxNumberLength(Integer.MAX_VALUE)
                  .maxStringLength(Integer.MAX_VALUE)
                  .maxNameLength(Integer.MAX_VALUE)
                  .build())
          .build();

  private final Map<String, WantedJson> members = new HashMap<>();
  private final Map<Integer, WantedJson> elements = new HashMap<>();
  private boolean whole;

  /**
   * Adds a value.
   *
   * @param path where it is
   * @param all whether its content counts, not only that it is there
   */
  void add(List<Step> path, boolean all) {
    WantedJson wanted = this;
    for (Step step : path) {
      wanted =
          step.name() == null
              ? wanted.elements.computeIfAbsent(step.index(), i -> new WantedJson())
              : wanted.members.computeIfAbsent(step.name(), n -> new WantedJson());
    }
    wanted.whole |= all;
  }

  /** The value at a path; null if there is none. */
  static @Nullable Object find(@Nullable Object json, List<Step> path) {
    Object value = json;
    for (Step step : path) {
      if (step.name() == null) {
        value =
            value instanceof List<?> list && step.index() < list.size()
                ? list.get(step.index())
                : null;
      } else {
        value = value instanceof Map<?, ?> map ? map.get(step.name()) : null;
      }
    }
    return value;
  }

  /**
   * Reads an event.
   *
   * @return what is wanted of it; null if it is not JSON
   */
  @Nullable Object read(Buffer event) {
    if (!JsonCheck.STORED.accepts(event)) {
      return null;
    }
    try (JsonParser in = FACTORY.createParser(event.getBytes())) {
      in.nextToken();
      return value(in, this, false);
    } catch (IOException e) {
      return null;
    }
  }

  /** Reads the value at which the parser is, to its end. */
  private static Object value(JsonParser in, WantedJson wanted, boolean inWhole)
      throws IOException {
    boolean all = inWhole || wanted.whole;
    switch (in.currentToken()) {
      case START_OBJECT:
        Map<String, Object> object = new HashMap<>();
        while (in.nextToken() == JsonToken.FIELD_NAME) {
          String name = in.currentName();
          WantedJson member = wanted.members.get(name);
          in.nextToken();
          if (all || member != null) {
            object.put(name, value(in, member == null ? wanted : member, all));
          } else {
            in.skipChildren();
          }
        }
        return object;
      case START_ARRAY:
        List<Object> array = new ArrayList<>();
        if (!all && wanted.elements.isEmpty()) {
          in.skipChildren();
          return array;
        }
        while (in.nextToken() != JsonToken.END_ARRAY) {
          WantedJson element = wanted.elements.get(array.size());
          if (all || element != null) {
            array.add(value(in, element == null ? wanted : element, all));
          } else {
            in.skipChildren();
            array.add(NULL); // holds the place
          }
        }
        return array;
      case VALUE_STRING:
        return in.getText();
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT:
        return Decimal.of(in.getText());
      case VALUE_TRUE:
        return true;
      case VALUE_FALSE:
        return false;
      default:
        return NULL;
    }
  }

  /** Whether a value comes before another one. */
  static boolean less(@Nullable Object a, @Nullable Object b) {
    if (a instanceof Decimal number && b instanceof Decimal other) {
      return number.compareTo(other) < 0;
    }
    return a instanceof String text && b instanceof String other && textLess(text, other);
  }

  /** By Unicode's numbers, not by Java's chars: surrogates come after all other characters. */
  private static boolean textLess(String a, String b) {
    int length = Math.min(a.length(), b.length());
    for (int i = 0; i < length; i++) {
      char c = a.charAt(i);
      char d = b.charAt(i);
      if (c != d) {
        return Character.isSurrogate(c) == Character.isSurrogate(d)
            ? c < d
            : Character.isSurrogate(d);
      }
    }
    return a.length() < b.length();
  }
}
