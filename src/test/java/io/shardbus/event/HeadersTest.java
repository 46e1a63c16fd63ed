package io.shardbus.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vertx.core.buffer.Buffer;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HeadersTest {

  @Test
  void names_areInLowerCase_andFoundInAnyCase() {
    Headers headers = Headers.of(Map.of("Trace-Parent", "00-abc"));
    assertThat(headers.get("TRACE-parent")).isEqualTo("00-abc");
    assertThat(headers.toMap()).containsExactly(Map.entry("trace-parent", "00-abc"));
    assertThat(headers.get("other")).isNull();
  }

  @Test
  void bytes_countNamesAndValuesInUtf8() {
    assertThat(Headers.of(Map.of("name", "zürich")).bytes()).isEqualTo(4 + 7);
    assertThat(Headers.none().bytes()).isZero();
  }

  @Test
  void sameNameInTwoCases_isRefused() {
    Map<String, String> twice = new LinkedHashMap<>();
    twice.put("a", "1");
    twice.put("A", "2");
    assertThatThrownBy(() -> Headers.of(twice))
        .isInstanceOf(InvalidEventException.class)
        .hasMessage("header a occurs twice");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a b", "a:b", "ä", "a\n", "a\u0000"})
  void nameThatIsNoToken_isRefused(String name) {
    assertThatThrownBy(() -> Headers.of(Map.of(name, "x")))
        .isInstanceOf(InvalidEventException.class)
        .hasMessageContaining("must be a token");
  }

  @ParameterizedTest
  @ValueSource(strings = {"a\r\nb", "\u0000", "\u007f", "\ud800", "\udc00x", "x\ud800\ud800"})
  void valueThatCannotTravel_isRefused(String value) {
    assertThatThrownBy(() -> Headers.of(Map.of("x", value)))
        .isInstanceOf(InvalidEventException.class)
        .hasMessageStartingWith("header x has ");
  }

  @Test
  void valueWithTabAndSurrogatePair_isTaken() {
    assertThat(Headers.of(Map.of("x", "a\tb \ud83d\ude00")).get("x"))
        .isEqualTo("a\tb \ud83d\ude00");
  }

  @Test
  void tooMany_areRefused() {
    Map<String, String> most = new LinkedHashMap<>();
    for (int i = 0; i < Headers.MAX_COUNT; i++) {
      most.put("h" + i, "");
    }
    assertThat(Headers.of(most).size()).isEqualTo(64);
    most.put("more", "");
    assertThatThrownBy(() -> Headers.of(most))
        .hasMessage("an event has 65 headers, and may have 64");
  }

  @Test
  void tooLarge_areRefused() {
    assertThat(Headers.of(Map.of("x", "y".repeat(8191))).bytes()).isEqualTo(8192);
    assertThatThrownBy(() -> Headers.of(Map.of("x", "y".repeat(8192))))
        .hasMessage("the headers of an event have 8193 bytes, and may have 8192");
  }

  /** A Kelvin sign is a k in lower case. */
  @Test
  void letterThatBecomesAscii_isRefused() {
    assertThatThrownBy(() -> RawEvent.builder(Buffer.buffer()).header("\u212A", "1"))
        .isInstanceOf(InvalidEventException.class);
  }
}
