package io.shardbus.gateway;

import io.shardbus.event.ShardEvent;
import io.shardbus.sink.EventFilter;
import java.util.function.Predicate;

/**
 * Chooses events by an expression, such as {@code @.user.id == 'u1' && (@.n >= 5 || $key == 'k')}.
 * It compares as RFC 9535 does (2.3.5.2.2): values of different types are never equal, and only two
 * numbers or two strings have an order. It fails on no event: an event that is not JSON has no
 * values at {@code @}. Safe for any thread.
 */
final class JsonFilter implements EventFilter {

  /** The longest expression, in characters. */
  static final int MAX_LENGTH = 1000;

  private final Predicate<FilteredEvent> condition;
  private final WantedJson wanted;

  private JsonFilter(Predicate<FilteredEvent> condition, WantedJson wanted) {
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
    return condition.test(new FilteredEvent(event, wanted));
  }
}
