package io.shardbus.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.internal.buffer.BufferInternal;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import net.openhft.hashing.LongHashFunction;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RawEventTest {

  /** The reference values of XXH3 64-bit with seed 0. */
  @ParameterizedTest
  @CsvSource({"'',2D06800538D394C2", "a,E6C632B61E964E1F", "abc,78AF5F94892F3950"})
  void hash_isXxh3(String text, String expected) {
    long hash = Long.parseUnsignedLong(expected, 16);
    assertThat(RawEvent.of(text).hash()).isEqualTo(hash);
    assertThat(RawEvent.of(Buffer.buffer(text)).hash()).isEqualTo(hash);
    assertThat(RawEvent.of(Buffer.buffer("other"), text).hash()).isEqualTo(hash);
  }

  /**
   * Some lengths are hashed here, some by the library; and by other code where there is no array.
   */
  @Test
  void hash_isTheLibrarysAtEveryLengthInEveryBuffer() {
    Random random = new Random(7);
    for (int length = 0; length <= 2048; length++) {
      byte[] bytes = new byte[length];
      random.nextBytes(bytes);
      long expected = LongHashFunction.xx3().hashBytes(bytes);
      int half = length / 2;
      Map<String, Buffer> buffers =
          Map.of(
              "heap", Buffer.buffer(bytes),
              "slice",
                  Buffer.buffer("1").appendBytes(bytes).appendByte((byte) 2).slice(1, length + 1),
              "direct", buffer(Unpooled.directBuffer(length + 1).writeBytes(bytes)),
              "direct slice",
                  buffer(
                      Unpooled.directBuffer(length + 1)
                          .writeByte(1)
                          .writeBytes(bytes)
                          .slice(1, length)),
              "composite",
                  buffer(
                      Unpooled.wrappedBuffer(
                          Unpooled.wrappedBuffer(bytes, 0, half),
                          Unpooled.wrappedBuffer(bytes, half, length - half))));
      assertThat(RawEvent.of(bytes).hash()).as("array of %d bytes", length).isEqualTo(expected);
      buffers.forEach(
          (kind, buffer) ->
              assertThat(RawEvent.of(buffer).hash())
                  .as("%s of %d bytes", kind, buffer.length())
                  .isEqualTo(expected));
    }
  }

  private static Buffer buffer(ByteBuf content) {
    return BufferInternal.buffer(content);
  }

  @Test
  void hash_ofAKeyIsThatOfItsUtf8AtEveryLength() {
    for (int length = 0; length <= 300; length++) {
      String key = "k\u00e9y\uD83D\uDE00".repeat(60).substring(0, length);
      if (key.endsWith("\uD83D")) {
        continue; // half of a pair is refused
      }
      long expected = LongHashFunction.xx3().hashBytes(key.getBytes(StandardCharsets.UTF_8));
      assertThat(RawEvent.of(Buffer.buffer("other"), key).hash()).isEqualTo(expected);
      assertThat(EventKey.of(key).hash()).isEqualTo(expected);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"\ud800", "a\udfff", "\ude00\ud83d", "\ud83d\ud83d\ude00", "\ud83dx"})
  void halfASurrogatePairInAKey_isRefused(String key) {
    Buffer event = Buffer.buffer("1");
    List<ThrowingCallable> ways =
        List.of(
            () -> RawEvent.of(event, key),
            () -> RawEvent.parse(event, key),
            () -> EventKey.of(key),
            () -> RawEvent.of(event, KeyPath.of("k").require(asJson(key))));
    for (ThrowingCallable way : ways) {
      assertThatThrownBy(way)
          .isInstanceOf(InvalidEventException.class)
          .hasMessageMatching("the key has half of a surrogate pair, .u[0-9a-f]{4}, .*");
    }
  }

  private static Buffer asJson(String key) {
    StringBuilder escaped = new StringBuilder("{\"k\":\"");
    key.chars().forEach(c -> escaped.append(String.format("\\u%04x", c)));
    return Buffer.buffer(escaped.append("\"}").toString());
  }

  @Test
  void wholeSurrogatePairsInAKey_areTaken() {
    String key = "\uD83D\uDE00a\uD83D\uDE00\uD83D\uDE00";
    assertThat(RawEvent.of(Buffer.buffer("1"), key).key()).isEqualTo(key);
    assertThat(KeyPath.of("k").require(asJson(key))).isEqualTo(key);
  }

  @Test
  void decode_takesOnlyUtf8() {
    assertThat(EventText.decode("the key", "é😀".getBytes(StandardCharsets.UTF_8)))
        .isEqualTo("é😀");
    for (String hex : List.of("FF", "EDA080", "C080", "61C3")) {
      assertThatThrownBy(() -> EventText.decode("the key", HexFormat.of().parseHex(hex)))
          .isInstanceOf(InvalidEventException.class)
          .hasMessage("the key is not UTF-8");
    }
  }

  @Test
  void bytes_areNotCopied() {
    Buffer buffer = Buffer.buffer("{}");
    assertThat(RawEvent.of(buffer).buffer()).isSameAs(buffer);
    assertThat(RawEvent.parse(buffer).buffer()).isSameAs(buffer);
    byte[] bytes = {'1', '2'};
    RawEvent event = RawEvent.of(bytes);
    bytes[0] = '3';
    assertThat(event.buffer().toString()).isEqualTo("32");
  }

  @Test
  void size_countsBytesAndKeyBytes() {
    RawEvent event = RawEvent.of(Buffer.buffer("12345"), "é");
    assertThat(event.size()).isEqualTo(5);
    assertThat(event.totalSize()).isEqualTo(7);
    assertThat(event.key()).isEqualTo("é");
  }

  @Test
  void ofJson_takesEveryJsonType() {
    assertThat(RawEvent.ofJson(new JsonObject().put("a", 1)).buffer().toString())
        .isEqualTo("{\"a\":1}");
    assertThat(RawEvent.ofJson(new JsonArray().add(1)).buffer().toString()).isEqualTo("[1]");
    assertThat(RawEvent.ofJson("x").buffer().toString()).isEqualTo("\"x\"");
    assertThat(RawEvent.ofJson(1.5).buffer().toString()).isEqualTo("1.5");
    assertThat(RawEvent.ofJson(true).buffer().toString()).isEqualTo("true");
    assertThat(RawEvent.ofJson(null).buffer().toString()).isEqualTo("null");
  }

  @Test
  void ofJson_saysThatItIsNestedTooDeeply() {
    for (int levels : new int[] {1_001, 100_000}) {
      JsonArray array = new JsonArray();
      JsonObject object = new JsonObject();
      for (int i = 1; i < levels; i++) {
        array = new JsonArray().add(array);
        object = new JsonObject().put("o", object);
      }
      for (Object deep : List.of(array, object)) {
        assertThatThrownBy(() -> RawEvent.ofJson(deep))
            .isInstanceOf(InvalidEventException.class)
            .hasMessage(
                "the value cannot be written as JSON: it is nested too deeply; 600 levels always"
                    + " fit");
      }
    }
  }

  @Test
  void ofJson_refusesWhatIsNotJson() {
    assertThatThrownBy(() -> RawEvent.ofJson(Unpooled.EMPTY_BUFFER))
        .isInstanceOf(InvalidEventException.class)
        .hasMessageContaining("JsonObject, JsonArray");
    assertThatThrownBy(() -> RawEvent.ofJson(Double.NaN)).hasMessageContaining("NaN");
    assertThatThrownBy(() -> RawEvent.ofJson(Float.NEGATIVE_INFINITY))
        .isInstanceOf(InvalidEventException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"{}", "[]", "null", "1", "-0.5e3", "\"x\"", " {\"a\":[1,{\"b\":null}]}\n"})
  void parse_takesOneValue(String json) {
    assertThat(RawEvent.parse(Buffer.buffer(json)).buffer().toString()).isEqualTo(json);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"a\":1,}|8",
        "{\"a\" 1}|6",
        "[1 2]|4",
        "{\"a\":|5",
        "nul|3",
        "{} {}|3",
        "01|1",
        "NaN|1",
        "[\"a\tb\"]|4",
        "''|0",
        "' '|0"
      })
  void parse_saysWhereItBreaks(String json, int near) {
    assertThatThrownBy(() -> RawEvent.parse(Buffer.buffer(json)))
        .isInstanceOfSatisfying(
            InvalidEventException.class,
            e -> assertThat(e.offset()).isBetween(near - 2L, near + 2L));
  }

  @Test
  void parse_takesOnlyUtf8() {
    for (var charset :
        new java.nio.charset.Charset[] {StandardCharsets.UTF_16LE, StandardCharsets.UTF_16BE}) {
      assertThatThrownBy(() -> RawEvent.parse(Buffer.buffer("{\"a\":1}".getBytes(charset))))
          .isInstanceOf(InvalidEventException.class);
    }
    assertThatThrownBy(() -> RawEvent.parse(Buffer.buffer(new byte[] {'"', (byte) 0xC3, '"'})))
        .isInstanceOf(InvalidEventException.class);
    assertThatThrownBy(() -> RawEvent.parse(Buffer.buffer("\uFEFF{}")))
        .hasMessageContaining("byte order mark");
  }

  @ParameterizedTest
  @CsvSource({"[,]", "{\"a\":,}"})
  void parse_boundsNesting(String open, String close) {
    Buffer deepest = Buffer.buffer(open.repeat(500) + "1" + close.repeat(500));
    assertThat(RawEvent.parse(deepest).json()).isNotNull();
    int at = 500 * open.length();
    for (String json : List.of(open.repeat(501) + "1" + close.repeat(501), open.repeat(100_000))) {
      assertThatThrownBy(() -> RawEvent.parse(Buffer.buffer(json)))
          .isInstanceOfSatisfying(
              InvalidEventException.class, e -> assertThat(e.offset()).isEqualTo(at))
          .hasMessage("nested too deeply at byte " + at + ": bus.maxJsonDepth allows 500 levels");
    }
    // Next to one another they are not deep.
    RawEvent.parse(Buffer.buffer("[" + (open + "1" + close + ",").repeat(1000) + "1]"));
  }

  @Test
  void parse_readsValuesAcrossChunks() {
    String json = "{\"long\":\"" + "é".repeat(20_000) + "\",\"n\":12345678901234567890}";
    assertThat(RawEvent.parse(Buffer.buffer(json)).json()).isInstanceOf(JsonObject.class);
    assertThatThrownBy(() -> RawEvent.parse(Buffer.buffer(json + "}")))
        .isInstanceOf(InvalidEventException.class);
  }

  /** Jackson would take the second name for the first. */
  @Test
  void nameThatIsNoUtf8_isRefusedThoughItLooksLikeAnother() {
    RawEvent.parse(Buffer.buffer("{\"ah\":1}"));
    Buffer broken = Buffer.buffer("{\"").appendByte((byte) 0xFF).appendString("ah\":1}");
    assertThatThrownBy(() -> RawEvent.parse(broken))
        .isInstanceOf(InvalidEventException.class)
        .hasMessageContaining("at byte 2");
  }

  /** No parser of Jackson, such as Vert.x's, could read a page with such a name. */
  @Test
  void halfASurrogatePairInAName_isInvalid() {
    for (String name : List.of("\\ud800", "\\uDC00x", "x\\ud83d\\ud83d\\ude00")) {
      assertThatThrownBy(() -> RawEvent.parse(Buffer.buffer("{\"" + name + "\":1}")))
          .isInstanceOf(InvalidEventException.class)
          .hasMessageContaining("surrogate");
      Buffer value = Buffer.buffer("{\"\\ud83d\\ude00\":\"" + name + "\"}");
      assertThat(RawEvent.parse(value).json()).isInstanceOf(JsonObject.class);
    }
  }
}
