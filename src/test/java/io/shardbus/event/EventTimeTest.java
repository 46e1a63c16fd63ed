package io.shardbus.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class EventTimeTest {

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
