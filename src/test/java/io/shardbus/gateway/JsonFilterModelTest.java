package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import io.shardbus.event.ShardEvent;
import io.vertx.core.buffer.Buffer;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.BiPredicate;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * Random filters on random events choose what a simple model chooses, which works on Jackson's tree
 * with its decimals. {@code -Dfuzz.inputs} and {@code -Dfuzz.seed} are for long runs.
 */
class JsonFilterModelTest {

  private static final long INPUTS = Long.getLong("fuzz.inputs", 50_000);
  private static final long SEED = Long.getLong("fuzz.seed", 1);

  private static final ObjectMapper JSON =
      JsonMapper.builder()
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.USE_BIG_INTEGER_FOR_INTS)
          .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
          .build();

  private static final List<String> NAMES = List.of("a", "b", "c d", "é", "");
  private static final List<String> TEXTS =
      List.of("", "a", "ab", "1", "007", "é", "\uFF5E", "\uD83D\uDE00", "null", "a'b\\");
  private static final List<String> NUMBERS =
      List.of(
          "0",
          "-0.0",
          "1",
          "1.0",
          "1e0",
          "10E-1",
          "-1",
          "7",
          "0.1",
          "1e400",
          "10e399",
          "-1e400",
          "1e999999999",
          "1e-999999999",
          "12345678901234567890",
          "12345678901234567891",
          "100");

  private final SplittableRandom random = new SplittableRandom(SEED);

  /** A condition as text, and as the model understands it. */
  private record Condition(String text, Predicate<JsonNode> model) {}

  /** A value in a condition. */
  private record Term(String text, Function<JsonNode, JsonNode> model) {}

  @Test
  void randomFilters_agreeWithTheModel() {
    int chosen = 0;
    for (long i = 0; i < INPUTS; i++) {
      Condition condition = condition(3);
      String event = random.nextInt(20) == 0 ? noJson() : json(3, false);
      boolean expected = condition.model().test(tree(event));
      boolean found;
      try {
        found =
            JsonFilter.parse(condition.text())
                .test(new ShardEvent(0, 0, 1, Buffer.buffer(event), null));
      } catch (RuntimeException | Error e) {
        throw new AssertionError("seed " + SEED + ": " + condition.text() + " on " + event, e);
      }
      if (found != expected) {
        throw new AssertionError(
            "seed " + SEED + ": " + condition.text() + " on " + event + " is not " + found);
      }
      chosen += found ? 1 : 0;
    }
    assertThat(chosen).isBetween((int) (INPUTS / 5), (int) (INPUTS * 4 / 5));
  }

  private static JsonNode tree(String event) {
    try {
      return JSON.readTree(event);
    } catch (IOException e) {
      return MissingNode.getInstance();
    }
  }

  // ------------------------------------------------------------------ the model

  private static boolean equal(JsonNode a, JsonNode b) {
    if (a.isMissingNode() || b.isMissingNode()) {
      return a.isMissingNode() && b.isMissingNode();
    }
    return a.equals(JsonFilterModelTest::byValue, b);
  }

  /** 0 if they are equal. */
  private static int byValue(JsonNode a, JsonNode b) {
    if (a.isNumber() && b.isNumber()) {
      return a.decimalValue().compareTo(b.decimalValue());
    }
    return a.equals(b) ? 0 : 1;
  }

  private static boolean less(JsonNode a, JsonNode b) {
    if (a.isNumber() && b.isNumber()) {
      return a.decimalValue().compareTo(b.decimalValue()) < 0;
    }
    return a.isTextual() && b.isTextual() && Arrays.compare(codes(a), codes(b)) < 0;
  }

  private static int[] codes(JsonNode text) {
    return text.textValue().codePoints().toArray();
  }

  // ------------------------------------------------------------------ random conditions

  private Condition condition(int depth) {
    return switch (random.nextInt(depth == 0 ? 4 : 8)) {
      case 0 -> presence();
      case 1 -> in();
      case 2, 3 -> comparison();
      case 4 -> {
        Condition inside = condition(depth - 1);
        yield new Condition("!(" + inside.text() + space() + ")", inside.model().negate());
      }
      case 5 -> {
        Condition same = condition(depth - 1);
        yield new Condition("(" + space() + same.text() + ")", same.model());
      }
      default -> {
        Condition left = condition(depth - 1);
        Condition right = condition(depth - 1);
        boolean and = random.nextBoolean();
        yield new Condition(
            "(" + left.text() + ")" + (and ? "&&" : "||") + space() + "(" + right.text() + ")",
            and ? left.model().and(right.model()) : left.model().or(right.model()));
      }
    };
  }

  private Condition presence() {
    Term there = path();
    String not = random.nextBoolean() ? "!" : "";
    return new Condition(
        not + space() + there.text(),
        event -> there.model().apply(event).isMissingNode() != not.isEmpty());
  }

  private Condition comparison() {
    Term left = random.nextInt(3) == 0 ? literal() : path();
    Term right = random.nextInt(3) == 0 ? path() : literal();
    record Operator(String text, BiPredicate<JsonNode, JsonNode> model) {}
    List<Operator> operators =
        List.of(
            new Operator("==", JsonFilterModelTest::equal),
            new Operator("!=", (a, b) -> !equal(a, b)),
            new Operator("<", JsonFilterModelTest::less),
            new Operator(">", (a, b) -> less(b, a)),
            new Operator("<=", (a, b) -> less(a, b) || equal(a, b)),
            new Operator(">=", (a, b) -> less(b, a) || equal(a, b)));
    Operator operator = operators.get(random.nextInt(operators.size()));
    return new Condition(
        left.text() + space() + operator.text() + space() + right.text(),
        event -> operator.model().test(left.model().apply(event), right.model().apply(event)));
  }

  private Condition in() {
    Term value = random.nextInt(3) == 0 ? literal() : path();
    Term list = random.nextInt(3) == 0 ? path() : literal("[" + members(() -> json(1, true)) + "]");
    return new Condition(
        value.text() + " in " + list.text(),
        event -> {
          JsonNode looked = value.model().apply(event);
          JsonNode all = list.model().apply(event);
          return !looked.isMissingNode()
              && all.isArray()
              && IntStream.range(0, all.size()).anyMatch(i -> equal(looked, all.get(i)));
        });
  }

  private Term path() {
    StringBuilder text = new StringBuilder("@");
    Function<JsonNode, JsonNode> model = event -> event;
    for (int steps = random.nextInt(4); steps > 0; steps--) {
      if (random.nextInt(4) == 0) {
        int index = random.nextInt(3);
        text.append("[").append(space()).append(index).append("]");
        model =
            model.andThen(node -> node.isArray() ? node.path(index) : MissingNode.getInstance());
      } else {
        String name = NAMES.get(random.nextInt(NAMES.size()));
        boolean plain = name.matches("[a-zé]+") && random.nextBoolean();
        text.append(plain ? "." + name : "[" + quoted(name) + space() + "]");
        model = model.andThen(node -> node.path(name));
      }
    }
    return new Term(text.toString(), model);
  }

  private Term literal() {
    return literal(json(random.nextInt(3), true));
  }

  private Term literal(String text) {
    // Marks stand for quotes, of which a filter knows two kinds.
    JsonNode node = tree(text.replace("\u0001", "\""));
    return new Term(text.replace("\u0001", random.nextBoolean() ? "'" : "\""), event -> node);
  }

  private String space() {
    return random.nextInt(4) == 0 ? " " : "";
  }

  // ------------------------------------------------------------------ random JSON

  private String json(int depth, boolean literal) {
    return switch (random.nextInt(depth == 0 ? 6 : 11)) {
      case 0, 1 -> NUMBERS.get(random.nextInt(NUMBERS.size()));
      case 2, 3 -> text(literal);
      case 4 -> random.nextBoolean() ? "true" : "false";
      case 5 -> "null";
      case 6, 7 -> "[" + members(() -> json(depth - 1, literal)) + "]";
      default -> "{" + members(() -> name(literal) + ":" + json(depth - 1, literal)) + "}";
    };
  }

  private String members(Supplier<String> one) {
    return IntStream.range(0, random.nextInt(5))
        .mapToObj(i -> one.get())
        .collect(Collectors.joining("," + space()));
  }

  private String text(boolean literal) {
    return mark(TEXTS.get(random.nextInt(TEXTS.size())), literal);
  }

  private String name(boolean literal) {
    return mark(NAMES.get(random.nextInt(NAMES.size())), literal);
  }

  private String mark(String text, boolean literal) {
    String quote = literal ? "\u0001" : "\"";
    return quote + escaped(text) + quote;
  }

  private String quoted(String text) {
    String quote = random.nextBoolean() ? "'" : "\"";
    return quote + escaped(text) + quote;
  }

  private String escaped(String text) {
    StringBuilder escaped = new StringBuilder();
    for (int code : text.codePoints().toArray()) {
      String one = Character.toString(code);
      if (code == '\\' || code == '\'' || random.nextInt(5) == 0) {
        one.chars().forEach(c -> escaped.append(String.format("\\u%04x", c)));
      } else {
        escaped.append(one);
      }
    }
    return escaped.toString();
  }

  private String noJson() {
    List<String> texts = List.of("", "text", "{\"a\":1", "{\"a\":1} 2", "[1,]", "{\"a\":01}");
    return texts.get(random.nextInt(texts.size()));
  }
}
