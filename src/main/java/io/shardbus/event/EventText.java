package io.shardbus.event;

import java.nio.charset.StandardCharsets;

/** Text that travels beside an event: ids and values of headers. */
final class EventText {

  private EventText() {}

  /** The same text, or an exception if it cannot travel everywhere. */
  static String require(String what, String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if ((c < ' ' && c != '\t') || c == 0x7f) {
        throw new InvalidEventException(
            String.format("%s: character %d is the control character U+%04X", what, i, (int) c),
            -1);
      }
      if (Character.isSurrogate(c)) {
        boolean pair = i + 1 < text.length() && Character.isSurrogatePair(c, text.charAt(i + 1));
        if (!pair) {
          throw new InvalidEventException(
              what + ": character " + i + " is half a surrogate pair", -1);
        }
        i++;
      }
    }
    return text;
  }

  static int utf8Length(String text) {
    return text.getBytes(StandardCharsets.UTF_8).length;
  }

  /** For a message: short, and without characters that a terminal would obey. */
  static String quote(String text) {
    String some = text.length() > 40 ? text.substring(0, 40) + "..." : text;
    return '"' + some.replaceAll("\\p{Cntrl}", "?") + '"';
  }
}
