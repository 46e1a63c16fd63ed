package io.shardbus.event;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Small text names and values that travel with an event. A name occurs once. Immutable.
 *
 * <p>A name is a token as in RFC 9110, section 5.6.2, in lower case. A value is Unicode text
 * without control characters other than tab.
 */
public final class Headers {

  /** The most headers that an event may have. */
  public static final int MAX_COUNT = 64;

  /** The largest sum of all names and values, in bytes of UTF-8. */
  public static final int MAX_BYTES = 8 << 10;

  private static final Headers NONE = new Headers(new String[0], 0);
  private static final String TOKEN_MARKS = "!#$%&'*+-.^_`|~";

  /** Names and values in turn. */
  private final String[] fields;

  private final int bytes;

  private Headers(String[] fields, int bytes) {
    this.fields = fields;
    this.bytes = bytes;
  }

  /** {@return no headers, always the same instance} */
  public static Headers none() {
    return NONE;
  }

  /**
   * Headers in the order of a map.
   *
   * @param headers values by name; names are turned into lower case
   * @return the headers
   * @throws InvalidEventException if a name is no token or occurs twice, if a value has a control
   *     character or half a surrogate pair, or if they are too many or too large
   */
  public static Headers of(Map<String, String> headers) {
    if (headers.isEmpty()) {
      return NONE;
    }
    if (headers.size() > MAX_COUNT) {
      throw invalid("an event has " + headers.size() + " headers, and may have " + MAX_COUNT);
    }
    Map<String, String> all = new LinkedHashMap<>();
    long bytes = 0;
    for (Map.Entry<String, String> header : headers.entrySet()) {
      String name = requireToken(header.getKey());
      String value = header.getValue();
      bytes += name.length() + EventText.plainUtf8("header " + name, value).length;
      if (all.put(name, value) != null) {
        throw invalid("header " + name + " occurs twice");
      }
    }
    if (bytes > MAX_BYTES) {
      throw invalid("the headers of an event have " + bytes + " bytes, and may have " + MAX_BYTES);
    }
    String[] fields = new String[all.size() * 2];
    int at = 0;
    for (Map.Entry<String, String> header : all.entrySet()) {
      fields[at++] = header.getKey();
      fields[at++] = header.getValue();
    }
    return new Headers(fields, (int) bytes);
  }

  /** In lower case. */
  static String requireToken(String name) {
    boolean good = !name.isEmpty();
    for (int i = 0; i < name.length(); i++) {
      char c = name.charAt(i);
      good &= (c < 0x80 && Character.isLetterOrDigit(c)) || TOKEN_MARKS.indexOf(c) >= 0;
    }
    if (!good) {
      throw invalid(
          "header name "
              + EventText.quote(name)
              + " must be a token: letters, digits and "
              + TOKEN_MARKS);
    }
    return name.toLowerCase(Locale.ROOT);
  }

  private static InvalidEventException invalid(String message) {
    return new InvalidEventException(message, -1);
  }

  /**
   * The value of a header.
   *
   * @param name its name, in any case
   * @return the value; null if there is no such header
   */
  public @Nullable String get(String name) {
    for (int i = 0; i < fields.length; i += 2) {
      if (fields[i].equalsIgnoreCase(name)) {
        return fields[i + 1];
      }
    }
    return null;
  }

  /** {@return the number of headers, 0 to {@link #MAX_COUNT}} */
  public int size() {
    return fields.length / 2;
  }

  /** {@return whether there are none} */
  public boolean isEmpty() {
    return fields.length == 0;
  }

  /** {@return the sum of all names and values, in bytes of UTF-8, 0 to {@link #MAX_BYTES}} */
  public int bytes() {
    return bytes;
  }

  /**
   * Looks at each header, in order.
   *
   * @param action given the name and the value
   */
  public void forEach(BiConsumer<String, String> action) {
    for (int i = 0; i < fields.length; i += 2) {
      action.accept(fields[i], fields[i + 1]);
    }
  }

  /** {@return a copy: values by name, in order} */
  public Map<String, String> toMap() {
    Map<String, String> map = new LinkedHashMap<>();
    forEach(map::put);
    return map;
  }

  @Override
  public boolean equals(@Nullable Object other) {
    return other instanceof Headers headers && toMap().equals(headers.toMap());
  }

  @Override
  public int hashCode() {
    return toMap().hashCode();
  }

  @Override
  public String toString() {
    return Arrays.toString(fields);
  }
}
