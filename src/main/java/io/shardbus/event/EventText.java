package io.shardbus.event;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** Text that travels beside an event: its key, its id and its headers. */
final class EventText {

  private EventText() {}

  /**
   * The text in UTF-8. Java would write half of a surrogate pair as a question mark, which is
   * another text.
   */
  static byte[] utf8(String what, String text) {
    for (int i = 0; i < text.length(); i++) {
      if (Character.isSurrogate(text.charAt(i))) {
        boolean pair =
            i + 1 < text.length() && Character.isSurrogatePair(text.charAt(i), text.charAt(i + 1));
        if (!pair) {
          throw new InvalidEventException(
              what
                  + " has half of a surrogate pair, \\u"
                  + Integer.toHexString(text.charAt(i))
                  + ", which is no character",
              -1);
        }
        i++;
      }
    }
    return text.getBytes(StandardCharsets.UTF_8);
  }

  /** The same, of a text that can also be a header of a protocol. */
  static byte[] plainUtf8(String what, String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if ((c < ' ' && c != '\t') || c == 0x7f) {
        throw new InvalidEventException(
            String.format("%s has the control character U+%04X", what, (int) c), -1);
      }
    }
    return utf8(what, text);
  }

  static String decode(String what, byte[] utf8) {
    String text = new String(utf8, StandardCharsets.UTF_8);
    if (!Arrays.equals(text.getBytes(StandardCharsets.UTF_8), utf8)) {
      throw new InvalidEventException(what + " is not UTF-8", -1);
    }
    return text;
  }

  /** For a message: short, and without characters that a terminal would obey. */
  static String quote(String text) {
    String some = text.length() > 40 ? text.substring(0, 40) + "..." : text;
    return '"' + some.replaceAll("\\p{Cntrl}", "?") + '"';
  }
}
