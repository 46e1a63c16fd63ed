package io.shardbus.gateway;

import io.shardbus.event.EventTime;
import io.shardbus.event.PathReader;
import io.shardbus.event.PathReader.Step;
import io.shardbus.event.ShardEvent;
import java.time.OffsetDateTime;
import java.time.format.DateTimeParseException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/*
 * Reads the expression of a filter by recursive descent:
 *
 *   or      = and *("||" and)
 *   and     = not *("&&" not)
 *   not     = "!" not | "(" or ")" | value [operator value]
 *   value   = "@" path | "$key" | "$id" | "$time" | "$shard" | "$headers" name | literal
 *   literal = string | number | "true" | "false" | "null" | "[" literals "]" | "{" members "}"
 *
 * A value without an operator asks whether it is there, and is no literal. What follows "!" has no operator, unless it
 * is in parentheses: "!@.a == 1" could mean two things.
 */
final class FilterParser {

  static final String ALLOWED =
      "allowed are paths to one value, such as @.user.id, @.tags[0] and @['a b'], $key, $id, $time,"
          + " $shard, $headers.NAME, JSON values, ==, !=, <, <=, >, >=, in, &&, ||, ! and ( )";

  private static final int MAX_NESTING = 50;

  private static final Pattern NUMBER =
      Pattern.compile("-?(?:0|[1-9][0-9]*+)(?:\\.[0-9]++)?+(?:[eE][+-]?[0-9]++)?+");

  private static final Map<String, Object> WORDS =
      Map.of("true", true, "false", false, "null", WantedJson.NULL);

  private static final Map<String, Function<ShardEvent, @Nullable Object>> FIELDS =
      Map.of(
          "key",
          ShardEvent::key,
          "id",
          ShardEvent::id,
          "shard",
          event -> Decimal.of(Integer.toString(event.shard())),
          "time",
          event -> EventTime.text(event.timestamp()));

  private final String text;
  private final WantedJson wanted = new WantedJson();
  private int at;
  private int nesting;

  private sealed interface Value {
    @Nullable Object of(FilteredEvent event);
  }

  private record Literal(Object value) implements Value {
    @Override
    public Object of(FilteredEvent event) {
      return value;
    }
  }

  private record InJson(List<Step> path) implements Value {
    @Override
    public @Nullable Object of(FilteredEvent event) {
      return WantedJson.find(event.json(), path);
    }
  }

  private record Field(String name, Function<ShardEvent, @Nullable Object> value) implements Value {
    @Override
    public @Nullable Object of(FilteredEvent event) {
      return value.apply(event.event());
    }
  }

  FilterParser(String text) {
    this.text = text;
  }

  /** What the expression looks at in the JSON of an event. */
  WantedJson wanted() {
    return wanted;
  }

  Predicate<FilteredEvent> expression() {
    Predicate<FilteredEvent> expression = or();
    if (!atEnd()) {
      throw wrong("an operator or the end is expected");
    }
    return expression;
  }

  private Predicate<FilteredEvent> or() {
    Predicate<FilteredEvent> left = and();
    while (took("||")) {
      left = left.or(and());
    }
    return left;
  }

  private Predicate<FilteredEvent> and() {
    Predicate<FilteredEvent> left = not();
    while (took("&&")) {
      left = left.and(not());
    }
    return left;
  }

  private Predicate<FilteredEvent> not() {
    if (took("!")) {
      Predicate<FilteredEvent> inside =
          nested(() -> next() == '!' || next() == '(' ? not() : presence(value()));
      if (next() != 0 && "=!<>".indexOf(next()) >= 0) {
        throw wrong("! before a comparison needs parentheses, such as !(@.n == 1)");
      }
      return inside.negate();
    }
    if (took("(")) {
      Predicate<FilteredEvent> inside = nested(this::or);
      expect(")");
      return inside;
    }
    Value left = value();
    if (took("==")) {
      return compare(left, Objects::equals);
    }
    if (took("!=")) {
      return compare(left, Objects::equals).negate();
    }
    if (took("<=")) {
      return compare(left, (a, b) -> WantedJson.less(a, b) || Objects.equals(a, b));
    }
    if (took(">=")) {
      return compare(left, (a, b) -> WantedJson.less(b, a) || Objects.equals(a, b));
    }
    if (took("<")) {
      return compare(left, WantedJson::less);
    }
    if (took(">")) {
      return compare(left, (a, b) -> WantedJson.less(b, a));
    }
    return tookWord("in") ? in(left) : presence(left);
  }

  private Predicate<FilteredEvent> presence(Value value) {
    if (value instanceof Literal) {
      throw wrong("an operator is expected");
    }
    want(value, false);
    return event -> value.of(event) != null;
  }

  private interface Comparison {
    boolean test(@Nullable Object a, @Nullable Object b);
  }

  private Predicate<FilteredEvent> compare(Value a, Comparison comparison) {
    Value b = value();
    Value left = isTime(b) ? asTime(a) : a;
    Value right = isTime(a) ? asTime(b) : b;
    want(left, hasParts(right));
    want(right, hasParts(left));
    return event -> comparison.test(left.of(event), right.of(event));
  }

  private Predicate<FilteredEvent> in(Value value) {
    next();
    int from = at;
    Value list = value();
    if (list instanceof Field || (list instanceof Literal l && !(l.value() instanceof List))) {
      at = from;
      throw wrong("a list, or the path of one, is expected");
    }
    want(value, list instanceof InJson || hasPartsWithin(list));
    want(list, true);
    return event -> {
      Object looked = value.of(event);
      return looked != null && list.of(event) instanceof List<?> all && all.contains(looked);
    };
  }

  /** Parts of a value count only beside another value with parts. */
  private void want(Value value, boolean withParts) {
    if (value instanceof InJson json) {
      wanted.add(json.path(), withParts);
    }
  }

  private static boolean hasParts(Value value) {
    return value instanceof InJson
        || (value instanceof Literal literal && isStructure(literal.value()));
  }

  private static boolean hasPartsWithin(Value list) {
    return list instanceof Literal literal
        && literal.value() instanceof List<?> all
        && all.stream().anyMatch(FilterParser::isStructure);
  }

  private static boolean isStructure(Object value) {
    return value instanceof List || value instanceof Map;
  }

  private static boolean isTime(Value value) {
    return value instanceof Field field && field.name().equals("time");
  }

  /** A whole time, with whatever offset and digits, is written as that of an event is. */
  private static Value asTime(Value value) {
    if (value instanceof Literal literal && literal.value() instanceof String time) {
      try {
        return new Literal(EventTime.text(OffsetDateTime.parse(time).toInstant()));
      } catch (DateTimeParseException e) {
        return value; // such as the beginning of one
      }
    }
    return value;
  }

  // ------------------------------------------------------------------ values

  private Value value() {
    if (took("@")) {
      PathReader path = reader();
      List<Step> steps = path.steps();
      at = path.at();
      return new InJson(steps);
    }
    return took("$") ? field() : new Literal(literal());
  }

  private Value field() {
    int from = at;
    PathReader reader = reader();
    String name = reader.name();
    at = reader.at();
    if (name.equals("headers")) {
      return header();
    }
    Function<ShardEvent, @Nullable Object> field = FIELDS.get(name);
    if (field == null) {
      at = from;
      throw wrong("key, id, time, shard or headers is expected");
    }
    return new Field(name, field);
  }

  private Value header() {
    PathReader reader = reader();
    List<Step> steps = reader.steps();
    String name = steps.size() == 1 ? steps.get(0).name() : null;
    if (name == null) {
      throw wrong("one name is expected, such as $headers.traceparent or $headers['traceparent']");
    }
    at = reader.at();
    String lower = name.toLowerCase(Locale.ROOT);
    return new Field("headers." + lower, event -> event.headers().get(lower));
  }

  private Object literal() {
    char next = next();
    if (next == '\'' || next == '"') {
      PathReader reader = reader();
      String string = reader.quoted();
      at = reader.at();
      return string;
    }
    if (took("[")) {
      return nested(this::list);
    }
    if (took("{")) {
      return nested(this::object);
    }
    Matcher number = NUMBER.matcher(text).region(at, text.length());
    if (number.lookingAt()) {
      at = number.end();
      return Decimal.of(number.group());
    }
    for (Map.Entry<String, Object> word : WORDS.entrySet()) {
      if (tookWord(word.getKey())) {
        return word.getValue();
      }
    }
    throw wrong("a value is expected");
  }

  private List<Object> list() {
    List<Object> list = new ArrayList<>();
    if (!took("]")) {
      do {
        list.add(literal());
      } while (took(","));
      expect("]");
    }
    return list;
  }

  private Map<String, Object> object() {
    Map<String, Object> object = new HashMap<>();
    if (!took("}")) {
      do {
        if (!(next() == '\'' || next() == '"') || !(literal() instanceof String name)) {
          throw wrong("a name in quotes is expected");
        }
        expect(":");
        object.put(name, literal());
      } while (took(","));
      expect("}");
    }
    return object;
  }

  // ------------------------------------------------------------------ text

  private <T> T nested(Supplier<T> inside) {
    if (++nesting > MAX_NESTING) {
      throw wrong("more than " + MAX_NESTING + " levels of (, !, [ and {");
    }
    T read = inside.get();
    nesting--;
    return read;
  }

  private PathReader reader() {
    return new PathReader(text, at, FilterParser::isPlain);
  }

  private static boolean isPlain(int c) {
    return Character.isLetterOrDigit(c) || c == '_' || c == '-';
  }

  private boolean atEnd() {
    while (at < text.length() && Character.isWhitespace(text.charAt(at))) {
      at++;
    }
    return at == text.length();
  }

  /** The next character that is not space; 0 at the end. */
  private char next() {
    return atEnd() ? 0 : text.charAt(at);
  }

  private boolean took(String token) {
    boolean here = !atEnd() && text.startsWith(token, at);
    at += here ? token.length() : 0;
    return here;
  }

  private boolean tookWord(String word) {
    if (atEnd()) {
      return false;
    }
    int end = at + word.length();
    boolean more = end < text.length() && isPlain(text.codePointAt(end));
    return !more && took(word);
  }

  private void expect(String token) {
    if (!took(token)) {
      throw wrong(token + " is expected");
    }
  }

  private IllegalArgumentException wrong(String why) {
    return PathReader.wrong(text, at, why);
  }
}
