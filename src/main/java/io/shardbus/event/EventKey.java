package io.shardbus.event;

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

  static byte[] utf8(String key) {
    return EventText.utf8("the key", key);
  }

  /** {@return the key, as it was given} */
  public String text() {
    return text;
  }

  /** {@return the key's size, in bytes of UTF-8} */
  public int bytes() {
    return bytes;
  }

  long hash() {
    return hash;
  }
}
