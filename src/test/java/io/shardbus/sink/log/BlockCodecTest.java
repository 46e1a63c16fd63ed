package io.shardbus.sink.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.Headers;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.log.BlockCodec.Block;
import io.shardbus.testing.Attributes;
import io.vertx.core.buffer.Buffer;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

class BlockCodecTest {

  private static final ProducerId PRODUCER = new ProducerId("producer é", Long.MAX_VALUE);

  private static final int FILE = 0xf0e1d2c3;

  private final Random random = new Random(17);

  /** With gaps in the sequences, and times that also fall. */
  private List<ShardEvent> events(int count) {
    int shard = random.nextInt(65_535);
    long sequence = random.nextLong() >>> (1 + random.nextInt(62));
    List<ShardEvent> events = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      byte[] payload = new byte[random.nextInt(300)];
      random.nextBytes(payload);
      events.add(
          new ShardEvent(
              shard,
              sequence,
              random.nextLong(),
              Buffer.buffer(payload),
              random.nextBoolean() ? "key " + i : null,
              random.nextInt(4) == 0 ? "id ☃" + i : null,
              random.nextInt(8) == 0 ? Attributes.most() : Headers.none()));
      sequence += 1 + (random.nextInt(8) == 0 ? random.nextInt(1_000) : 0);
    }
    return events;
  }

  private static boolean isDamaged(byte[] bytes) {
    return BlockCodec.decode(FILE, bytes) == null;
  }

  @Test
  void randomBlocks_areReadBackAsTheyWere() {
    for (int i = 0; i < 500; i++) {
      long first = random.nextLong() >>> (1 + random.nextInt(62));
      List<ShardEvent> events = events(1 + random.nextInt(i % 50 == 0 ? 1_000 : 20));
      Block block = BlockCodec.decode(FILE, BlockCodec.encode(FILE, first, PRODUCER, events));
      assertThat(block).isEqualTo(new Block(first, PRODUCER, events));
    }
  }

  @Test
  void eachFlippedBit_isFound() {
    byte[] block = BlockCodec.encode(FILE, 1_234, PRODUCER, events(8));
    for (int bit = 0; bit < block.length * 8; bit++) {
      byte[] flipped = block.clone();
      flipped[bit / 8] ^= (byte) (1 << (bit % 8));
      assertThat(isDamaged(flipped)).as("bit %d", bit).isTrue();
    }
  }

  @Test
  void eachTruncation_isFound() {
    byte[] block = BlockCodec.encode(FILE, 1_234, PRODUCER, events(8));
    for (int length = 0; length < block.length; length++) {
      assertThat(isDamaged(Arrays.copyOf(block, length))).as("%d bytes", length).isTrue();
      assertThat(isDamaged(Arrays.copyOfRange(block, block.length - length, block.length)))
          .as("last %d bytes", length)
          .isTrue();
    }
    assertThat(isDamaged(Arrays.copyOf(block, block.length + 1))).isTrue();
    assertThat(isDamaged(new byte[4096])).isTrue();
  }

  @Test
  void blockOfAnotherFile_isFound() {
    byte[] block = BlockCodec.encode(FILE, 1_234, PRODUCER, events(8));
    assertThat(BlockCodec.decode(FILE + 1, block)).isNull();
  }

  /** Each byte is as the description of the package says. */
  @Test
  void format_isAsDescribed() {
    List<ShardEvent> events =
        List.of(
            new ShardEvent(3, 200, 1_000, Buffer.buffer("a"), null),
            new ShardEvent(
                3, 202, 1_130, Buffer.buffer("bc"), "k", "i", Headers.of(Map.of("n", "v"))));
    byte[] block = BlockCodec.encode(FILE, 300, new ProducerId("p", 7), events);
    String body =
        "00000030 ac02 02 03 07 0170 c801 00000000000003e8 8201"
            + " 00 00 00 0161"
            + " 07 016b 0169 01 016e 0176 01 8201 026263";
    byte[] expected = HexFormat.of().parseHex(body.replace(" ", ""));
    assertThat(Arrays.copyOf(block, block.length - 4)).isEqualTo(expected);
    CRC32C crc = new CRC32C();
    crc.update(HexFormat.of().parseHex("f0e1d2c3"));
    crc.update(expected);
    assertThat(ByteBuffer.wrap(block).getInt(block.length - 4)).isEqualTo((int) crc.getValue());
    assertThat(ByteBuffer.wrap(block).getInt()).isEqualTo(block.length);
  }
}
