package io.shardbus.event;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.vertx.core.buffer.Buffer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AttributeCodecTest {

  /** Text of any letters, without half surrogates: they do not come this far. */
  private static String text(Random random, int most) {
    int[] points =
        random
            .ints(random.nextInt(most + 1), 1, 0x11000)
            .filter(point -> point < 0xd800 || point > 0xdfff)
            .toArray();
    return new String(points, 0, points.length);
  }

  private static Buffer written(String key, String id, Headers headers) {
    ByteWriter out = new ByteWriter(0);
    AttributeCodec.write(out, key, id, headers);
    return out.toBuffer();
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void whatIsWritten_isReadBack(long seed) {
    Random random = new Random(seed);
    for (int i = 0; i < 500; i++) {
      String key = random.nextBoolean() ? text(random, 300) : null;
      String id = random.nextBoolean() ? text(random, 80) : null;
      Map<String, String> map = new LinkedHashMap<>();
      for (int n = random.nextInt(8) * random.nextInt(9); n > 0; n--) {
        map.put("h" + random.nextInt(1_000), text(random, 30).replaceAll("\\p{Cntrl}", ""));
      }
      Headers headers = Headers.of(map);
      Buffer out = written(key, id, headers);
      int end = 6 + out.length();
      Buffer all = Buffer.buffer("before").appendBuffer(out).appendString("behind");
      ByteReader in = new ByteReader(all, 6, all.length());
      assertThat(AttributeCodec.read(in))
          .as("seed %d, round %d", seed, i)
          .isEqualTo(new AttributeCodec.Attributes(key, id, headers));
      assertThat(in.at()).isEqualTo(end);
    }
  }

  @Test
  void noAttributes_takeOneByte() {
    assertThat(written(null, null, Headers.none()).getBytes()).containsExactly(0);
  }

  @Test
  void format_isAsDocumented() {
    Buffer out = written("k", "é", Headers.of(Map.of("n", "v".repeat(200))));
    Buffer expected =
        Buffer.buffer(new byte[] {7, 1, 'k', 2, (byte) 0xc3, (byte) 0xa9, 1, 1, 'n'})
            .appendBytes(new byte[] {(byte) 0xc8, 1})
            .appendString("v".repeat(200));
    assertThat(out).isEqualTo(expected);
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 3, 4})
  void anyBytes_areReadOrRefused(long seed) {
    Random random = new Random(seed);
    Buffer good = written("key", "id", Headers.of(Map.of("a", "b", "c", "d")));
    for (int i = 0; i < 5_000; i++) {
      Buffer flipped = good.copy();
      int at = random.nextInt(flipped.length());
      flipped.setByte(at, (byte) (flipped.getByte(at) ^ (1 << random.nextInt(8))));
      readOrRefuse(flipped.slice(0, random.nextInt(flipped.length() + 1)));
      byte[] noise = new byte[random.nextInt(40)];
      random.nextBytes(noise);
      readOrRefuse(Buffer.buffer(noise));
    }
  }

  private static void readOrRefuse(Buffer bytes) {
    try {
      ByteReader in = new ByteReader(bytes, 0, bytes.length());
      AttributeCodec.read(in);
      assertThat(in.at()).isLessThanOrEqualTo(bytes.length());
    } catch (InvalidEventException e) {
      assertThat(e.getMessage()).isNotEmpty();
    }
  }

  @Test
  void unknownKind_isRefused() {
    assertThatThrownBy(() -> AttributeCodec.read(new byte[] {8}))
        .isInstanceOf(InvalidEventException.class)
        .hasMessage("an event has attributes of an unknown kind");
  }
}
