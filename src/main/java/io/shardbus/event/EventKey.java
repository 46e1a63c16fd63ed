package io.shardbus.event;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/** A key that many events share: encoded and hashed once. Immutable. */
public final class EventKey {

  private final String text;
  private final int bytes;
  private final long hash;

  private EventKey(String text) {
    this.text = text;
    byte[] utf8 = utf8(text);
    bytes = utf8.length;
    hash = Xxh3.hash(utf8);
  }

  /**
   * A key.
   *
   * @param text the key
   * @return the key with its hash
   * @throws InvalidEventException if the text has half of a surrogate pair
   */
  public static EventKey of(String text) {
    return new EventKey(text);
  }

  /**
   * Reads a key.
   *
   * @param utf8 its bytes
   * @return the key
   * @throws InvalidEventException if the bytes are not UTF-8
   */
  public static String decode(byte[] utf8) {
    String text = new String(utf8, StandardCharsets.UTF_8);
    if (!Arrays.equals(text.getBytes(StandardCharsets.UTF_8), utf8)) {
      throw new InvalidEventException("the key is not UTF-8", -1);
    }
    return text;
  }

  /** Java would write half of a surrogate pair as a question mark: another key. */
  static byte[] utf8(String key) {
    for (int i = 0; i < key.length(); i++) {
      if (Character.isSurrogate(key.charAt(i))) {
        if (!Character.isSurrogatePair(
            key.charAt(i), i + 1 < key.length() ? key.charAt(i + 1) : 0)) {
          throw new InvalidEventException(
              "the key has half of a surrogate pair, \\u"
                  + Integer.toHexString(key.charAt(i))
                  + ", which is no character",
              -1);
        }
        i++;
      }
    }
    return key.getBytes(StandardCharsets.UTF_8);
  }

  /**
   * The key.
   *
   * @return as it was given
   */
  public String text() {
    return text;
  }

  /**
   * The key's size.
   *
   * @return bytes of UTF-8
   */
  public int bytes() {
    return bytes;
  }

  long hash() {
    return hash;
  }
}
