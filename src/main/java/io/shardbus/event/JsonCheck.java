package io.shardbus.event;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.async.ByteArrayFeeder;
import io.vertx.core.buffer.Buffer;
import java.io.IOException;

/**
 * Checks that bytes are one JSON value (RFC 8259), without building it. If {@link JsonScan} does
 * not accept the bytes, Jackson decides: its non-blocking parser, because the blocking ones guess
 * UTF-16 and UTF-32.
 */
final class JsonCheck {

  private static final JsonFactory FACTORY = new JsonFactory();
  private static final int CHUNK_BYTES = 8192;

  /**
   * The most arrays and objects in one another. Many JSON parsers end at 1,000, and an event must
   * also be readable within a page of events. It is no option: if it could be lowered, events that
   * are stored would no longer be JSON.
   */
  private static final int MAX_DEPTH = 500;

  private JsonCheck() {}

  static void oneValue(Buffer bytes) {
    if (!BufferAccess.isJsonForSure(bytes)) {
      parse(bytes);
    }
  }

  /** The check that also says what is wrong. */
  static void parse(Buffer bytes) {
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
    try (JsonParser parser = FACTORY.createNonBlockingByteArrayParser()) {
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
          if (++depth > MAX_DEPTH) {
            long at = parser.currentTokenLocation().getByteOffset() - 1; // it is behind the bracket
            throw new InvalidEventException(
                "nested too deeply: more than " + MAX_DEPTH + " levels at byte " + at, at);
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
      throw new InvalidEventException("not JSON at byte " + at + ": " + e.getOriginalMessage(), at);
    } catch (IOException e) {
      throw new InvalidEventException("not JSON: " + e.getMessage(), -1);
    }
  }
}
