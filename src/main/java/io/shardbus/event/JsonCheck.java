package io.shardbus.event;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.async.ByteArrayFeeder;
import io.vertx.core.buffer.Buffer;
import java.io.IOException;

/**
 * Checks that bytes are one JSON value (RFC 8259) without too many arrays and objects in one
 * another. It does not build the value. Many JSON parsers end at 1,000 levels, and an event must
 * also be readable within a page of events.
 *
 * @param maxDepth the most levels of arrays and objects, 1 to {@value #MOST_LEVELS}
 */
public record JsonCheck(int maxDepth) {

  /** The levels that a bus takes unless it is told otherwise. */
  public static final int DEFAULT_LEVELS = 500;

  /**
   * The most levels that a bus can take. Vert.x writes a {@code JsonArray} with nine calls in one
   * another a level. In a program that has just begun, 700 levels fit on a stack of 1 MB, and 800
   * do not.
   */
  public static final int MOST_LEVELS = 600;

  /** The check with {@value #DEFAULT_LEVELS} levels. */
  public static final JsonCheck DEFAULT = new JsonCheck(DEFAULT_LEVELS);

  /** Tells JSON from other bytes in what is stored, whatever the bus's limit was. */
  public static final JsonCheck STORED = new JsonCheck(MOST_LEVELS);

  private static final JsonFactory FACTORY = new JsonFactory();

  /** An event in Base64 may be longer than a string that parsers take by default. */
  private static final JsonFactory WRAPPER_FACTORY =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder().maxStringLength(Integer.MAX_VALUE).build())
          .build();

  private static final int CHUNK_BYTES = 8192;

  /**
   * Checks the range.
   *
   * @param maxDepth levels
   * @throws IllegalArgumentException if they are out of range
   */
  public JsonCheck {
    if (maxDepth < 1 || maxDepth > MOST_LEVELS) {
      throw new IllegalArgumentException(
          "maxJsonDepth: " + maxDepth + " must be 1 to " + MOST_LEVELS);
    }
  }

  /**
   * Checks an event.
   *
   * @param bytes UTF-8 text
   * @throws InvalidEventException if the bytes are not exactly one JSON value, with white space
   *     around it or not; it says where it breaks
   */
  public void require(Buffer bytes) {
    if (!BufferAccess.isJsonForSure(bytes, maxDepth)) {
      parse(bytes);
    }
  }

  /** The same for a value that has an event in it. */
  void requireWrapper(Buffer bytes) {
    if (!BufferAccess.isJsonForSure(bytes, maxDepth + 1)) {
      parse(bytes, WRAPPER_FACTORY, 1);
    }
  }

  /**
   * Whether bytes are JSON.
   *
   * @param bytes any bytes
   * @return true if {@link #require} takes them
   */
  public boolean accepts(Buffer bytes) {
    try {
      require(bytes);
      return true;
    } catch (InvalidEventException e) {
      return false;
    }
  }

  /**
   * Whether bytes are text.
   *
   * @param bytes any bytes
   * @return true if they are UTF-8
   */
  public static boolean isUtf8(Buffer bytes) {
    return BufferAccess.isAscii(bytes) || BufferAccess.notUtf8(bytes) < 0;
  }

  /** The check that also says what is wrong. Jackson makes it. */
  void parse(Buffer bytes) {
    parse(bytes, FACTORY, 0);
  }

  private void parse(Buffer bytes, JsonFactory factory, int around) {
    int length = bytes.length();
    if (length >= 3
        && bytes.getByte(0) == (byte) 0xEF
        && bytes.getByte(1) == (byte) 0xBB
        && bytes.getByte(2) == (byte) 0xBF) {
      throw new InvalidEventException("not JSON at byte 0: a byte order mark is not allowed", 0);
    }
    // Jackson would take overlong forms and surrogates, and some broken names for others.
    int broken = BufferAccess.notUtf8(bytes);
    if (broken >= 0) {
      throw new InvalidEventException("not JSON at byte " + broken + ": not UTF-8", broken);
    }
    // The blocking parsers would guess UTF-16 and UTF-32.
    try (JsonParser parser = factory.createNonBlockingByteArrayParser()) {
      ByteArrayFeeder feeder = (ByteArrayFeeder) parser.getNonBlockingInputFeeder();
      byte[] chunk = new byte[Math.min(length, CHUNK_BYTES)];
      int fed = 0;
      int depth = 0;
      int values = 0;
      while (true) {
        JsonToken token = parser.nextToken();
        if (token == null) {
          break;
        }
        if (token == JsonToken.NOT_AVAILABLE) {
          if (fed == length) {
            feeder.endOfInput();
          } else {
            int end = Math.min(length, fed + chunk.length);
            bytes.getBytes(fed, end, chunk);
            feeder.feedInput(chunk, 0, end - fed);
            fed = end;
          }
          continue;
        }
        if (depth == 0 && ++values > 1) {
          long at = parser.currentTokenLocation().getByteOffset();
          throw new InvalidEventException(
              "not one JSON value: a second one begins at byte " + at, at);
        }
        if (token.isStructStart()) {
          if (++depth > maxDepth + around) {
            long at = parser.currentTokenLocation().getByteOffset() - 1; // it is behind the bracket
            throw new InvalidEventException(
                "nested too deeply at byte "
                    + at
                    + ": bus.maxJsonDepth allows "
                    + maxDepth
                    + " levels",
                at);
          }
        } else if (token.isStructEnd()) {
          depth--;
        }
      }
      if (values == 0) {
        throw new InvalidEventException("an empty event: one JSON value is expected", 0);
      }
      if (depth > 0) {
        throw new InvalidEventException(
            "not JSON: it ends at byte " + length + " inside a value", length);
      }
    } catch (JsonParseException e) {
      long at = e.getLocation() == null ? -1 : e.getLocation().getByteOffset();
      // The parser's own words name its classes and switches.
      String what =
          String.valueOf(e.getOriginalMessage()).contains("surrogate")
              ? "half a surrogate pair in a name"
              : found(bytes, at);
      throw new InvalidEventException("not JSON at byte " + at + ": " + what, at);
    } catch (IOException e) {
      throw new InvalidEventException(
          "a name, a number or a text in it is longer than a parser takes", -1);
    }
  }

  /** What stands where the parser gave up. */
  private static String found(Buffer bytes, long at) {
    if (at < 0 || at >= bytes.length()) {
      return "it ends inside a value";
    }
    byte b = bytes.getByte((int) at);
    return b > ' ' && b < 0x7f
        ? "unexpected " + (char) b
        : "unexpected byte 0x" + Integer.toHexString(b & 0xff);
  }
}
