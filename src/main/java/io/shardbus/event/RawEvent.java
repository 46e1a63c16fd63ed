package io.shardbus.event;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.Json;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * An event on its way in: bytes, an optional key and the hash that picks the shard. Immutable and
 * safe for any thread, provided that the caller leaves the bytes alone afterwards: they are not
 * copied.
 *
 * <p>The hash is the 64-bit XXH3 (seed 0) of the key's UTF-8 bytes if there is a key, else of the
 * event's bytes. It is computed once.
 */
public final class RawEvent {

  private final Buffer buffer;
  private final @Nullable String key;
  private final long hash;
  private final int sizeWithKey;

  private RawEvent(Buffer buffer, @Nullable String key, long hash, int sizeWithKey) {
    this.buffer = buffer;
    this.key = key;
    this.hash = hash;
    this.sizeWithKey = sizeWithKey;
  }

  /**
   * An event without a key.
   *
   * @param bytes the event; not copied
   * @return the event
   */
  public static RawEvent of(Buffer bytes) {
    return ofHash(bytes, BufferAccess.hash(bytes));
  }

  /**
   * An event without a key.
   *
   * @param bytes the event; not copied
   * @return the event
   */
  public static RawEvent of(byte[] bytes) {
    return ofHash(BufferAccess.wrap(bytes), Xxh3.hash(bytes));
  }

  /**
   * An event without a key.
   *
   * @param text the event, taken as UTF-8
   * @return the event
   */
  public static RawEvent of(String text) {
    return of(text.getBytes(StandardCharsets.UTF_8));
  }

  /**
   * An event with a key. The key picks the shard. Events of one key that one producer pushes are
   * delivered in push order, also while keys move from shard to shard.
   *
   * @param bytes the event; not copied
   * @param key the key; null for none
   * @return the event
   * @throws InvalidEventException if the key has half of a surrogate pair
   */
  public static RawEvent of(Buffer bytes, @Nullable String key) {
    if (key == null) {
      return of(bytes);
    }
    byte[] utf8 = EventKey.utf8(key);
    return new RawEvent(bytes, key, Xxh3.hash(utf8), Math.addExact(bytes.length(), utf8.length));
  }

  /**
   * An event without a key, with a hash of the caller. Events with the same hash go to one shard
   * until their slot moves. This is an affinity without a promise of order: only a key gives order.
   * The top bits of the hash pick the shard, so hashes with equal top bits, such as a small
   * counter, all go to one shard.
   *
   * @param bytes the event; not copied
   * @param hash the hash, all 64 bits well mixed
   * @return the event
   */
  public static RawEvent ofHash(Buffer bytes, long hash) {
    return new RawEvent(bytes, null, hash, bytes.length());
  }

  /**
   * A JSON value, serialised once.
   *
   * @param json a {@link JsonObject}, {@link JsonArray}, {@link String} (becomes a JSON string),
   *     {@link Number}, {@link Boolean} or null
   * @return the event
   * @throws InvalidEventException if the value is of another type, or cannot be written as JSON
   */
  public static RawEvent ofJson(@Nullable Object json) {
    if (!(json == null
        || json instanceof JsonObject
        || json instanceof JsonArray
        || json instanceof String
        || json instanceof Number
        || json instanceof Boolean)) {
      throw new InvalidEventException(
          "an event of type "
              + json.getClass().getName()
              + " is not JSON: allowed are JsonObject, JsonArray, String, Number, Boolean and null",
          -1);
    }
    if (json instanceof Number number
        && !Double.isFinite(number.doubleValue())
        && isBinaryFloat(number)) {
      throw new InvalidEventException(number + " cannot be written as JSON", -1);
    }
    try {
      return of(Json.encodeToBuffer(json));
    } catch (RuntimeException e) {
      throw new InvalidEventException("the value cannot be written as JSON: " + e.getMessage(), -1);
    }
  }

  private static boolean isBinaryFloat(Number number) {
    return number instanceof Double || number instanceof Float;
  }

  /**
   * One JSON value, checked.
   *
   * @param bytes UTF-8 text; not copied
   * @return the event
   * @throws InvalidEventException if the bytes are not exactly one JSON value (white space around
   *     it is allowed) of at most 500 levels; it says where it breaks
   */
  public static RawEvent parse(Buffer bytes) {
    return parse(bytes, null);
  }

  /**
   * One JSON value, checked, with a key.
   *
   * @param bytes UTF-8 text; not copied
   * @param key the key; null for none
   * @return the event
   * @throws InvalidEventException as {@link #parse(Buffer)} and {@link #of(Buffer, String)}
   */
  public static RawEvent parse(Buffer bytes, @Nullable String key) {
    JsonCheck.oneValue(bytes);
    return of(bytes, key);
  }

  /**
   * One JSON value, checked, with a key that is already encoded and hashed.
   *
   * @param bytes UTF-8 text; not copied
   * @param key the key
   * @return the event
   * @throws InvalidEventException as {@link #parse(Buffer)}
   */
  public static RawEvent parseKeyed(Buffer bytes, EventKey key) {
    JsonCheck.oneValue(bytes);
    return new RawEvent(bytes, key.text(), key.hash(), Math.addExact(bytes.length(), key.bytes()));
  }

  /**
   * One JSON value, checked, with the key that it holds.
   *
   * @param bytes UTF-8 text; not copied
   * @param path where the key stands: a string, or a number, true or false as it is written
   * @return the event
   * @throws InvalidEventException as {@link #parse(Buffer)}, and if there is no key
   */
  public static RawEvent parseKeyed(Buffer bytes, KeyPath path) {
    JsonCheck.oneValue(bytes);
    String key = path.in(bytes);
    if (key == null) {
      throw new InvalidEventException("no string, number or boolean at keyPath " + path, -1);
    }
    return of(bytes, key);
  }

  /**
   * The event's bytes.
   *
   * @return the bytes that were given, not a copy
   */
  public Buffer buffer() {
    return buffer;
  }

  /**
   * The hash that picks the shard.
   *
   * @return all 64 bits
   */
  public long hash() {
    return hash;
  }

  /**
   * The event's size.
   *
   * @return bytes, without the key
   */
  public int size() {
    return buffer.length();
  }

  /**
   * The size that counts against limits.
   *
   * @return bytes of the event and of its key in UTF-8
   */
  public int sizeWithKey() {
    return sizeWithKey;
  }

  /**
   * The event's key.
   *
   * @return the key, or null if the event has none
   */
  public @Nullable String key() {
    return key;
  }

  /**
   * The event's bytes read as JSON, anew at each call.
   *
   * @return a {@link JsonObject}, {@link JsonArray}, {@link String}, {@link Number}, {@link
   *     Boolean} or null
   * @throws InvalidEventException if the bytes are not JSON of at most 500 levels
   */
  public @Nullable Object json() {
    JsonCheck.oneValue(buffer);
    return Json.decodeValue(buffer);
  }

  @Override
  public String toString() {
    return "RawEvent["
        + size()
        + " bytes, hash "
        + Long.toHexString(hash)
        + (key == null ? "]" : ", keyed]");
  }
}
