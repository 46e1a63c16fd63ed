package io.shardbus.event;

import io.vertx.core.buffer.Buffer;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The members of a JSON object, with the bytes of their values as they were sent. The last of
 * several members with the same name counts. Immutable.
 */
public final class JsonMembers {

  private final Buffer json;
  private final Map<String, Value> members;

  /** Where a value is. */
  private record Value(int from, int to) {}

  private JsonMembers(Buffer json, Map<String, Value> members) {
    this.json = json;
    this.members = members;
  }

  /**
   * Reads an object.
   *
   * @param json its bytes; not copied
   * @param check for its values, of which one can be an event
   * @return the members
   * @throws InvalidEventException if the bytes are not one JSON object, or if a value in it is
   *     nested too deeply
   */
  public static JsonMembers of(Buffer json, JsonCheck check) {
    check.requireWrapper(json);
    return ofChecked(json);
  }

  private static JsonMembers ofChecked(Buffer json) {
    byte[] bytes = json.getBytes();
    JsonWalk walk = new JsonWalk(bytes, 0, bytes.length);
    walk.space();
    if (bytes[walk.at] != '{') {
      throw new InvalidEventException("a JSON object is expected", 0);
    }
    walk.at++;
    walk.space();
    Map<String, Value> members = new LinkedHashMap<>();
    while (bytes[walk.at] != '}') {
      int name = walk.at;
      walk.skip();
      String text = walk.unescaped(name);
      walk.space();
      walk.at++; // the colon
      walk.space();
      int from = walk.at;
      walk.skip();
      members.put(text, new Value(from, walk.at));
      walk.space();
      if (bytes[walk.at] == ',') {
        walk.at++;
        walk.space();
      }
    }
    return new JsonMembers(json, members);
  }

  /** {@return the names of the members, in the order of their first occurrence} */
  public Set<String> names() {
    return members.keySet();
  }

  private char first(String name) {
    Value value = members.get(name);
    return value == null ? 'n' : (char) json.getByte(value.from());
  }

  /**
   * Whether there is a value.
   *
   * @param name of a member
   * @return false if there is no such member, or if it is null
   */
  public boolean has(String name) {
    return first(name) != 'n';
  }

  /**
   * Whether a value is a string.
   *
   * @param name of a member
   * @return true if it is
   */
  public boolean isString(String name) {
    return first(name) == '"';
  }

  /**
   * The bytes of a value.
   *
   * @param name of a member that there is
   * @return as they were sent, without the white space around; not copied if they are most of the
   *     object
   */
  public Buffer raw(String name) {
    Value value = members.get(name);
    if (value == null) {
      throw new IllegalArgumentException("there is no member " + name);
    }
    return value.to() - value.from() < json.length() / 2
        ? BufferAccess.wrap(json.getBytes(value.from(), value.to()))
        : json.slice(value.from(), value.to());
  }

  /**
   * A string.
   *
   * @param name of a member
   * @return what the string means; null if there is no such member, or if it is null
   * @throws InvalidEventException if it is something else
   */
  public @Nullable String string(String name) {
    return has(name) ? required(name) : null;
  }

  private String required(String name) {
    if (!isString(name)) {
      throw new InvalidEventException(EventText.quote(name) + " must be a string", -1);
    }
    return new PathReader(raw(name).toString(), 0, c -> false).quoted();
  }

  /**
   * Whether a value is true, false or a whole number.
   *
   * @param name of a member
   * @return true if it is
   */
  public boolean isPlain(String name) {
    char first = first(name);
    if (first == 't' || first == 'f') {
      return true;
    }
    return (first == '-' || Character.isDigit(first))
        && raw(name).toString().chars().skip(1).allMatch(Character::isDigit);
  }

  /**
   * An object.
   *
   * @param name of a member
   * @return its members; null if there is no such member, or if it is null
   * @throws InvalidEventException if it is something else
   */
  public @Nullable JsonMembers object(String name) {
    if (!has(name)) {
      return null;
    }
    if (first(name) != '{') {
      throw new InvalidEventException(EventText.quote(name) + " must be an object", -1);
    }
    return ofChecked(raw(name));
  }

  /**
   * The bytes of a text.
   *
   * @param name of a member that is a string
   * @return the text in UTF-8
   * @throws InvalidEventException if it is no string, or has half of a surrogate pair
   */
  public Buffer text(String name) {
    return BufferAccess.wrap(EventText.utf8(EventText.quote(name), required(name)));
  }

  /**
   * The bytes that a string stands for.
   *
   * @param name of a member that is a string
   * @return the bytes
   * @throws InvalidEventException if it is no string in Base64 (RFC 4648, section 4)
   */
  public Buffer base64(String name) {
    String text = required(name);
    try {
      return BufferAccess.wrap(Base64.getDecoder().decode(text));
    } catch (IllegalArgumentException e) {
      throw new InvalidEventException(
          EventText.quote(name) + " must be Base64: " + e.getMessage(), -1);
    }
  }
}
