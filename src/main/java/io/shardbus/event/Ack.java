package io.shardbus.event;

import java.util.Locale;

/** When an event counts as done, and its sender gets an answer. */
public enum Ack {
  /** When it was sent. The sender gets no answer. */
  NONE,
  /** When it is in a ring. */
  ACCEPTED,
  /** When the sink has confirmed it. */
  DELIVERED;

  private final String word = name().toLowerCase(Locale.ROOT);

  /** {@return the word in parameters, headers and options: lower case, such as {@code accepted}} */
  public String word() {
    return word;
  }

  /**
   * Reads a parameter or header.
   *
   * @param word a {@link #word}
   * @return the value with this word
   * @throws IllegalArgumentException if no value has it
   */
  public static Ack parse(String word) {
    for (Ack ack : values()) {
      if (ack.word.equals(word)) {
        return ack;
      }
    }
    throw new IllegalArgumentException("ack: \"" + word + "\" must be none, accepted or delivered");
  }

  @Override
  public String toString() {
    return word;
  }
}
