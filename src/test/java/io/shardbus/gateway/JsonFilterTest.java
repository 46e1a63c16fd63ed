package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.event.Headers;
import io.shardbus.event.ShardEvent;
import io.vertx.core.buffer.Buffer;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JsonFilterTest {

  private static final String EVENT =
      "{\"user\":{\"id\":\"u1\",\"tags\":[\"a\",\"b\"]},\"n\":5,\"ok\":true,\"x\":null,\"s\":\"=~\"}";

  private static boolean test(String filter, String event) {
    return JsonFilter.parse(filter).test(new ShardEvent(0, 0, 1, Buffer.buffer(event), null));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        "@.user.id == 'u1';true",
        "@.user.id == \"u2\";false",
        "@.user.id != 'u2';true",
        "@.n > 4 && @.n < 6 && @.n >= 5 && @.n <= 5;true",
        "@.n > 5;false",
        "@.n == 5.0;true",
        "!(@.n > 4);false",
        "@.n > 9 || @.ok == true;true",
        "(@.n > 9 || @.ok == true) && !(@.user.id == 'u1');false",
        "@.missing == 1;false",
        "@.missing.deeper > 1;false",
        "@.x == null;true",
        "@.user.tags[1] == 'b';true",
        "'a' in @.user.tags;true",
        "@.n > 'a';false",
        "@.s == '=~';true",
        "@.ok;true",
        "@ == 5;false",
        "@.n in [4, 5, 'x', null];true",
        "@.n == 5e0 && @.n != -5.5;true",
        "@['user'][\"id\"]=='u1';true",
        "@[ 'its..*' ] == 1;false",
        "@.s == '..* $ [?] \\' =~ @.n.sum()';false",
        "@.größe == 1 || @.user-id == 2;false"
      })
  void filter_chooses(String filter, boolean expected) {
    assertThat(test(filter, EVENT)).isEqualTo(expected);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        // Numbers have a value, whatever their size and spelling.
        "@.n > 5;{'n':1e400};true",
        "@.n == 5;{'n':1e400,'m':1};false",
        "@.m == 5;{'n':[1e999999999,-1E-999999999],'m':5};true",
        "@.n == 1e400;{'n':10e399};true",
        "@.n < 1e400;{'n':1e399};true",
        "@.n == 1;{'n':1.0};true",
        "@.n == 100;{'n':1E+2};true",
        "@.n == 0;{'n':-0.0e5};true",
        "@.n == 12345678901234567890;{'n':12345678901234567891};false",
        "@.n < 0.1000000000000000000001;{'n':0.1};true",
        "@.n < -1;{'n':-1e-5};false",
        "@.n < -1;{'n':-10};true",
        "@.n > 1e999999998;{'n':1e999999999};true",
        "@.n < 1e99999999999999999999;{'n':1e999999999};true",
        // Values of different types are never equal, and have no order.
        "@.n == '1';{'n':1};false",
        "@.n != '1';{'n':1};true",
        "@.n == 1;{'n':'1'};false",
        "@.n == 7;{'n':'007'};false",
        "@.n == '007';{'n':7};false",
        "@.n == '007';{'n':'007'};true",
        "@.n < 'a';{'n':1};false",
        "@.n >= 'a';{'n':1};false",
        "@.n == 'true';{'n':true};false",
        "@.n == 0;{'n':false};false",
        "@.n <= true;{'n':true};true",
        "@.n < true;{'n':false};false",
        "@.n <= null;{'n':null};true",
        "@.n < 1;{'n':null};false",
        "@.n < [2];{'n':[1]};false",
        "@.n <= [1];{'n':[1.0]};true",
        // What is absent equals only what is absent.
        "@.n == null;{};false",
        "@.n != null;{};true",
        "@.n != 1;{};true",
        "@.n == @.m;{};true",
        "@.n <= @.m;{};true",
        "@.n < @.m;{};false",
        "@.n == @.m;{'n':null};false",
        "@.n == @.m;{'n':null,'m':null};true",
        "@.n in @.m;{'m':[null]};false",
        "@.n in [null];{};false",
        // The bare path asks whether there is a value.
        "@.n;{'n':null};true",
        "@.n;{'n':false};true",
        "@.n;{};false",
        "!@.n;{};true",
        "!@.n;{'n':null};false",
        "!!@.n;{'n':null};true",
        "!(@.n == 1);{'n':null};true",
        "!(@.n == 1);{};true",
        "!(@.n == 1);null;true",
        "@ == null;null;true",
        "@[1];[0,0];true",
        "@[2];[0,0];false",
        "@.a;[0];false",
        "@[0];{'0':1};false",
        // Objects and arrays are equal if their members are.
        "@.n in [[1],[2]];{'n':[2]};true",
        "@.n in [[1],[2]];{'n':2};false",
        "@.n in [{'a':1}, 'x'];{'n':{'a':1.0}};true",
        "@.n == {'a':[1,null],'b':{}};{'n':{'b':{},'a':[1e0,null]}};true",
        "@.n == {'a':1};{'n':{'a':1,'b':2}};false",
        "@.n == {'a':'1'};{'n':{'a':1}};false",
        "@.n == {};{'n':{}};true",
        "@.n == [];{'n':{}};false",
        "@ == [1,[2]];[1,[2]];true",
        "@.n == [1,2];{'n':[2,1]};false",
        "@.n.a == 1 && @.n == {'a':1,'b':2};{'n':{'a':1,'b':2}};true",
        "@.a[1] == 2 && @.a[0].x == 1 && !@.a[2];{'a':[{'x':1,'y':0},2]};true",
        "2 in @.a && !(3 in @.a) && !(3 in @.b);{'a':[1,2],'b':3};true",
        "[1] in @.a;{'a':[[1]]};true",
        // Of members with the same name the last counts.
        "@.n == 2;{'n':1,'n':2};true",
        "@.n.a;{'n':{'a':1},'n':{}};false",
        "@.n == {'a':2};{'n':{'a':1,'a':2}};true",
        // Strings are compared by Unicode.
        "@.n < '\uD83D\uDE00';{'n':'\uFF5E'};true",
        "@.n < 'ab';{'n':'a'};true",
        "@.n >= 'a';{'n':'\\u0061'};true",
        "@.n == '\\ud83d\\ude00\\n\\/\\'';{'n':'\\ud83d\\ude00\\n/\\u0027'};true",
        "@['n.m']['x y'] == 1;{'n.m':{'x y':1}};true",
        "@.n == 'in' && @.n in ['in'];{'n':'in'};true"
      })
  void values_areComparedByTheirTypes(String filter, String event, boolean expected) {
    assertThat(test(filter, event.replace('\'', '"'))).isEqualTo(expected);
  }

  /** There are no values at {@code @}. */
  @ParameterizedTest
  @ValueSource(
      strings = {"not json", "", "{\"n\":", "{\"n\":5} {}", "{\"n\":05}", "\uFEFF{\"n\":5}"})
  void eventThatIsNotJson_hasNoValues(String event) {
    assertThat(test("@.n == 5", event)).isFalse();
    assertThat(test("@.n || @", event)).isFalse();
    assertThat(test("!@ && @.n != 5 && !(@.n == 5)", event)).isTrue();
  }

  private static final Headers HEADERS =
      Headers.of(Map.of("traceparent", "00-1", "ce-type", "order.placed"));

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        "$key == 'k1';true",
        "$key in ['k0', 'k1'];true",
        "$key > 'k0' && $key < 'k2';true",
        "!$key;false",
        "$shard == 3;true",
        "$shard in [1,2,3] && $shard < 3.5;true",
        "$shard == '3';false",
        "$time == '2023-11-14T22:13:20.000000007Z';true",
        "$time == '2023-11-15T00:13:20.000000007+02:00';true",
        "$time >= '2023-11-14T22:13:20Z' && $time < '2023-11-14T22:13:20.1Z';true",
        "'2023-11-14T22:13:20.00000001Z' > $time;true",
        "$time >= '2023-11-14' && $time < '2023-11-14T22:13:21';true",
        "$time < '2023-11-14T22:13:20';false",
        "$id == 'i1' && $headers.traceparent && $headers['ce-type'] == 'order.placed';true",
        "$id == 'x' || $headers.other || $headers['ce-type'] == 'x';false",
        "!$id || !$headers.TraceParent;false",
        "$time > '-999999999-01-01T00:00:00+18:00' && $time != 'now';true",
        "'+999999999-12-31T23:59:59.999999999-18:00' == $time;false",
        "$key == $id;false"
      })
  void fields_areOfTheEvent(String filter, boolean expected) {
    for (String payload : new String[] {"{}", "no JSON"}) {
      ShardEvent event =
          new ShardEvent(
              3, 0, 1_700_000_000_000_000_007L, Buffer.buffer(payload), "k1", "i1", HEADERS);
      assertThat(JsonFilter.parse(filter).test(event)).isEqualTo(expected);
    }
    // The payload is not looked at.
    ShardEvent event = new ShardEvent(3, 0, 1_700_000_000_000_000_007L, null, "k1", "i1", HEADERS);
    assertThat(JsonFilter.parse(filter).test(event)).isEqualTo(expected);
  }

  @Test
  void eventWithoutKey_hasNoField() {
    ShardEvent event = new ShardEvent(0, 0, 1, Buffer.buffer("1"), null);
    assertThat(JsonFilter.parse("!$key && $key != 'x' && !($key == null)").test(event)).isTrue();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        "``;at the end: a value is expected",
        "@.n = 5;character 5, \"= 5\": an operator or the end is expected",
        "@.n ==;at the end: a value is expected",
        "@.n == 07;character 9, \"7\": an operator or the end is expected",
        "@.n == 1 @.m;character 10, \"@.m\": an operator or the end",
        "@.n == x;character 8, \"x\": a value is expected",
        "@.n == 'x;character 8, \"'x\": the quote does not end",
        "@.n == trueish;character 8, \"trueish\": a value is expected",
        "(@.n == 1;at the end: ) is expected",
        "(@.n) == 1;character 7, \"== 1\": an operator or the end is expected",
        "5;at the end: an operator is expected",
        "@.a && true;at the end: an operator is expected",
        "!@.a == 1;character 6, \"== 1\": ! before a comparison needs parentheses",
        "@.a in 5;character 8, \"5\": a list, or the path of one, is expected",
        "@.a in $key;character 8, \"$key\": a list, or the path of one",
        "@.a in [1,];character 11, \"]\": a value is expected",
        "@.a in [@.b];character 9, \"@.b]\": a value is expected",
        "@.a == {a:1};character 9, \"a:1}\": a name in quotes is expected",
        "@.a == {'a' 1};character 13, \"1}\": : is expected",
        "@[-1] == 1;character 3, \"-1] == 1\": a name in quotes, or an index from 0",
        "$.a == 1;character 2, \".a == 1\": a name is expected",
        "$ts > 1;character 2, \"ts > 1\": key, id, time, shard or headers is expected",
        "$key.x;character 5, \".x\": an operator or the end",
        "$headers;at the end: one name is expected",
        "$headers[0];character 9, \"[0]\": one name is expected",
        "$headers.a.b;character 9, \".a.b\": one name is expected",
        "@.a && @.bbbbbbbbbb =~ /a+/ || @.c;character 21, \"=~ /a+/ || @.c\": an operator"
      })
  void brokenExpression_isRefusedByItsPlace(String filter, String says) {
    assertThatThrownBy(() -> JsonFilter.parse(filter))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("filter: " + says)
        .hasMessageContaining("; allowed are paths to one value, such as @.user.id");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "@.",
        "@.n ==",
        "n = 5",
        "@.n == 5)] [?(1==1",
        "((((",
        "@.n == 'x",
        "&&",
        "@.user =~ /.*/"
      })
  void badExpressions_areRefusedWithAReason(String filter) {
    assertThatThrownBy(() -> JsonFilter.parse(filter))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("filter: ");
  }

  /** Each of these visits an event more often than once, or compares lists with lists. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "@..*",
        "@..*..*..*..* == 1",
        "@.a..b == 1",
        "@.*.* == 1",
        "@[*][*] == 1",
        "@.a[0:5] == 1",
        "@.a[:] == 1",
        "@.a[0,0,0] == 1",
        "@['a','a'] == 1",
        "@.a[?(@.b == 1)]",
        "$.a == 1",
        "@.a == $..*",
        "@.a.length() == 1",
        "@.concat(@, @) == 1",
        "@.a == 'x' && @.b\\..* == 1",
        "'\\\\' == @..*",
        "@.a anyof @.a",
        "@.a subsetof @.a",
        "@.a =~ /(a+)+/"
      })
  void expressionsThatMultiply_areRefused(String filter) {
    assertThatThrownBy(() -> JsonFilter.parse(filter))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageStartingWith("filter: ")
        .hasMessageContaining("allowed are paths to one value, such as @.user.id");
  }

  @Test
  void largeExpressions_areRefused() {
    assertThatThrownBy(() -> JsonFilter.parse("@.n == 1 ".repeat(200)))
        .hasMessageContaining("1800 characters are more than 1000");
    assertThat(test("@||".repeat(332) + "@.n", EVENT)).isTrue();
    assertThat(test("(".repeat(50) + "@.n == 5" + ")".repeat(50), EVENT)).isTrue();
    for (String deep : new String[] {"(".repeat(51), "!".repeat(51), "@ == " + "[".repeat(51)}) {
      assertThatThrownBy(() -> JsonFilter.parse(deep))
          .hasMessageContaining("more than 50 levels of (, !, [ and {");
    }
  }

  /** So a large event costs a filter little memory. */
  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      quoteCharacter = '`',
      value = {
        "@.a == 1 || @.b || @.c < 'x' || @.d in [1, 'x'];{a=[], b={}, c={}}",
        "$key == @.a && 'x' != @.b.p;{a=[], b={p=[]}}",
        "@.a == [1] || @.b in [{}];{a=[x, [x]], b={p=[x], q=x}}",
        "@.a == @.c.p || 'x' in @.b.p;{a=[x, [x]], b={p=[x]}, c={p=x}}",
        "@.a[1][0];{a=[null, [x]]}"
      })
  void onlyWhatAFilterLooksAt_isKept(String filter, String kept) {
    FilterParser parser = new FilterParser(filter);
    parser.expression();
    String event = "{'a':['x',['x']],'b':{'p':['x'],'q':'x'},'c':{'p':'x'},'e':[1]}";
    assertThat(parser.wanted().read(Buffer.buffer(event.replace('\'', '"')))).hasToString(kept);
  }

  /** The deepest event that is taken, and long numbers. */
  @Test
  void hardEvents_areCompared() {
    String deep = "[".repeat(499) + "]".repeat(499);
    assertThat(test("@.a == @.b", "{\"a\":" + deep + ",\"b\":" + deep + "}")).isTrue();
    String zeros = "1" + "0".repeat(999);
    assertThat(test("@[0] == 1e999 && @[0] < @[1]", "[" + zeros + ",1e1000]")).isTrue();
  }
}
