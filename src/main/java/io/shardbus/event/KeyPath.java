package io.shardbus.event;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import io.vertx.core.buffer.Buffer;
import java.io.IOException;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/** Where in an event its key stands, such as {@code user.id}. Immutable. */
public final class KeyPath {

  /** Clients choose the names, so they are not kept. */
  private static final JsonFactory FACTORY =
      JsonFactory.builder().disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES).build();

  private static final Pattern DOT = Pattern.compile("\\.");

  private final String path;
  private final String[] names;

  private KeyPath(String path) {
    this.path = path;
    names = DOT.split(path, -1);
  }

  /**
   * A path.
   *
   * @param path names of members, from the outermost on, with dots between
   * @return the path
   */
  public static KeyPath of(String path) {
    return new KeyPath(path);
  }

  /**
   * Looks for the key, and no further.
   *
   * @param json one JSON value, already checked
   * @return the string, or the number, true or false as written. The first of several members with
   *     the same name counts. Null if there is no such value
   */
  @Nullable String in(Buffer json) {
    try (JsonParser parser = BufferAccess.parser(FACTORY, json)) {
      for (String name : names) {
        if (parser.nextToken() != JsonToken.START_OBJECT || !skipTo(parser, name)) {
          return null;
        }
      }
      JsonToken value = parser.nextToken();
      return value.isScalarValue() && value != JsonToken.VALUE_NULL ? parser.getText() : null;
    } catch (IOException e) {
      // The check lets escapes of half a surrogate pair through; where names are read they end it.
      throw new InvalidEventException("no key can be read: a name or the key is no Unicode", -1);
    }
  }

  private static boolean skipTo(JsonParser parser, String name) throws IOException {
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      if (parser.currentName().equals(name)) {
        return true;
      }
      parser.nextToken();
      parser.skipChildren();
    }
    return false;
  }

  @Override
  public String toString() {
    return path;
  }
}
