package io.shardbus.gateway;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.jayway.jsonpath.Configuration;
import com.jayway.jsonpath.Filter;
import com.jayway.jsonpath.JsonPath;
import com.jayway.jsonpath.JsonPathException;
import com.jayway.jsonpath.Option;
import com.jayway.jsonpath.ParseContext;
import com.jayway.jsonpath.spi.json.JacksonJsonProvider;
import com.jayway.jsonpath.spi.mapper.JacksonMappingProvider;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.EventFilter;
import java.io.IOException;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Chooses JSON events by a JSONPath filter expression, such as {@code @.user.id == 'u1' && (@.n >=
 * 5 || !(@.ok == true))}. Events that are not JSON are not chosen. Safe for any thread.
 */
final class JsonFilter implements EventFilter {

  /** The longest expression, in characters. */
  static final int MAX_LENGTH = 1000;

  private static final String ALLOWED =
      "allowed are paths to one value, such as @.user.id, @.tags[0] and @['a b'], strings,"
          + " numbers, true, false, null, lists, ==, !=, <, <=, >, >=, in, &&, ||, ! and ( )";

  private static final String QUOTED = "(?:'(?:\\\\.|[^'\\\\])*+'|\"(?:\\\\.|[^\"\\\\])*+\")";

  /**
   * The parts of an expression. A path leads to one value at most. Wildcards, deep scans, slices
   * and functions are not allowed: nested, they visit an event many times. Operators that compare
   * lists with lists are not allowed either.
   */
  private static final Pattern TOKEN =
      Pattern.compile(
          "\\s++"
              + "|@(?:\\.[\\p{L}\\p{N}_-]++|\\[\\s*+(?:-?\\d++|"
              + QUOTED
              + ")\\s*+])*+(?![\\[.(\\p{L}\\p{N}_])"
              + "|"
              + QUOTED
              + "|-?\\d++(?:\\.\\d++)?+(?:[eE][+-]?\\d++)?+"
              + "|(?:true|false|null|(?i:in))(?![\\p{L}\\p{N}_(])"
              + "|[=!<>]=|&&|\\|\\||[<>!()\\[\\],]",
          Pattern.DOTALL);

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final ParseContext CONTEXT =
      JsonPath.using(
          Configuration.builder()
              .jsonProvider(new JacksonJsonProvider(JSON))
              .mappingProvider(new JacksonMappingProvider(JSON))
              .options(Option.SUPPRESS_EXCEPTIONS)
              .build());

  private final Filter filter;

  private JsonFilter(Filter filter) {
    this.filter = filter;
  }

  /**
   * Reads an expression.
   *
   * @param expression with {@code @} for the event; {@code ==}, {@code !=}, {@code <}, {@code <=},
   *     {@code >}, {@code >=}, {@code in}, {@code &&}, {@code ||} and {@code !}. Wildcards, deep
   *     scans, functions and regular expressions are refused: they could keep the reader busy for
   *     ever
   * @return the filter
   * @throws IllegalArgumentException if it is no such expression; it says where it breaks
   */
  static JsonFilter parse(String expression) {
    if (expression.length() > MAX_LENGTH) {
      throw new IllegalArgumentException(
          "filter: " + expression.length() + " characters are more than " + MAX_LENGTH);
    }
    requireTokens(expression);
    try {
      return new JsonFilter(Filter.parse("[?(" + expression + ")]"));
    } catch (JsonPathException e) {
      throw new IllegalArgumentException(
          "filter: \""
              + expression
              + "\" must be such as @.user.id == 'u1' && @.n > 5: "
              + e.getMessage(),
          e);
    }
  }

  private static void requireTokens(String expression) {
    Matcher token = TOKEN.matcher(expression);
    int at = 0;
    while (at < expression.length()) {
      if (!token.region(at, expression.length()).lookingAt()) {
        throw new IllegalArgumentException(
            "filter: \"" + expression.substring(at) + "\" is not allowed there: " + ALLOWED);
      }
      at = token.end();
    }
  }

  @Override
  public boolean test(ShardEvent event) {
    Object json;
    try {
      json = JSON.readValue(event.payload().getBytes(), Object.class);
    } catch (IOException e) {
      return false;
    }
    if (json == null) {
      return false;
    }
    List<?> chosen = CONTEXT.parse(List.of(json)).read("$[?]", List.class, filter);
    return chosen != null && !chosen.isEmpty();
  }
}
