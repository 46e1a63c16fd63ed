package io.shardbus.event;

import java.nio.charset.StandardCharsets;

/** A key that many events share: encoded and hashed once. Immutable. */
public final class EventKey {

  private final String text;
  private final int bytes;
  private final long hash;

  private EventKey(String text) {
    this.text = text;
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    bytes = utf8.length;
    hash = Xxh3.hash(utf8);
  }

  /**
   * A key.
   *
   * @param text the key
   * @return the key with its hash
   */
  public static EventKey of(String text) {
    return new EventKey(text);
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
