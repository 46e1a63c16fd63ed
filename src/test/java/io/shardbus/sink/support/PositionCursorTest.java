package io.shardbus.sink.support;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PositionCursorTest {

  /** A URL holds 1 MiB at the most. */
  @Test
  void cursorOfTenThousandStreams_isTakenBack() {
    TreeMap<String, Long> positions = new TreeMap<>();
    for (int stream = 0; stream < 10_000; stream++) {
      positions.put("a-" + stream, 999_999_999_999_999_999L - stream);
    }
    String text = new PositionCursor(positions).format("some");
    assertThat(text.length()).isLessThan(1 << 20);
    assertThat(PositionCursor.parse(text, "some").positions()).isEqualTo(positions);
    assertThatThrownBy(() -> PositionCursor.parse(text, "other"))
        .hasMessageContaining("of another sink or version, not of other")
        .message()
        .hasSizeLessThan(200);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        ";",
        "1some",
        "1some;a",
        "1some;a=",
        "1some;=1",
        "1some;a=1,",
        "1some;A=1",
        "1some;a=-1",
        "1some;a=1234567890123456789",
        "1 some;a=1"
      })
  void malformedCursor_isRefused(String content) {
    String text =
        Base64.getUrlEncoder().encodeToString(content.getBytes(StandardCharsets.US_ASCII));
    assertThatThrownBy(() -> PositionCursor.parse(text, "some"))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("is malformed");
  }
}
