package io.shardbus.sink.eventbus;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.BitSet;
import org.junit.jupiter.api.Test;

class SomeFailedTest {

  @Test
  void text_isReadBack() {
    BitSet indexes = new BitSet();
    indexes.set(0, 4);
    indexes.set(7);
    indexes.set(63, 66);
    SomeFailed failed = new SomeFailed(indexes, "no room, 1-2 more");
    assertThat(failed.format()).isEqualTo("0-3,7,63-65 no room, 1-2 more");
    assertThat(SomeFailed.parse(failed.format(), 66)).isEqualTo(failed);
  }

  @Test
  void malformedText_isNotBelieved() {
    String[] texts = {
      null,
      "",
      "0",
      " why",
      "x why",
      "0, why",
      ",0 why",
      "3-1 why",
      "0-10 why",
      "10 why",
      "-1 why",
      "99999999999 why"
    };
    for (String text : texts) {
      assertThat(SomeFailed.parse(text, 10)).as(text).isNull();
    }
  }
}
