package io.shardbus.event;

import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.Json;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An event on its way in: bytes, the hash that picks the shard and, if wanted, a key, an id and
 * headers. Immutable and safe for any thread, provided that the caller leaves the bytes alone
 * afterwards: they are not copied.
 *
 * <p>The hash is the 64-bit XXH3 (seed 0) of the key's UTF-8 bytes if there is a key, else of the
 * id's if there is one, else of the event's bytes. It is computed once.
 */
public final class RawEvent implements Intercepted {

  /** The longest id, in bytes of UTF-8. */
  public static final int MAX_ID_BYTES = 256;

  private static final String TOO_DEEP =
      "it is nested too deeply; " + JsonCheck.MOST_LEVELS + " levels always fit";

  private final Buffer buffer;
  private final @Nullable String key;
  private final long hash;
  private final int totalSize;
  private final @Nullable String id;
  private final Headers headers;

  private RawEvent(Buffer buffer, @Nullable String key, long hash, int totalSize) {
    this(buffer, key, hash, totalSize, null, Headers.none());
  }

  private RawEvent(
      Buffer buffer,
      @Nullable String key,
      long hash,
      int totalSize,
      @Nullable String id,
      Headers headers) {
    this.buffer = buffer;
    this.key = key;
    this.hash = hash;
    this.totalSize = totalSize;
    this.id = id;
    this.headers = headers;
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
   * An event with a key that is already encoded and hashed.
   *
   * @param bytes the event; not copied
   * @param key the key
   * @return the event
   */
  public static RawEvent of(Buffer bytes, EventKey key) {
    return new RawEvent(bytes, key.text(), key.hash(), Math.addExact(bytes.length(), key.bytes()));
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
   * Begins an event with more than bytes.
   *
   * @param bytes the event; not copied
   * @return a builder
   */
  public static Builder builder(Buffer bytes) {
    return new Builder(bytes);
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
      throw notWritten(isTooDeep(e) ? TOO_DEEP : e.getMessage());
    } catch (StackOverflowError e) {
      throw notWritten(TOO_DEEP);
    }
  }

  /** Jackson bounds nothing else. How often it wraps the reason depends on the stack. */
  private static boolean isTooDeep(Throwable failure) {
    @Nullable Throwable reason = failure;
    while (reason != null && !(reason instanceof StreamConstraintsException)) {
      reason = reason.getCause();
    }
    return reason != null;
  }

  private static InvalidEventException notWritten(@Nullable String why) {
    return new InvalidEventException("the value cannot be written as JSON: " + why, -1);
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
   *     it is allowed) of at most {@value JsonCheck#DEFAULT_LEVELS} levels; it says where it breaks
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
    JsonCheck.DEFAULT.require(bytes);
    return of(bytes, key);
  }

  /** {@return the event's bytes as they were given, not a copy} */
  public Buffer buffer() {
    return buffer;
  }

  /** {@return the hash that picks the shard, all 64 bits} */
  public long hash() {
    return hash;
  }

  /** {@return the event's size in bytes, without key, id and headers} */
  public int size() {
    return buffer.length();
  }

  /**
   * {@return the size that counts against limits: bytes of the event, and of its key, id and
   * headers in UTF-8}
   */
  public int totalSize() {
    return totalSize;
  }

  /** {@return the event's key; null if it has none} */
  public @Nullable String key() {
    return key;
  }

  /**
   * The client's name for the event. The bus takes an event with the same id once in a window.
   *
   * @return the id, or null if the event has none
   */
  public @Nullable String id() {
    return id;
  }

  /** {@return what travels with the event, often nothing} */
  public Headers headers() {
    return headers;
  }

  /**
   * The event's bytes read as JSON, anew at each call.
   *
   * @return a {@link JsonObject}, {@link JsonArray}, {@link String}, {@link Number}, {@link
   *     Boolean} or null
   * @throws InvalidEventException if the bytes are not JSON of at most {@value
   *     JsonCheck#MOST_LEVELS} levels
   */
  public @Nullable Object json() {
    JsonCheck.STORED.require(buffer);
    return Json.decodeValue(buffer);
  }

  /** Makes an event with a key, an id or headers. Not safe for threads. */
  public static final class Builder {

    private final Buffer bytes;
    private @Nullable String key;
    private @Nullable String id;
    private Headers headers = Headers.none();
    private @Nullable Long hash;

    private Builder(Buffer bytes) {
      this.bytes = bytes;
    }

    /**
     * Sets the key.
     *
     * @param key picks the shard; null for none
     * @return this
     */
    public Builder key(@Nullable String key) {
      this.key = key;
      return this;
    }

    /**
     * Sets the id.
     *
     * @param id the client's name for the event, 1 to {@value #MAX_ID_BYTES} bytes of UTF-8; null
     *     for none
     * @return this
     */
    public Builder id(@Nullable String id) {
      this.id = id;
      return this;
    }

    /**
     * Sets a header. It takes the place of one with the same name.
     *
     * @param name a token; turned into lower case
     * @param value its text
     * @return this
     * @throws InvalidEventException as {@link Headers#of}
     */
    public Builder header(String name, String value) {
      Map<String, String> all = headers.toMap();
      all.put(Headers.requireToken(name), value);
      headers = Headers.of(all);
      return this;
    }

    /**
     * Sets all headers.
     *
     * @param headers take the place of those there are
     * @return this
     */
    public Builder headers(Headers headers) {
      this.headers = headers;
      return this;
    }

    /**
     * Sets the hash of an event without a key, as {@link RawEvent#ofHash} does.
     *
     * @param hash all 64 bits well mixed
     * @return this
     */
    public Builder hash(long hash) {
      this.hash = hash;
      return this;
    }

    /**
     * Makes the event.
     *
     * @return the event
     * @throws InvalidEventException if the id is empty, longer than {@value #MAX_ID_BYTES} bytes,
     *     or has a control character or half a surrogate pair
     * @throws IllegalArgumentException if there are both a key and a hash
     */
    public RawEvent build() {
      if (key != null && hash != null) {
        throw new IllegalArgumentException("hash: not allowed beside a key, which has its own");
      }
      if (id == null && headers.isEmpty()) {
        return hash == null ? of(bytes, key) : ofHash(bytes, hash);
      }
      byte[] keyUtf8 = key == null ? null : EventKey.utf8(key);
      byte[] idUtf8 = id == null ? null : requireId(id);
      long size = (long) bytes.length() + length(keyUtf8) + length(idUtf8) + headers.bytes();
      return new RawEvent(bytes, key, hash(keyUtf8, idUtf8), Math.toIntExact(size), id, headers);
    }

    private long hash(byte @Nullable [] keyUtf8, byte @Nullable [] idUtf8) {
      if (hash != null) {
        return hash;
      }
      byte[] text = keyUtf8 != null ? keyUtf8 : idUtf8;
      return text != null ? Xxh3.hash(text) : BufferAccess.hash(bytes);
    }

    private static int length(byte @Nullable [] utf8) {
      return utf8 == null ? 0 : utf8.length;
    }

    private static byte[] requireId(String id) {
      byte[] utf8 = EventText.plainUtf8("the id", id);
      if (utf8.length == 0 || utf8.length > MAX_ID_BYTES) {
        throw new InvalidEventException(
            "id: " + utf8.length + " bytes; 1 to " + MAX_ID_BYTES + " are allowed", -1);
      }
      return utf8;
    }
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
