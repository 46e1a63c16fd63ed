package io.shardbus.eventbus;

import io.shardbus.event.AttributeCodec;
import io.shardbus.event.InvalidEventException;
import io.shardbus.event.RawEvent;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.MessageCodec;

/**
 * Lets a {@link RawEvent} travel on the event bus: as it is within a node, as bytes with its
 * attributes and hash between nodes.
 */
public final class RawEventCodec implements MessageCodec<RawEvent, RawEvent> {

  /** A codec. */
  public RawEventCodec() {}

  @Override
  public void encodeToWire(Buffer out, RawEvent event) {
    out.appendLong(event.hash());
    AttributeCodec.write(out, event.key(), event.id(), event.headers());
    out.appendInt(event.size()).appendBuffer(event.buffer());
  }

  @Override
  public RawEvent decodeFromWire(int position, Buffer in) {
    return decode(position, in).event();
  }

  /**
   * An event that was read.
   *
   * @param event the event
   * @param end the index behind its last byte
   */
  record Decoded(RawEvent event, int end) {}

  static Decoded decode(int position, Buffer in) {
    long hash = in.getLong(position);
    AttributeCodec.Attributes attributes = AttributeCodec.read(in, position + Long.BYTES);
    int at = attributes.end() + Integer.BYTES;
    int size = in.getInt(attributes.end());
    if (size < 0 || size > in.length() - at) {
      throw new InvalidEventException("an event is cut off", at);
    }
    int end = at + size;
    RawEvent.Builder builder =
        RawEvent.builder(in.getBuffer(at, end))
            .key(attributes.key())
            .id(attributes.id())
            .headers(attributes.headers());
    return new Decoded(
        attributes.key() == null ? builder.hash(hash).build() : builder.build(), end);
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
