package io.shardbus.net;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.Zstd;
import com.github.luben.zstd.ZstdOutputStream;
import io.vertx.core.buffer.Buffer;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.function.Supplier;
import java.util.stream.Stream;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class BodyDecoderTest {

  private static final String TEXT = "{\"n\":1}\n".repeat(20_000);

  private record Form(String name, Supplier<BodyDecoder> decoder, Encoder encoder) {
    @Override
    public String toString() {
      return name;
    }
  }

  private interface Encoder {
    byte[] encode(byte[] plain) throws IOException;
  }

  static Stream<Form> forms() {
    return Stream.of(
        new Form("gzip", () -> new GzipDecoder(10 << 20, 100), BodyDecoderTest::gzip),
        new Form("zstd", () -> zstd(100 << 20), Zstd::compress));
  }

  private static byte[] gzip(byte[] plain) throws IOException {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (GZIPOutputStream gzip = new GZIPOutputStream(out)) {
      gzip.write(plain);
    }
    return out.toByteArray();
  }

  private static ZstdDecoder zstd(long budget) {
    return new ZstdDecoder(10 << 20, 100, new Budget(() -> budget));
  }

  private static String decode(BodyDecoder decoder, byte[] encoded, int chunk) {
    Buffer out = Buffer.buffer();
    try (decoder) {
      for (int at = 0; at < encoded.length; at += chunk) {
        decoder.feed(
            Buffer.buffer(Arrays.copyOfRange(encoded, at, Math.min(encoded.length, at + chunk))),
            out::appendBuffer);
      }
      decoder.end();
    }
    return out.toString();
  }

  @ParameterizedTest
  @MethodSource("forms")
  void bodies_areDecodedHoweverTheyAreCut(Form form) throws Exception {
    byte[] encoded = form.encoder.encode(TEXT.getBytes(StandardCharsets.UTF_8));
    for (int chunk : new int[] {1, 3, 1_000, encoded.length}) {
      assertThat(decode(form.decoder.get(), encoded, chunk)).isEqualTo(TEXT);
    }
    byte[] two = Arrays.copyOf(encoded, encoded.length * 2);
    System.arraycopy(encoded, 0, two, encoded.length, encoded.length);
    for (int chunk : new int[] {1, two.length}) {
      assertThat(decode(form.decoder.get(), two, chunk)).isEqualTo(TEXT + TEXT);
    }
  }

  @ParameterizedTest
  @MethodSource("forms")
  void brokenBodies_areRefused(Form form) throws Exception {
    byte[] encoded = form.encoder.encode(TEXT.getBytes(StandardCharsets.UTF_8));
    for (int length = 0; length < encoded.length; length++) {
      byte[] cut = Arrays.copyOf(encoded, length);
      assertThatThrownBy(() -> decode(form.decoder.get(), cut, 100))
          .as("%s of %s bytes", length, encoded.length)
          .isInstanceOf(BodyDecoder.BrokenBodyException.class);
    }
    assertThatThrownBy(
            () -> decode(form.decoder.get(), "[1,2]".getBytes(StandardCharsets.UTF_8), 9))
        .isInstanceOf(BodyDecoder.BrokenBodyException.class)
        .hasMessageContaining(form.name);
  }

  @ParameterizedTest
  @MethodSource("forms")
  void hugeBodies_areCutOff(Form form) throws Exception {
    byte[] bomb = form.encoder.encode(new byte[9 << 20]);
    assertThatThrownBy(() -> decode(form.decoder.get(), bomb, 1_000))
        .isInstanceOf(BodyDecoder.BodyTooLargeException.class)
        .hasMessage(
            "gateway.maxDecodedRatio: the decoded body is more than 100 times as large as the"
                + " encoded one");
    byte[] noise = new byte[11 << 20];
    new java.util.Random(1).nextBytes(noise);
    byte[] large = form.encoder.encode(noise);
    assertThatThrownBy(() -> decode(form.decoder.get(), large, 100_000))
        .isInstanceOf(BodyDecoder.BodyTooLargeException.class)
        .hasMessage("gateway.maxDecodedBytes: the decoded body is larger than 10485760 bytes");
  }

  @ParameterizedTest
  @MethodSource("forms")
  void closedInTheMiddle_givesNoMore(Form form) throws Exception {
    byte[] encoded = form.encoder.encode(TEXT.getBytes(StandardCharsets.UTF_8));
    BodyDecoder decoder = form.decoder.get();
    int[] parts = new int[1];
    decoder.feed(
        Buffer.buffer(encoded),
        part -> {
          parts[0]++;
          decoder.close();
        });
    assertThat(parts[0]).isEqualTo(1);
  }

  @Test
  void windowOfZstd_countsAsMemory() {
    byte[] noise = new byte[10 << 20];
    new java.util.Random(1).nextBytes(noise);
    Buffer encoded = Buffer.buffer(Zstd.compress(noise));
    Budget budget = new Budget(() -> 100 << 20);
    try (ZstdDecoder decoder = new ZstdDecoder(10 << 20, 100, budget)) {
      assertThat(budget.used()).isZero();
      decoder.feed(encoded, part -> {});
      assertThat(budget.used()).isEqualTo(8 << 20);
    }
    assertThat(budget.used()).isZero();
    try (ZstdDecoder decoder = zstd(7 << 20)) {
      assertThatThrownBy(() -> decoder.feed(encoded, part -> {}))
          .isInstanceOf(BodyDecoder.NoMemoryException.class)
          .hasMessageContaining("gateway.maxPartialBytes: 7340032");
    }
  }

  private static byte[] gzipWithFields(byte[] name) throws IOException {
    byte[] plain = gzip("[1]".getBytes(StandardCharsets.UTF_8));
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    all.write(plain, 0, 3);
    all.write(1 | 2 | 4 | 8 | 16); // each field there is
    all.write(plain, 4, 6);
    all.write(new byte[] {2, 1}); // 258 bytes, some of them 0
    all.write(new byte[258]);
    all.write(name);
    all.write(0);
    all.write("comment\0".getBytes(StandardCharsets.UTF_8));
    all.write(new byte[] {0, 7});
    all.write(plain, 10, plain.length - 10);
    return all.toByteArray();
  }

  private static byte[] name(int length) {
    byte[] name = new byte[length];
    Arrays.fill(name, (byte) 'n');
    return name;
  }

  @Test
  void fieldsOfAGzipHeader_arePassedOverHoweverTheyAreCut() throws Exception {
    byte[] encoded = gzipWithFields(name(20));
    for (int chunk : new int[] {1, 3, 100, encoded.length}) {
      assertThat(decode(new GzipDecoder(100, 100), encoded, chunk)).isEqualTo("[1]");
    }
    assertThatThrownBy(() -> decode(new GzipDecoder(100, 100), gzipWithFields(name(70_000)), 1_000))
        .isInstanceOf(BodyDecoder.BrokenBodyException.class);
  }

  /** Else each byte of it would cost as much as all before it. */
  @Test
  void longGzipHeader_isNotCopiedForEachChunk() throws Exception {
    byte[] encoded = gzipWithFields(name(60_000));
    var threads = (com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean();
    long before = threads.getCurrentThreadAllocatedBytes();
    assertThat(decode(new GzipDecoder(100, 100), encoded, 1)).isEqualTo("[1]");
    assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(100_000_000);
  }

  /** It would take so much memory, whatever comes out. */
  @Test
  void hugeWindows_areRefused() throws Exception {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    try (ZstdOutputStream zstd = new ZstdOutputStream(out).setLong(27)) {
      zstd.write(TEXT.getBytes(StandardCharsets.UTF_8));
    }
    assertThatThrownBy(() -> decode(zstd(100 << 20), out.toByteArray(), 1_000))
        .isInstanceOf(BodyDecoder.BrokenBodyException.class)
        .hasMessageContaining("8 MiB");
  }
}
