package io.shardbus.eventbus;

import io.shardbus.event.AttributeCodec;
import io.shardbus.event.ByteReader;
import io.shardbus.event.ByteWriter;
import io.shardbus.event.RawEvent;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.MessageCodec;

/**
 * Lets a {@link RawEvent} travel on the event bus: as it is within a node, as bytes with its
 * attributes and hash between nodes.
 */
public final class RawEventCodec implements MessageCodec<RawEvent, RawEvent> {

  /** Hash, length, and the attributes of an event that has none. */
  private static final int FRAME_BYTES = 13;

  /** Their kinds, the number of headers, and a length of up to 5 bytes for each text. */
  private static final long TEXT_BYTES = 5;

  /** A codec. */
  public RawEventCodec() {}

  @Override
  public void encodeToWire(Buffer out, RawEvent event) {
    ByteWriter bytes = new ByteWriter((int) frameBytes(event));
    write(bytes, event);
    out.appendBuffer(bytes.toBuffer());
  }

  @Override
  public RawEvent decodeFromWire(int position, Buffer in) {
    return read(new ByteReader(in, position, in.length()));
  }

  /** How many bytes an event takes, or a few more. */
  static long frameBytes(RawEvent event) {
    int texts = (event.key() == null ? 0 : 1) + (event.id() == null ? 0 : 1);
    int headers = event.headers().size();
    return FRAME_BYTES
        + event.totalSize()
        + TEXT_BYTES * (texts + 2 * headers)
        + (headers == 0 ? 0 : 1);
  }

  static void write(ByteWriter out, RawEvent event) {
    out.int64(event.hash());
    AttributeCodec.write(out, event.key(), event.id(), event.headers());
    out.int32(event.size());
    out.buffer(event.buffer());
  }

  static RawEvent read(ByteReader in) {
    long hash = in.int64();
    AttributeCodec.Attributes attributes = AttributeCodec.read(in);
    RawEvent.Builder builder =
        RawEvent.builder(in.buffer(in.int32()))
            .key(attributes.key())
            .id(attributes.id())
            .headers(attributes.headers());
    return attributes.key() == null ? builder.hash(hash).build() : builder.build();
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
