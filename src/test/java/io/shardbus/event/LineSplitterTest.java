package io.shardbus.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vertx.core.buffer.Buffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class LineSplitterTest {

  private static List<String> split(String text, int chunk) {
    List<String> lines = new ArrayList<>();
    LineSplitter splitter = new LineSplitter(100);
    Buffer all = Buffer.buffer(text);
    for (int i = 0; i < all.length(); i += chunk) {
      splitter.feed(
          all.getBuffer(i, Math.min(all.length(), i + chunk)), line -> lines.add(line.toString()));
    }
    splitter.end(line -> lines.add(line.toString()));
    return lines;
  }

  @Test
  void lines_areTheSameHoweverTheInputIsCut() {
    String text = "{\"a\":1}\r\n\n  \n\"é\"\n[1,\n2]\n\r\nlast";
    for (int chunk = 1; chunk <= text.length() + 2; chunk++) {
      assertThat(split(text, chunk))
          .as("chunks of %d", chunk)
          .containsExactly("{\"a\":1}", "\"é\"", "[1,", "2]", "last");
    }
  }

  @Test
  void line_withinAChunkIsASlice() {
    Buffer chunk = Buffer.buffer("abc\n");
    new LineSplitter(10)
        .feed(
            chunk,
            line -> {
              chunk.setByte(0, (byte) 'x');
              assertThat(line.toString()).isEqualTo("xbc");
            });
  }

  @Test
  void line_overTheLimitIsRefusedBeforeItsEnd() {
    LineSplitter splitter = new LineSplitter(100);
    Buffer chunk = Buffer.buffer("x".repeat(60));
    splitter.feed(chunk, line -> {});
    assertThatThrownBy(() -> splitter.feed(chunk, line -> {}))
        .isInstanceOf(LineSplitter.LineTooLongException.class)
        .hasMessageContaining("100 bytes");
  }
}
