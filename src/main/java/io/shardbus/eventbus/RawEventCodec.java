package io.shardbus.eventbus;

import io.shardbus.event.EventKey;
import io.shardbus.event.RawEvent;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.MessageCodec;
import java.nio.charset.StandardCharsets;
import org.jspecify.annotations.Nullable;

/**
 * Lets a {@link RawEvent} travel on the event bus: as it is within a node, as bytes, key and hash
 * between nodes.
 */
public final class RawEventCodec implements MessageCodec<RawEvent, RawEvent> {

  private static final int NO_KEY = -1;

  /** A codec. */
  public RawEventCodec() {}

  @Override
  public void encodeToWire(Buffer out, RawEvent event) {
    String key = event.key();
    byte[] utf8 = key == null ? new byte[0] : key.getBytes(StandardCharsets.UTF_8);
    out.appendLong(event.hash())
        .appendInt(key == null ? NO_KEY : utf8.length)
        .appendBytes(utf8)
        .appendInt(event.size())
        .appendBuffer(event.buffer());
  }

  @Override
  public RawEvent decodeFromWire(int position, Buffer in) {
    int at = position;
    long hash = in.getLong(at);
    at += Long.BYTES;
    int keyLength = in.getInt(at);
    at += Integer.BYTES;
    @Nullable String key = null;
    if (keyLength != NO_KEY) {
      key = EventKey.decode(in.getBytes(at, at + keyLength));
      at += keyLength;
    }
    int size = in.getInt(at);
    at += Integer.BYTES;
    Buffer bytes = in.getBuffer(at, at + size);
    return key == null ? RawEvent.ofHash(bytes, hash) : RawEvent.of(bytes, key);
  }

  @Override
  public RawEvent transform(RawEvent event) {
    return event;
  }

  @Override
  public String name() {
    return "shardbus.raw-event";
  }

  @Override
  public byte systemCodecID() {
    return -1;
  }
}
