package io.shardbus.sink;

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
import java.io.IOException;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Chooses JSON events by a JSONPath filter expression, such as {@code @.user.id == 'u1' && (@.n >=
 * 5 || !(@.ok == true))}. Events that are not JSON are not chosen. Safe for any thread.
 */
public final class JsonFilter implements EventFilter {

  /** The longest expression, in characters. */
  public static final int MAX_LENGTH = 1000;

  /** Without what stands in quotes. */
  private static final Pattern QUOTED =
      Pattern.compile("'(\\\\.|[^'\\\\])*+'|\"(\\\\.|[^\"\\\\])*+\"");

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
   *     {@code >}, {@code >=}, {@code in}, {@code &&}, {@code ||} and {@code !}. Regular
   *     expressions are refused: a bad one could keep the reader busy for ever
   * @return the filter
   * @throws IllegalArgumentException if it is no such expression; it says where it breaks
   */
  public static JsonFilter parse(String expression) {
    if (expression.length() > MAX_LENGTH) {
      throw new IllegalArgumentException(
          "filter: " + expression.length() + " characters are more than " + MAX_LENGTH);
    }
    if (QUOTED.matcher(expression).replaceAll("").contains("=~")) {
      throw new IllegalArgumentException("filter: regular expressions (=~) are not allowed");
    }
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
