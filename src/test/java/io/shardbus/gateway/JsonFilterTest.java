package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.event.ShardEvent;
import io.vertx.core.buffer.Buffer;
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
  @ValueSource(strings = {"not json", "", "null", "5", "[1]", "\"@.n\"", "{\"n\":"})
  void otherEvents_areNotChosen(String event) {
    assertThat(test("@.n == 5", event)).isFalse();
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
  void longExpressions_areRefused() {
    assertThatThrownBy(() -> JsonFilter.parse("@.n == 1 ".repeat(200)))
        .hasMessageContaining("1800 characters are more than 1000");
    // at the limit, however deep
    String deep = "(".repeat(490) + "@.n == 5" + ")".repeat(490);
    assertThat(test(deep, EVENT)).isTrue();
  }
}
