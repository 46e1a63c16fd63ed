package io.shardbus.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.event.RawEvent;
import io.vertx.core.buffer.Buffer;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FeedInputTest {

  private static List<byte[]> all(Lines lines) throws IOException {
    List<byte[]> all = new ArrayList<>();
    for (byte[] line = lines.next(); line != null; line = lines.next()) {
      all.add(line);
    }
    return all;
  }

  @Test
  void lines_keepTheirBytes() throws IOException {
    byte[] latin1 = "\"caf\u00e9\"".getBytes(StandardCharsets.ISO_8859_1);
    Buffer input =
        Buffer.buffer(latin1).appendString("\n\n1\r\n\"a\rb\"\nlast").appendBytes(new byte[0]);
    List<byte[]> lines = all(new ByteLines("input", new ByteArrayInputStream(input.getBytes())));
    assertThat(lines.get(0)).isEqualTo(latin1);
    assertThat(lines.subList(1, lines.size()))
        .extracting(line -> new String(line, StandardCharsets.UTF_8))
        .containsExactly("1", "\"a\rb\"", "last");
  }

  @Test
  void line_thatIsTooLongIsNamed() {
    String input = "1\n\n" + "x".repeat(200_000) + "\n2\n";
    ByteLines lines =
        new ByteLines(
            "input", new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)), 100_000);
    assertThatThrownBy(() -> all(lines))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("line 3")
        .hasMessageContaining("100000 bytes");
  }

  @Test
  void gzipFile_thatIsNotWholeIsNamed(@TempDir Path dir) throws IOException {
    ByteArrayOutputStream whole = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(whole)) {
      gzip.write("[1]\n".repeat(100).getBytes(StandardCharsets.UTF_8));
    }
    for (int length : new int[] {0, 5, 20, whole.size() - 1}) {
      Path file = dir.resolve("events.gz");
      Files.write(file, Arrays.copyOf(whole.toByteArray(), length));
      Command feed =
          Command.run("feed", "--file", file.toString(), "--out", dir.resolve("out").toString());
      assertThat(feed.exit()).isEqualTo(1);
      assertThat(feed.stderr())
          .contains("--file: " + file + ": the gzip file is empty or cut short")
          .hasLineCount(1);
    }
  }

  @Test
  void generatedEvents_areJsonFrom50BytesTo100Kilobytes() {
    EventGenerator generator = new EventGenerator(7);
    int shortest = Integer.MAX_VALUE;
    int longest = 0;
    for (int i = 0; i < 100_000; i++) {
      Buffer event = Buffer.buffer(generator.next());
      RawEvent.parse(event);
      shortest = Math.min(shortest, event.length());
      longest = Math.max(longest, event.length());
    }
    assertThat(shortest).isBetween(50, 100);
    assertThat(longest).isBetween(80_000, 100_000);
  }
}
