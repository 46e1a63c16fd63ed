package io.shardbus.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vertx.core.buffer.Buffer;
import io.vertx.core.internal.buffer.BufferInternal;
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

  private static List<Buffer> taken(Buffer chunk) {
    List<Buffer> lines = new ArrayList<>();
    new LineSplitter(1 << 20).feed(chunk, lines::add);
    return lines;
  }

  @Test
  void line_thatIsMostOfItsChunkIsASlice() {
    Buffer chunk = Buffer.buffer("a\nabc\n");
    Buffer line = taken(chunk).get(1);
    chunk.setByte(2, (byte) 'x');
    assertThat(line.toString()).isEqualTo("xbc");
  }

  /** It would keep the whole chunk in memory. */
  @Test
  void line_thatIsLittleOfItsChunkIsACopy() {
    Buffer chunk = Buffer.buffer("abc\nde\n" + "f".repeat(20) + "\n");
    Buffer line = taken(chunk).get(0);
    chunk.setByte(0, (byte) 'x');
    assertThat(line.toString()).isEqualTo("abc");
    assertThat(((BufferInternal) line).unwrap().array()).hasSize(3);
  }

  @Test
  void lines_areCountedWithBlankOnes() {
    LineSplitter splitter = new LineSplitter(100);
    List<Long> numbers = new ArrayList<>();
    for (String chunk : List.of("1\n\n", "\r\n2", "\n \n3\n\n4")) {
      splitter.feed(Buffer.buffer(chunk), line -> numbers.add(splitter.line()));
    }
    assertThat(splitter.partialBytes()).isEqualTo(1);
    splitter.end(line -> numbers.add(splitter.line()));
    assertThat(numbers).containsExactly(1L, 4L, 6L, 8L);
    assertThat(splitter.partialBytes()).isZero();
  }

  @Test
  void line_overTheLimitIsRefusedBeforeItsEnd() {
    LineSplitter splitter = new LineSplitter(100);
    Buffer chunk = Buffer.buffer("x".repeat(60));
    splitter.feed(chunk, line -> {});
    assertThatThrownBy(() -> splitter.feed(chunk, line -> {}))
        .isInstanceOf(LineSplitter.LineTooLongException.class)
        .hasMessage("line 1 is longer than 100 bytes");
    assertThatThrownBy(
            () ->
                new LineSplitter(100)
                    .feed(Buffer.buffer("1\n\n" + "x".repeat(101) + "\n"), line -> {}))
        .hasMessage("line 3 is longer than 100 bytes");
  }
}
