package io.shardbus.event;

import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Reads paths to one JSON value, and strings in quotes, out of a text. {@link KeyPath} and filters
 * share it. Not safe for several threads at once.
 */
public final class PathReader {

  /** More digits could overflow an int. */
  private static final int MAX_INDEX_DIGITS = 9;

  private final String text;
  private final IntPredicate plain;
  private int at;

  /**
   * One step of a path.
   *
   * @param name of a member of an object; null for an element of an array
   * @param index of an element of an array, from 0
   */
  public record Step(@Nullable String name, int index) {}

  /**
   * A reader.
   *
   * @param text what to read
   * @param from the index at which to begin
   * @param plain the characters of names that need no quotes
   */
  public PathReader(String text, int from, IntPredicate plain) {
    this.text = text;
    this.plain = plain;
    at = from;
  }

  /** {@return the index of the next byte to read} */
  public int at() {
    return at;
  }

  /**
   * Reads steps, as far as they go.
   *
   * @return each {@code .name}, {@code ['any name']} or {@code [0]}
   * @throws IllegalArgumentException if a step is broken; it says where
   */
  public List<Step> steps() {
    List<Step> steps = new ArrayList<>();
    while (true) {
      if (took('.')) {
        steps.add(new Step(name(), 0));
      } else if (took('[')) {
        steps.add(inBrackets());
      } else {
        return steps;
      }
    }
  }

  /**
   * Reads a name without quotes.
   *
   * @return the name
   * @throws IllegalArgumentException if there is none; it says where
   */
  public String name() {
    int from = at;
    while (at < text.length() && plain.test(text.codePointAt(at))) {
      at += Character.charCount(text.codePointAt(at));
    }
    if (at == from) {
      throw wrong(text, at, "a name is expected; names with other characters are in [' ']");
    }
    return text.substring(from, at);
  }

  private Step inBrackets() {
    space();
    Step step = isQuote() ? new Step(quoted(), 0) : new Step(null, index());
    space();
    if (!took(']')) {
      throw wrong(text, at, "] is expected");
    }
    return step;
  }

  private int index() {
    int from = at;
    while (at < text.length() && text.charAt(at) >= '0' && text.charAt(at) <= '9') {
      at++;
    }
    if (at == from || at - from > MAX_INDEX_DIGITS) {
      throw wrong(text, from, "a name in quotes, or an index from 0 to 999999999, is expected");
    }
    return Integer.parseInt(text.substring(from, at));
  }

  private boolean isQuote() {
    return at < text.length() && (text.charAt(at) == '\'' || text.charAt(at) == '"');
  }

  /**
   * Reads a string in quotes, single or double, with the escapes of JSON, and {@code \'}.
   *
   * @return what the string means
   * @throws IllegalArgumentException if it does not end, or has another escape; it says where
   */
  public String quoted() {
    int from = at;
    char quote = text.charAt(at++);
    StringBuilder string = new StringBuilder();
    while (at < text.length()) {
      char c = text.charAt(at++);
      if (c == quote) {
        return string.toString();
      }
      string.append(c == '\\' ? escape() : c);
    }
    throw wrong(text, from, "the quote does not end");
  }

  private char escape() {
    int from = at - 1;
    char c = at < text.length() ? text.charAt(at++) : 0;
    switch (c) {
      case '"', '\'', '\\', '/':
        return c;
      case 'b':
        return '\b';
      case 'f':
        return '\f';
      case 'n':
        return '\n';
      case 'r':
        return '\r';
      case 't':
        return '\t';
      case 'u':
        int code = 0;
        for (int end = at + 4; at < end && code >= 0; at++) {
          int digit = at < text.length() ? Character.digit(text.charAt(at), 16) : -1;
          code = digit < 0 ? -1 : code << 4 | digit;
        }
        if (code >= 0) {
          return (char) code;
        }
        break;
      default:
        break;
    }
    throw wrong(text, from, "allowed are the escapes of JSON, and \\'");
  }

  private void space() {
    while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
      at++;
    }
  }

  private boolean took(char wanted) {
    boolean here = at < text.length() && text.charAt(at) == wanted;
    at += here ? 1 : 0;
    return here;
  }

  /**
   * Says where a text is wrong.
   *
   * @param text the text
   * @param at the index
   * @param why what would be right
   * @return the exception, to be thrown
   */
  public static IllegalArgumentException wrong(String text, int at, String why) {
    String rest = text.substring(at);
    String where =
        rest.isEmpty()
            ? "at the end"
            : "character "
                + (at + 1)
                + ", \""
                + (rest.length() > 20 ? rest.substring(0, 20) + "..." : rest)
                + "\"";
    return new IllegalArgumentException(where + ": " + why);
  }
}
