package io.shardbus.event;

import static org.assertj.core.api.Assertions.assertThat;

import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The scanner may be narrower than the parser, but never wider. */
class JsonScanTest {

  private static final long INPUTS = Long.getLong("fuzz.inputs", 200_000);
  private static final long SEED = Long.getLong("fuzz.seed", 1);
  private static final String PIECES =
      "{}[]\"\\,:.0123456789-+eEtrufalsn \t\r\n\u0000aué\uD83D\uDE00";

  private final SplittableRandom random = new SplittableRandom(SEED);

  private static boolean accepts(byte[] bytes) {
    // Not at the beginning of the array, and not at its end.
    byte[] inside = new byte[bytes.length + 16];
    Arrays.fill(inside, (byte) '1');
    System.arraycopy(bytes, 0, inside, 5, bytes.length);
    return JsonScan.isValue(inside, 5, 5 + bytes.length, 500);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "[ ]",
        " null\n",
        "true",
        "false",
        "0",
        "-0",
        "12.50e-07",
        "1E400",
        "\"\"",
        "\"exactly8\"",
        "\"é 漢 😀\"",
        "\"\\u00e9\\ud83d\\ude00\\n\\\\\\\"\\/\"",
        "{\"a\":{\"b\":[1,[],{},{\"c\":null}]},\"d\":\"long enough to take words\"}",
        "[[[[]]],{\"\" : [ 1 , 2 ] }]"
      })
  void commonValues_areAccepted(String json) {
    assertThat(accepts(json.getBytes(StandardCharsets.UTF_8))).isTrue();
  }

  @Test
  void nesting_isAcceptedToItsLimit() {
    for (String[] each : List.of(new String[] {"[", "]"}, new String[] {"{\"a\":", "}"})) {
      for (int depth : new int[] {63, 64, 65}) {
        String json = each[0].repeat(depth) + "1" + each[1].repeat(depth);
        assertThat(accepts(json.getBytes(StandardCharsets.UTF_8))).isEqualTo(depth <= 64);
        JsonCheck.DEFAULT.require(Buffer.buffer(json));
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "22C08022",
        "22C1BF22",
        "22E0808022",
        "22E09F8022",
        "22EDA08022",
        "22EDBFBF22",
        "22F0808080",
        "22F08F808022",
        "22F490808022",
        "22F8808080",
        "228022",
        "22C322",
        "22FF22",
        "7B22FF6168223A317D",
        "22E282",
        "22C3"
      })
  void brokenUtf8_isRefusedByItsPlace(String hex) {
    byte[] bytes = HexFormat.of().parseHex(hex);
    assertThat(accepts(bytes)).isFalse();
    assertThat(Buffer.buffer(bytes))
        .satisfies(
            broken -> {
              try {
                JsonCheck.DEFAULT.require(broken);
              } catch (InvalidEventException e) {
                assertThat(e.offset()).isBetween(1L, 2L);
                assertThat(e).hasMessageContaining("not UTF-8");
                return;
              }
              throw new AssertionError("taken");
            });
  }

  @Test
  void whatIsAccepted_theParserAccepts() {
    int accepted = 0;
    for (long i = 0; i < INPUTS; i++) {
      byte[] input = random.nextBoolean() ? mutated(value(4)) : value(5);
      if (accepts(input)) {
        accepted++;
        try {
          JsonCheck.DEFAULT.parse(Buffer.buffer(input));
        } catch (InvalidEventException e) {
          throw new AssertionError(
              "input " + i + " of seed " + SEED + ": " + HexFormat.of().formatHex(input), e);
        }
      }
    }
    assertThat(accepted).isGreaterThan((int) (INPUTS / 2));
  }

  private byte[] value(int depth) {
    StringBuilder json = new StringBuilder();
    append(json, depth);
    return json.toString().getBytes(StandardCharsets.UTF_8);
  }

  private void append(StringBuilder json, int depth) {
    int kind = random.nextInt(depth == 0 ? 4 : 7);
    switch (kind) {
      case 0 -> json.append(random.nextInt(-1000, 1000));
      case 1 -> json.append(random.nextDouble());
      case 2 -> json.append(random.nextBoolean() ? "null" : "true");
      case 3 -> string(json);
      default -> {
        json.append(kind == 4 ? "[" : "{");
        for (int n = random.nextInt(4); n > 0; n--) {
          if (kind != 4) {
            string(json);
            json.append(random.nextBoolean() ? ":" : " : ");
          }
          append(json, depth - 1);
          json.append(n == 1 ? "" : ", ");
        }
        json.append(kind == 4 ? "]" : "}");
      }
    }
  }

  private void string(StringBuilder json) {
    json.append('"');
    for (int n = random.nextInt(20); n > 0; n--) {
      switch (random.nextInt(12)) {
        case 0 -> json.append(random.nextInt(50) == 0 ? "\\uD83d" : "\\u00e9");
        case 4 -> json.append("\\ud83d\\uDE00");
        case 1 -> json.append("\\\"");
        case 2 -> json.appendCodePoint(random.nextInt(0x80, 0xD800));
        case 3 -> json.appendCodePoint(random.nextInt(0x10000, 0x110000));
        default -> json.append((char) ('a' + random.nextInt(26)));
      }
    }
    json.append('"');
  }

  private byte[] mutated(byte[] from) {
    byte[] text = from;
    for (int changes = random.nextInt(1, 4); changes > 0; changes--) {
      int at = random.nextInt(text.length + 1);
      byte[] piece =
          random.nextInt(3) == 0
              ? new byte[] {(byte) random.nextInt(256)}
              : PIECES
                  .substring(random.nextInt(PIECES.length()))
                  .substring(0, 1)
                  .getBytes(StandardCharsets.UTF_8);
      int skip = Math.min(text.length - at, random.nextInt(3));
      byte[] next = new byte[text.length - skip + piece.length];
      System.arraycopy(text, 0, next, 0, at);
      System.arraycopy(piece, 0, next, at, piece.length);
      System.arraycopy(text, at + skip, next, at + piece.length, text.length - at - skip);
      text = next;
    }
    return text;
  }
}
