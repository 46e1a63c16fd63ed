package io.shardbus.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EventTimeTest {

  private static final long HOUR = 3_600_000_000_000L;

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void text_isReadBackAndSortsAsTheTimesDo(long seed) {
    Random random = new Random(seed);
    for (int i = 0; i < 1_000; i++) {
      long one = random.nextLong();
      long other = one + random.nextInt(2_000) - 1_000;
      assertThat(EventTime.text(one)).hasSize(30).endsWith("Z");
      assertThat(EventTime.parse(EventTime.text(one))).isEqualTo(one);
      assertThat(Integer.signum(EventTime.text(one).compareTo(EventTime.text(other))))
          .as("%d and %d", one, other)
          .isEqualTo(Long.compare(one, other));
    }
  }

  @Test
  void text_hasNineDigitsAlways() {
    assertThat(EventTime.text(0)).isEqualTo("1970-01-01T00:00:00.000000000Z");
    assertThat(EventTime.text(1_764_432_312_345_678_901L))
        .isEqualTo("2025-11-29T16:05:12.345678901Z");
  }

  /** A text of the same second was read before. */
  @Test
  void textsOfOneSecond_areReadEachByItself() {
    String second = "2026-11-29T16:05:12.";
    long begin = EventTime.parse(second + "000000000Z");
    for (int i = 0; i < 2; i++) {
      assertThat(EventTime.parse(second + "123456789Z")).isEqualTo(begin + 123_456_789);
      assertThat(EventTime.parse("2026-11-29t16:05:12.987654321Z")).isEqualTo(begin + 987_654_321);
      assertThat(EventTime.text(begin)).isEqualTo(second + "000000000Z");
      assertThat(EventTime.parse(second + "1234+01:00")).isEqualTo(begin + 123_400_000 - HOUR);
      for (String bad : new String[] {"12345678 Z", "+12345678Z", "-00000001Z", "12345:789Z"}) {
        assertThatThrownBy(() -> EventTime.parse(second + bad))
            .isInstanceOf(IllegalArgumentException.class);
      }
    }
  }

  @Test
  void lastSecond_endsWhereTheNumbersDo() {
    String second = "2262-04-11T23:47:16.";
    EventTime.parse(second + "000000000Z");
    assertThat(EventTime.parse(second + "854775807Z")).isEqualTo(Long.MAX_VALUE);
    assertThatThrownBy(() -> EventTime.parse(second + "854775808Z"))
        .isInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void otherOffset_isTheSameTime() {
    assertThat(EventTime.parse("2026-11-29T17:05:12.5+01:00"))
        .isEqualTo(EventTime.parse("2026-11-29T16:05:12.500000000Z"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "yesterday",
        "2026-11-29",
        "2026-11-29T16:05:12",
        "2026-13-29T16:05:12Z",
        "1600-01-01T00:00:00Z",
        "2300-01-01T00:00:00Z",
        "1796000712345678901"
      })
  void otherText_isRefused(String text) {
    assertThatThrownBy(() -> EventTime.parse(text))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("time \"" + text + "\" must be such as 2026-11-29T16:05:12.345Z");
  }
}
