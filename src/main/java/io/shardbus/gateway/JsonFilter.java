package io.shardbus.gateway;

import io.shardbus.event.ShardEvent;
import io.shardbus.sink.EventFilter;
import java.util.Objects;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * Chooses events by an expression, such as {@code @.user.id == 'u1' && (@.n >= 5 || $key == 'k')}.
 * It compares as RFC 9535 does (2.3.5.2.2): values of different types are never equal, and only two
 * numbers or two strings have an order. It fails on no event: an event that is not JSON has no
 * values at {@code @}. Safe for any thread.
 */
final class JsonFilter implements EventFilter {

  /** The longest expression, in characters. */
  static final int MAX_LENGTH = 1000;

  private final Predicate<Candidate> condition;
  private final WantedJson wanted;

  private JsonFilter(Predicate<Candidate> condition, WantedJson wanted) {
    this.condition = condition;
    this.wanted = wanted;
  }

  /**
   * Reads an expression.
   *
   * @param expression as {@link FilterParser} reads it
   * @return the filter
   * @throws IllegalArgumentException if it is no such expression; it says where it breaks, and what
   *     is allowed
   */
  static JsonFilter parse(String expression) {
    if (expression.length() > MAX_LENGTH) {
      throw new IllegalArgumentException(
          "filter: " + expression.length() + " characters are more than " + MAX_LENGTH);
    }
    FilterParser parser = new FilterParser(expression);
    try {
      return new JsonFilter(parser.expression(), parser.wanted());
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "filter: " + e.getMessage() + "; " + FilterParser.ALLOWED, e);
    }
  }

  @Override
  public boolean test(ShardEvent event) {
    return condition.test(new Candidate(event, wanted));
  }

  /** An event while it is looked at. Its JSON is read when it is first needed. */
  static final class Candidate {

    private final ShardEvent event;
    private final WantedJson wanted;
    private boolean read;
    private @Nullable Object json;

    Candidate(ShardEvent event, WantedJson wanted) {
      this.event = event;
      this.wanted = wanted;
    }

    ShardEvent event() {
      return event;
    }

    @Nullable Object json() {
      if (!read) {
        json = wanted.read(event.payload());
        read = true;
      }
      return json;
    }
  }

  /** Whether two values are equal; no value (null) equals no value. */
  static boolean equal(@Nullable Object a, @Nullable Object b) {
    return Objects.equals(a, b);
  }

  /** Whether a value comes before another one. */
  static boolean less(@Nullable Object a, @Nullable Object b) {
    if (a instanceof Decimal number && b instanceof Decimal other) {
      return number.compareTo(other) < 0;
    }
    return a instanceof String text && b instanceof String other && textLess(text, other);
  }

  /** By Unicode's numbers, not by Java's chars: surrogates come after all other characters. */
  private static boolean textLess(String a, String b) {
    int length = Math.min(a.length(), b.length());
    for (int i = 0; i < length; i++) {
      char c = a.charAt(i);
      char d = b.charAt(i);
      if (c != d) {
        return Character.isSurrogate(c) == Character.isSurrogate(d)
            ? c < d
            : Character.isSurrogate(d);
      }
    }
    return a.length() < b.length();
  }
}
