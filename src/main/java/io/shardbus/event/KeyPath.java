package io.shardbus.event;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.shardbus.event.PathReader.Step;
import io.vertx.core.buffer.Buffer;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Where in an event its key stands, such as {@code user.id}, {@code tags[0]} or {@code
 * ['service.name']}. Immutable.
 */
public final class KeyPath {

  /** Clients choose the names, so they are not kept. */
  private static final JsonFactory FACTORY =
      JsonFactory.builder().disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES).build();

  private final String path;
  private final List<Step> steps;

  private KeyPath(String path, List<Step> steps) {
    this.path = path;
    this.steps = List.copyOf(steps);
  }

  /**
   * A path.
   *
   * @param path from the outermost on: names of members with dots between, or in brackets and
   *     quotes if they have a dot, a bracket or a quote; and indexes of elements in brackets, from
   *     0
   * @return the path
   * @throws IllegalArgumentException if it is no such path; it says where it breaks
   */
  public static KeyPath of(String path) {
    return of("keyPath", path);
  }

  /**
   * A path that is not to a key.
   *
   * @param option what the path is for, named in errors
   * @param path as in {@link #of(String)}
   * @return the path
   * @throws IllegalArgumentException if it is no such path; it says where it breaks
   */
  public static KeyPath of(String option, String path) {
    PathReader reader = new PathReader(path, 0, c -> ".[]'\"".indexOf(c) < 0);
    try {
      List<Step> steps = new ArrayList<>();
      if (!path.startsWith("[")) {
        steps.add(new Step(reader.name(), 0));
      }
      steps.addAll(reader.steps());
      if (reader.at() < path.length()) {
        throw PathReader.wrong(path, reader.at(), "., [ or the end is expected");
      }
      return new KeyPath(path, steps);
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          option
              + ": "
              + e.getMessage()
              + "; allowed are paths such as user.id, tags[0] and ['service.name']",
          e);
    }
  }

  /**
   * Looks for the key.
   *
   * @param json one JSON value, already checked
   * @return the string, or the number, true or false as written. The last of several members with
   *     the same name counts. Null if there is no such value
   */
  public @Nullable String in(Buffer json) {
    try (JsonParser parser = BufferAccess.parser(FACTORY, json)) {
      parser.nextToken();
      return value(parser, 0);
    } catch (IOException e) {
      throw new InvalidEventException("nothing can be read at "
              + path
              + ": " + e.getMessage(), -1);
    }
  }

  /** Reads the value at which the parser is, to its end. */
  private @Nullable String value(JsonParser parser, int depth) throws IOException {
    JsonToken token = parser.currentToken();
    if (depth == steps.size()) {
      boolean isKey = token.isScalarValue() && token != JsonToken.VALUE_NULL;
      String key = isKey ? parser.getText() : null;
      parser.skipChildren();
      return key;
    }
    String name = steps.get(depth).name();
    String found = null;
    if (name != null && token == JsonToken.START_OBJECT) {
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        boolean here = parser.currentName().equals(name);
        parser.nextToken();
        if (here) {
          found = value(parser, depth + 1);
        } else {
          parser.skipChildren();
        }
      }
    } else if (name == null && token == JsonToken.START_ARRAY) {
      for (int i = 0; parser.nextToken() != JsonToken.END_ARRAY; i++) {
        if (i == steps.get(depth).index()) {
          found = value(parser, depth + 1);
        } else {
          parser.skipChildren();
        }
      }
    } else {
      parser.skipChildren();
    }
    return found;
  }

  @Override
  public String toString() {
    return path;
  }
}
