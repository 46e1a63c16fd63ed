package io.shardbus.event;

import java.util.Locale;

/** When an event counts as done, and whoever sent it is told. */
public enum Ack {
  /** Once it was sent: no answer is asked for. */
  NONE,
  /** Once it is in a ring. */
  ACCEPTED,
  /** Once the sink has confirmed it. */
  DELIVERED;

  private final String word = name().toLowerCase(Locale.ROOT);

  /**
   * How it is called in parameters, headers and options.
   *
   * @return lower case, such as {@code accepted}
   */
  public String word() {
    return word;
  }

  /**
   * Reads a parameter or header.
   *
   * @param word a {@link #word}
   * @return whose it is
   * @throws IllegalArgumentException if it is nobody's
   */
  public static Ack parse(String word) {
    for (Ack ack : values()) {
      if (ack.word.equals(word)) {
        return ack;
      }
    }
    throw new IllegalArgumentException("ack: \"" + word + "\" must be none, accepted or delivered");
  }

  /** The same as {@link #word()}. */
  @Override
  public String toString() {
    return word;
  }
}
