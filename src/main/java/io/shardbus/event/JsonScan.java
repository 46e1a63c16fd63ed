package io.shardbus.event;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;

/*
 * Recognises one JSON value (RFC 8259) in strict UTF-8. It is there because each event of HTTP and WebSocket is checked:
 * an event of 106 bytes takes 0.14 us, and Jackson's streaming parser 0.25 to 0.4; one of 1.1 kB 1.2 to 1.6, and the
 * parser 2.0 to 3.4; one of 40 levels 0.19, and the parser 13. A text of 2 kB with an escape every 50 bytes takes 0.7 to
 * 0.9, about what the parser takes (JsonSteps, medians, on 2 cores of a busy machine).
 *
 * It only accepts. If it is not sure, it leaves the bytes to JsonCheck, which decides and says what is wrong. So it may accept less than the
 * parser, and does so near the limits of the parser (length, depth, long names and numbers), but never more.
 *
 * Inside strings it takes eight bytes at a time: a byte is odd if it is a quote, a backslash, a control character or
 * beyond ASCII, found by the usual arithmetic on bytes within a word. A borrow can make a byte above the first odd one
 * look odd too, which does no harm, as only the first is used.
 */
final class JsonScan {

  private static final VarHandle EIGHT =
      MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
  private static final long ONES = 0x0101010101010101L;
  private static final long HIGH = 0x8080808080808080L;
  private static final long SPACES = ' ' * ONES;
  private static final long QUOTES = '"' * ONES;
  private static final long BACKSLASHES = '\\' * ONES;

  /** One bit each tells an object from an array. */
  private static final int MAX_DEPTH = Long.SIZE;

  // Below the parser's own limits.
  private static final int MAX_BYTES = 16 << 20;
  private static final int MAX_NAME_BYTES = 50_000;
  private static final int MAX_NUMBER_BYTES = 1_000;

  private static final int NO = -1;

  private JsonScan() {}

  /** Whether the bytes are one JSON value for sure. */
  static boolean isValue(byte[] in, int from, int end, int maxDepth) {
    if (end - from > MAX_BYTES) {
      return false;
    }
    int at = space(in, from, end);
    long objects = 0;
    int depth = 0;
    int most = Math.min(maxDepth, MAX_DEPTH);
    while (at < end) {
      byte first = in[at];
      boolean opens = first == '{' || first == '[';
      if (opens && depth == most) {
        return false;
      }
      if (opens) {
        at = space(in, at + 1, end);
      }
      if (opens && !(at < end && in[at] == first + 2)) { // as '}' is '{' + 2, and ']' is '[' + 2
        objects = objects << 1 | (first == '{' ? 1 : 0);
        depth++;
        at = first == '{' ? name(in, at, end) : at;
        if (at == NO) {
          return false;
        }
        continue;
      }
      at = opens ? at + 1 : scalar(in, at, end);
      if (at == NO) {
        return false;
      }
      // A value has ended: so do those that it completes, and then the next one begins.
      while (true) {
        at = space(in, at, end);
        if (depth == 0) {
          return at == end;
        }
        if (at == end) {
          return false;
        }
        boolean inObject = (objects & 1) != 0;
        byte next = in[at++];
        if (next == ',') {
          at = space(in, at, end);
          at = inObject ? name(in, at, end) : at;
          if (at == NO) {
            return false;
          }
          break;
        }
        if (next != (inObject ? '}' : ']')) {
          return false;
        }
        depth--;
        objects >>>= 1;
      }
    }
    return false;
  }

  /** Behind white space. */
  static int space(byte[] in, int from, int end) {
    int at = from;
    while (at < end && (in[at] == ' ' || in[at] == '\n' || in[at] == '\r' || in[at] == '\t')) {
      at++;
    }
    return at;
  }

  // Those below return the index behind what they look for, or NO.

  /** A name, its colon, and white space. */
  private static int name(byte[] in, int from, int end) {
    if (from >= end || in[from] != '"') {
      return NO;
    }
    int at = string(in, from + 1, end);
    if (at == NO || at - from > MAX_NAME_BYTES) {
      return NO;
    }
    at = space(in, at, end);
    return at < end && in[at] == ':' ? space(in, at + 1, end) : NO;
  }

  private static int scalar(byte[] in, int from, int end) {
    return switch (in[from]) {
      case '"' -> string(in, from + 1, end);
      case 't' -> word(in, from, end, "true");
      case 'f' -> word(in, from, end, "false");
      case 'n' -> word(in, from, end, "null");
      default -> number(in, from, end);
    };
  }

  private static int word(byte[] in, int from, int end, String word) {
    if (end - from < word.length()) {
      return NO;
    }
    for (int i = 1; i < word.length(); i++) {
      if (in[from + i] != word.charAt(i)) {
        return NO;
      }
    }
    return from + word.length();
  }

  private static int number(byte[] in, int from, int end) {
    int at = in[from] == '-' ? from + 1 : from;
    if (at < end && in[at] == '0') {
      at++;
    } else {
      at = digits(in, at, end);
    }
    if (at != NO && at < end && in[at] == '.') {
      at = digits(in, at + 1, end);
    }
    if (at != NO && at < end && (in[at] == 'e' || in[at] == 'E')) {
      at++;
      at = digits(in, at < end && (in[at] == '+' || in[at] == '-') ? at + 1 : at, end);
    }
    return at - from > MAX_NUMBER_BYTES ? NO : at;
  }

  private static int digits(byte[] in, int from, int end) {
    int at = from;
    while (at < end && in[at] >= '0' && in[at] <= '9') {
      at++;
    }
    return at == from ? NO : at;
  }

  /** The rest of a string, and its quote. */
  private static int string(byte[] in, int from, int end) {
    int at = from;
    while (true) {
      at = plain(in, at, end);
      if (at >= end) {
        return NO;
      }
      int b = in[at++];
      if (b == '"') {
        return at;
      }
      if (b == '\\') {
        at = escape(in, at, end);
      } else if (b < 0) {
        at = utf8(in, at, end, b);
      } else if (b < ' ') {
        return NO;
      }
      if (at == NO) {
        return NO;
      }
    }
  }

  /** At or before the first byte that is odd; the last seven bytes are left to the caller. */
  static int plain(byte[] in, int from, int end) {
    int at = from;
    while (at + Long.BYTES <= end) {
      long word = (long) EIGHT.get(in, at);
      long quotes = word ^ QUOTES;
      long backslashes = word ^ BACKSLASHES;
      long odd =
          (word
                  | ((word - SPACES) & ~word)
                  | ((quotes - ONES) & ~quotes)
                  | ((backslashes - ONES) & ~backslashes))
              & HIGH;
      if (odd != 0) {
        return at + Long.numberOfTrailingZeros(odd) / Byte.SIZE;
      }
      at += Long.BYTES;
    }
    return at;
  }

  private static int escape(byte[] in, int from, int end) {
    if (from >= end) {
      return NO;
    }
    switch (in[from]) {
      case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
        return from + 1;
      case 'u':
        int code = hex(in, from + 1, end);
        if (code < 0) {
          return NO;
        }
        if (!Character.isSurrogate((char) code)) {
          return from + 5;
        }
        // The parser takes half of a pair in a value, and refuses it in a name.
        boolean pair =
            Character.isHighSurrogate((char) code)
                && end - from > 6
                && in[from + 5] == '\\'
                && in[from + 6] == 'u'
                && Character.isLowSurrogate((char) hex(in, from + 7, end));
        return pair ? from + 11 : NO;
      default:
        return NO;
    }
  }

  /** Four digits; NO if they are not there. */
  private static int hex(byte[] in, int from, int end) {
    int code = end - from < 4 ? NO : 0;
    for (int i = 0; i < 4 && code != NO; i++) {
      int digit = Character.digit(in[from + i], 16);
      code = digit < 0 ? NO : code << 4 | digit;
    }
    return code;
  }

  /** The rest of a character; not an overlong form, a surrogate, or beyond Unicode. */
  private static int utf8(byte[] in, int from, int end, int first) {
    int more;
    int least;
    int code;
    if ((first & 0xE0) == 0xC0) {
      more = 1;
      least = 0x80;
      code = first & 0x1F;
    } else if ((first & 0xF0) == 0xE0) {
      more = 2;
      least = 0x800;
      code = first & 0x0F;
    } else if ((first & 0xF8) == 0xF0) {
      more = 3;
      least = 0x10000;
      code = first & 0x07;
    } else {
      return NO;
    }
    if (end - from < more) {
      return NO;
    }
    int at = from;
    for (int i = 0; i < more; i++) {
      int b = in[at++];
      if ((b & 0xC0) != 0x80) {
        return NO;
      }
      code = code << 6 | (b & 0x3F);
    }
    boolean surrogate = code >= Character.MIN_SURROGATE && code <= Character.MAX_SURROGATE;
    return code < least || code > Character.MAX_CODE_POINT || surrogate ? NO : at;
  }
}
