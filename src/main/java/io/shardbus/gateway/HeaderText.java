package io.shardbus.gateway;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/** What the header of a request says. A header has bytes, which are read as UTF-8 here. */
final class HeaderText {

  private HeaderText() {}

  /**
   * Reads a value.
   *
   * @param name of the header, for the error
   * @param value as Vert.x gives it, a character for each byte
   * @return the text
   * @throws IllegalArgumentException if it is not UTF-8
   */
  static String of(String name, String value) {
    for (int i = 0; i < value.length(); i++) {
      if (value.charAt(i) > 0x7f) {
        return utf8(name, ByteBuffer.wrap(value.getBytes(StandardCharsets.ISO_8859_1)));
      }
    }
    return value;
  }

  private static String utf8(String name, ByteBuffer bytes) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(bytes).toString();
    } catch (CharacterCodingException e) {
      throw new IllegalArgumentException("header " + name + ": is not UTF-8", e);
    }
  }

  /**
   * Takes the quotes off a quoted string (RFC 9110, section 5.6.4).
   *
   * @param value with or without quotes
   * @return what it means; null if a quote does not end where the value ends
   */
  static @Nullable String unquote(String value) {
    if (!value.startsWith("\"")) {
      return value;
    }
    StringBuilder text = new StringBuilder();
    for (int i = 1; i < value.length(); i++) {
      char c = value.charAt(i);
      if (c == '"') {
        return i == value.length() - 1 ? text.toString() : null;
      }
      if (c == '\\' && ++i < value.length()) {
        c = value.charAt(i);
      }
      text.append(c);
    }
    return null;
  }

  /**
   * Reads a value that is percent-encoded, as in the HTTP binding of CloudEvents. A {@code %}
   * without two digits behind it stays, since some senders do not encode it.
   *
   * @param name of the header, for the error
   * @param value as Vert.x gives it, perhaps in quotes
   * @return the text
   * @throws IllegalArgumentException if it is not UTF-8, or a quote does not end
   */
  static String percentDecoded(String name, String value) {
    String plain = unquote(of(name, value));
    if (plain == null) {
      throw new IllegalArgumentException("header " + name + ": the quote does not end");
    }
    if (plain.indexOf('%') < 0) {
      return plain;
    }
    byte[] in = plain.getBytes(StandardCharsets.UTF_8);
    ByteBuffer out = ByteBuffer.allocate(in.length);
    for (int i = 0; i < in.length; i++) {
      boolean encoded = in[i] == '%' && i + 2 < in.length;
      int high = encoded ? Character.digit(in[i + 1], 16) : -1;
      int low = encoded ? Character.digit(in[i + 2], 16) : -1;
      if (high >= 0 && low >= 0) {
        out.put((byte) (high << 4 | low));
        i += 2;
      } else {
        out.put(in[i]);
      }
    }
    return utf8(name, out.flip());
  }
}
