package io.shardbus.eventbus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.shardbus.event.InvalidEventException;
import io.shardbus.event.RawEvent;
import io.vertx.core.buffer.Buffer;
import java.util.List;
import org.junit.jupiter.api.Test;

class PublisherProtocolTest {

  @Test
  void decode_readsWhatEncodeWrote() {
    List<RawEvent> events =
        List.of(
            RawEvent.of(Buffer.buffer("1"), "é\uD83D\uDE00"),
            RawEvent.of("22"),
            RawEvent.of(Buffer.buffer(), ""));
    assertThat(PublisherProtocol.decode(PublisherProtocol.encode(events)))
        .extracting(RawEvent::key, RawEvent::hash, event -> event.buffer().toString())
        .containsExactly(
            tuple("é\uD83D\uDE00", events.get(0).hash(), "1"),
            tuple(null, events.get(1).hash(), "22"),
            tuple("", events.get(2).hash(), ""));
  }

  @Test
  void keyThatIsNotUtf8_isRefused() {
    for (byte[] key : new byte[][] {{(byte) 0xFF}, {(byte) 0xED, (byte) 0xA0, (byte) 0x80}}) {
      Buffer body =
          Buffer.buffer()
              .appendLong(1)
              .appendByte((byte) 1)
              .appendByte((byte) key.length)
              .appendBytes(key)
              .appendInt(1)
              .appendString("1");
      assertThatThrownBy(() -> PublisherProtocol.decode(body))
          .isInstanceOf(InvalidEventException.class)
          .hasMessage("the key is not UTF-8");
    }
  }

  /** Whatever bit is changed, at most the bytes that are there are read. */
  @Test
  void anyBytes_areReadOrRefused() {
    RawEvent event =
        RawEvent.builder(Buffer.buffer("{}")).key("k").id("i").header("name", "value").build();
    Buffer whole = PublisherProtocol.encode(List.of(event, event));
    for (int bit = 0; bit < 8 * whole.length(); bit++) {
      byte flipped = (byte) (whole.getByte(bit / 8) ^ 1 << bit % 8);
      Buffer damaged = whole.copy().setByte(bit / 8, flipped);
      try {
        assertThat(PublisherProtocol.decode(damaged)).isNotEmpty();
      } catch (InvalidEventException e) {
        assertThat(e.getMessage()).isNotEmpty();
      }
    }
  }
}
