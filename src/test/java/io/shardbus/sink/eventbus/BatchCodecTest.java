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
}
