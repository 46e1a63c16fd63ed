package io.shardbus.event;

/** What an interceptor makes of an event: an event, or a refusal. */
public sealed interface Intercepted permits RawEvent, Intercepted.Refusal {

  /**
   * Refuses the event.
   *
   * @param reason a word for programs: 1 to 64 letters, digits, dots, dashes or underscores. A bus
   *     counts 100 reasons apart, and any further ones together as {@code other}
   * @return the refusal
   * @throws IllegalArgumentException if the reason is not such a word
   */
  static Refusal refuse(String reason) {
    return new Refusal(reason);
  }

  /**
   * A refusal by an interceptor.
   *
   * @param reason as in {@link #refuse}
   */
  record Refusal(String reason) implements Intercepted {

    private static final int MAX_LENGTH = 64;

    /**
     * @param reason as in {@link #refuse}
     * @throws IllegalArgumentException if the reason is not such a word
     */
    public Refusal {
      if (reason.isEmpty()
          || reason.length() > MAX_LENGTH
          || !reason.chars().allMatch(Refusal::isAllowed)) {
        throw new IllegalArgumentException(
            "reason: \""
                + reason
                + "\" must be 1 to 64 letters, digits, dots, dashes or underscores");
      }
    }

    private static boolean isAllowed(int c) {
      return (c >= 'a' && c <= 'z')
          || (c >= 'A' && c <= 'Z')
          || (c >= '0' && c <= '9')
          || c == '.'
          || c == '-'
          || c == '_';
    }
  }
}
