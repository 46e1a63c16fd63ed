package io.shardbus.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vertx.core.buffer.Buffer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ArraySplitterTest {

  private static List<String> split(String text, int chunk, int maxBytes) {
    List<String> got = new ArrayList<>();
    ArraySplitter splitter = new ArraySplitter(maxBytes);
    Buffer all = Buffer.buffer(text);
    for (int at = 0; at < all.length(); at += chunk) {
      Buffer piece = Buffer.buffer(all.getBytes(at, Math.min(all.length(), at + chunk)));
      splitter.feed(piece, element -> got.add(element.toString().strip()));
      assertThat(splitter.line()).isEqualTo(got.size());
    }
    splitter.end(element -> got.add("never"));
    assertThat(splitter.partialBytes()).isZero();
    return got;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "[]|``",
        "~[ ] ~|``",
        "[1]|1",
        "[1,~2]~~|1;2",
        "[ {\"a\":[1,2,{}]} ,\"x,]\\\"\\\\\",[[]]~]|{\"a\":[1,2,{}]};\"x,]\\\"\\\\\";[[]]",
        "[\"ä\",null,-1e5]|\"ä\";null;-1e5",
      })
  void elements_areCutHoweverTheyCome(String pattern, String elements) {
    String text = pattern.replace("~", " \t\r\n");
    List<String> expected = elements.isEmpty() ? List.of() : List.of(elements.split(";", -1));
    for (int chunk = 1; chunk <= text.length() + 1; chunk++) {
      assertThat(split(text, chunk, 1000)).as("%d", chunk).isEqualTo(expected);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        " ",
        "1",
        "{}",
        "[",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1,,2]",
        "[1}",
        "[}",
        "[1]]",
        "[1] 2",
        "[\"a]",
        "[[1]",
        "[{]",
        "\uFEFF[]"
      })
  void brokenArrays_areRefused(String text) {
    for (int chunk = 1; chunk <= text.length() + 1; chunk++) {
      int each = chunk;
      assertThatThrownBy(() -> split(text, each, 1000))
          .as("%s by %d", text, chunk)
          .isInstanceOf(InvalidEventException.class);
    }
  }

  /** Only their ends are looked for: the check of each element finds what is wrong in it. */
  @Test
  void elements_areNotChecked() {
    assertThat(split("[1 2,{\"a\"]]", 100, 1000)).containsExactly("1 2", "{\"a\"]");
  }

  @Test
  void longElement_isRefused() {
    assertThat(split("[1234,1234]", 3, 4)).hasSize(2);
    for (int chunk = 1; chunk < 12; chunk++) {
      int each = chunk;
      assertThatThrownBy(() -> split("[1234,12345]", each, 4))
          .isInstanceOf(LineSplitter.LineTooLongException.class)
          .hasMessageContaining("element 2");
    }
  }
}
