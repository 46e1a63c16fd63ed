package io.shardbus.sink.eventbus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.event.Batch;
import io.shardbus.event.Headers;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.vertx.core.buffer.Buffer;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class BatchCodecTest {

  private static final Batch BATCH =
      new Batch(
          65_534,
          Long.MAX_VALUE - 1,
          List.of(
              new ShardEvent(
                  65_534, Long.MAX_VALUE - 1, 17, Buffer.buffer(new byte[] {0, -1, 10}), "é\0"),
              new ShardEvent(65_534, Long.MAX_VALUE, 18, Buffer.buffer(), ""),
              new ShardEvent(65_534, Long.MAX_VALUE, 19, Buffer.buffer("x"), null),
              new ShardEvent(
                  65_534,
                  Long.MAX_VALUE,
                  20,
                  Buffer.buffer("y"),
                  null,
                  "id é",
                  Headers.of(Map.of("a", "é", "b", "")))),
          new ProducerId("prodücer", Long.MAX_VALUE));

  @Test
  void batch_comesBackAsItWas() {
    assertThat(BatchCodec.decode(BatchCodec.encode(BATCH))).isEqualTo(BATCH);
  }

  @Test
  void everyPrefix_isRefused() {
    Buffer whole = BatchCodec.encode(BATCH);
    for (int length = 0; length < whole.length(); length++) {
      Buffer prefix = whole.getBuffer(0, length);
      assertThatThrownBy(() -> BatchCodec.decode(prefix))
          .as("%d bytes", length)
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void otherVersions_areRefused() {
    Buffer other = BatchCodec.encode(BATCH).setByte(0, (byte) 1);
    assertThatThrownBy(() -> BatchCodec.decode(other)).hasMessageContaining("version 1");
  }

  /** Whatever bytes are changed, at most those that are there are read. */
  @Test
  void anyBytes_areReadOrRefused() {
    Buffer whole = BatchCodec.encode(BATCH);
    for (int bit = 0; bit < 8 * whole.length(); bit++) {
      readOrRefuse(flipped(whole, bit));
    }
    Random random = new Random(17);
    for (int i = 0; i < 50_000; i++) {
      Buffer damaged = whole;
      for (int flips = 2 + random.nextInt(6); flips > 0; flips--) {
        damaged = flipped(damaged, random.nextInt(8 * whole.length()));
      }
      readOrRefuse(damaged);
    }
  }

  private static Buffer flipped(Buffer whole, int bit) {
    byte flipped = (byte) (whole.getByte(bit / 8) ^ 1 << bit % 8);
    return whole.copy().setByte(bit / 8, flipped);
  }

  private static void readOrRefuse(Buffer bytes) {
    try {
      assertThat(BatchCodec.decode(bytes).size()).isPositive();
    } catch (IllegalArgumentException e) {
      assertThat(e).hasMessageContaining("a batch");
    }
  }
}
