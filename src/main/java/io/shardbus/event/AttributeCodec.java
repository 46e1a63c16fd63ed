package io.shardbus.event;

import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What travels beside an event's bytes, as bytes: its key, id and headers. The formats on disk and
 * between nodes share it.
 *
 * <p>The first byte says what is there: 1 a key, 2 an id, 4 headers, or a sum of these. They follow
 * in this order. A text is its length in bytes and its UTF-8. Headers are their number, and then
 * the name and the value of each, as texts. Lengths and numbers are written as in Protocol Buffers
 * (varint): seven bits a byte, the lowest first; the highest bit says that another byte follows.
 */
public final class AttributeCodec {

  private static final int KEY = 1;
  private static final int ID = 2;
  private static final int HEADERS = 4;
  private static final int MAX_VARINT_BITS = 28;
  private static final Attributes NONE = new Attributes(null, null, Headers.none(), 0);

  private AttributeCodec() {}

  /**
   * What was read.
   *
   * @param key the key, or null
   * @param id the id, or null
   * @param headers the headers
   * @param end the index behind the last byte
   */
  public record Attributes(@Nullable String key, @Nullable String id, Headers headers, int end) {}

  /**
   * Appends attributes.
   *
   * @param out where to
   * @param key the key, or null
   * @param id the id, or null
   * @param headers the headers
   */
  public static void write(Buffer out, @Nullable String key, @Nullable String id, Headers headers) {
    out.appendByte(
        (byte)
            ((key == null ? 0 : KEY) | (id == null ? 0 : ID) | (headers.isEmpty() ? 0 : HEADERS)));
    if (key != null) {
      text(out, key);
    }
    if (id != null) {
      text(out, id);
    }
    if (!headers.isEmpty()) {
      varint(out, headers.size());
      headers.forEach(
          (name, value) -> {
            text(out, name);
            text(out, value);
          });
    }
  }

  /**
   * The attributes of an event alone, for a store with a field for them.
   *
   * @param event the event
   * @return the bytes; null if the event has neither key nor id nor headers
   */
  public static byte @Nullable [] bytes(ShardEvent event) {
    if (event.key() == null && event.id() == null && event.headers().isEmpty()) {
      return null;
    }
    Buffer bytes = Buffer.buffer();
    write(bytes, event.key(), event.id(), event.headers());
    return bytes.getBytes();
  }

  /**
   * Reads what {@link #bytes} wrote.
   *
   * @param bytes the bytes, or null
   * @return the attributes
   * @throws InvalidEventException if the bytes are no attributes
   */
  public static Attributes read(byte @Nullable [] bytes) {
    return bytes == null ? NONE : read(BufferAccess.wrap(bytes), 0);
  }

  private static void text(Buffer out, String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    varint(out, utf8.length);
    out.appendBytes(utf8);
  }

  private static void varint(Buffer out, int value) {
    int rest = value;
    while (rest > 0x7f) {
      out.appendByte((byte) ((rest & 0x7f) | 0x80));
      rest >>>= 7;
    }
    out.appendByte((byte) rest);
  }

  /**
   * Reads attributes.
   *
   * @param in where from
   * @param at the index of the first byte
   * @return the attributes
   * @throws InvalidEventException if there are none
   */
  public static Attributes read(Buffer in, int at) {
    Reader reader = new Reader(in, at);
    try {
      return reader.attributes();
    } catch (IndexOutOfBoundsException e) {
      throw new InvalidEventException("the attributes of an event are cut off", reader.at);
    }
  }

  private static final class Reader {

    private final Buffer in;
    private int at;

    Reader(Buffer in, int at) {
      this.in = in;
      this.at = at;
    }

    Attributes attributes() {
      int parts = in.getByte(at++);
      if ((parts & ~(KEY | ID | HEADERS)) != 0) {
        throw new InvalidEventException("an event has attributes of an unknown kind", at - 1);
      }
      String key = (parts & KEY) == 0 ? null : text("the key");
      String id = (parts & ID) == 0 ? null : text("the id");
      Headers headers = (parts & HEADERS) == 0 ? Headers.none() : headers();
      return new Attributes(key, id, headers, at);
    }

    private Headers headers() {
      int count = varint();
      if (count > Headers.MAX_COUNT) {
        throw new InvalidEventException("an event claims " + count + " headers", at);
      }
      Map<String, String> headers = new LinkedHashMap<>();
      for (int i = 0; i < count; i++) {
        headers.put(text("a header"), text("a header"));
      }
      return Headers.of(headers);
    }

    private String text(String what) {
      int length = varint();
      if (length > in.length() - at) { // before the buffer makes an array for it
        throw new IndexOutOfBoundsException();
      }
      byte[] utf8 = in.getBytes(at, at + length);
      at += length;
      return EventText.decode(what, utf8);
    }

    private int varint() {
      int value = 0;
      for (int shift = 0; shift <= MAX_VARINT_BITS; shift += 7) {
        byte some = in.getByte(at++);
        value |= (some & 0x7f) << shift;
        if (some >= 0) {
          if (value < 0) {
            break;
          }
          return value;
        }
      }
      throw new InvalidEventException("an event has a length that is too large", at);
    }
  }
}
