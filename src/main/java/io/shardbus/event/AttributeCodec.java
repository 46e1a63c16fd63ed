package io.shardbus.event;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What travels beside an event's bytes, as bytes: its key, id and headers. The formats on disk and
 * between nodes share it.
 *
 * <p>The first byte says what is there: 1 a key, 2 an id, 4 headers, or a sum of these. They follow
 * in this order. A text is its length in bytes and its UTF-8. Headers are their number, and then
 * the name and the value of each, as texts. Lengths and numbers are varints, as {@link ByteWriter}
 * writes them.
 */
public final class AttributeCodec {

  private static final int KEY = 1;
  private static final int ID = 2;
  private static final int HEADERS = 4;
  private static final int EXPECTED_BYTES = 64;
  private static final Attributes NONE = new Attributes(null, null, Headers.none());

  private AttributeCodec() {}

  /**
   * What was read.
   *
   * @param key the key, or null
   * @param id the id, or null
   * @param headers the headers
   */
  public record Attributes(@Nullable String key, @Nullable String id, Headers headers) {}

  /**
   * Writes attributes.
   *
   * @param out where to
   * @param key the key, or null
   * @param id the id, or null
   * @param headers the headers
   */
  public static void write(
      ByteWriter out, @Nullable String key, @Nullable String id, Headers headers) {
    out.int8((key == null ? 0 : KEY) | (id == null ? 0 : ID) | (headers.isEmpty() ? 0 : HEADERS));
    if (key != null) {
      out.text(key);
    }
    if (id != null) {
      out.text(id);
    }
    if (!headers.isEmpty()) {
      out.varint(headers.size());
      headers.forEach(
          (name, value) -> {
            out.text(name);
            out.text(value);
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
    ByteWriter out = new ByteWriter(EXPECTED_BYTES);
    write(out, event.key(), event.id(), event.headers());
    return out.toBytes();
  }

  /**
   * Reads what {@link #bytes} wrote.
   *
   * @param bytes the bytes, or null
   * @return the attributes
   * @throws InvalidEventException if the bytes are no attributes
   */
  public static Attributes read(byte @Nullable [] bytes) {
    return bytes == null ? NONE : read(new ByteReader(BufferAccess.wrap(bytes), 0, bytes.length));
  }

  /**
   * Reads attributes.
   *
   * @param in where from
   * @return the attributes
   * @throws InvalidEventException if there are none
   */
  public static Attributes read(ByteReader in) {
    int parts = in.int8();
    if (parts == 0) {
      return NONE;
    }
    if ((parts & ~(KEY | ID | HEADERS)) != 0) {
      throw new InvalidEventException("an event has attributes of an unknown kind", in.at() - 1);
    }
    String key = (parts & KEY) == 0 ? null : in.text("the key", in.count());
    String id = (parts & ID) == 0 ? null : in.text("the id", in.count());
    return new Attributes(key, id, (parts & HEADERS) == 0 ? Headers.none() : headers(in));
  }

  private static Headers headers(ByteReader in) {
    int count = in.count();
    if (count > Headers.MAX_COUNT) {
      throw new InvalidEventException("an event claims " + count + " headers", in.at());
    }
    Map<String, String> headers = new LinkedHashMap<>();
    for (int i = 0; i < count; i++) {
      headers.put(in.text("a header", in.count()), in.text("a header", in.count()));
    }
    return Headers.of(headers);
  }
}
