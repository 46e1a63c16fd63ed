package io.shardbus.sink.eventbus;

import io.shardbus.event.AttributeCodec;
import io.shardbus.event.Batch;
import io.shardbus.event.InvalidEventException;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.vertx.core.buffer.Buffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A batch as bytes, so that it can go to any node; see the package's description. */
final class BatchCodec {

  private static final int VERSION = 2;
  private static final int EVENT_BYTES = 21;

  private BatchCodec() {}

  static Buffer encode(Batch batch) {
    long payloads = 0;
    for (ShardEvent event : batch.events()) {
      payloads += event.size() + EVENT_BYTES;
    }
    Buffer out = Buffer.buffer((int) Math.min(payloads + 128, Integer.MAX_VALUE / 2));
    byte[] producer = batch.producer().id().getBytes(StandardCharsets.UTF_8);
    out.appendByte((byte) VERSION).appendUnsignedShort(producer.length).appendBytes(producer);
    out.appendLong(batch.producer().epoch()).appendInt(batch.shard()).appendInt(batch.size());
    for (ShardEvent event : batch.events()) {
      out.appendLong(event.sequence()).appendLong(event.timestamp());
      AttributeCodec.write(out, event.key(), event.id(), event.headers());
      out.appendInt(event.payload().length()).appendBuffer(event.payload());
    }
    return out;
  }

  /**
   * @throws IllegalArgumentException if the bytes are no batch of this version
   */
  static Batch decode(Buffer in) {
    try {
      return new Reader(in).batch();
    } catch (IndexOutOfBoundsException | InvalidEventException e) {
      throw new IllegalArgumentException(
          "a batch of " + in.length() + " bytes is cut off or damaged", e);
    }
  }

  private static final class Reader {

    private final Buffer in;
    private int at;

    Reader(Buffer in) {
      this.in = in;
    }

    Batch batch() {
      int version = in.getByte(at++);
      if (version != VERSION) {
        throw new IllegalArgumentException(
            "a batch of version " + version + ", known is " + VERSION);
      }
      int producerLength = in.getUnsignedShort(at);
      at += 2;
      ProducerId producer = new ProducerId(text(producerLength), int64());
      int shard = int32();
      int count = int32();
      if (count < 1 || count > in.length() / EVENT_BYTES) {
        throw new IllegalArgumentException("a batch that claims " + count + " events");
      }
      List<ShardEvent> events = new ArrayList<>(count);
      for (int i = 0; i < count; i++) {
        events.add(event(shard));
      }
      return new Batch(shard, events.get(0).sequence(), List.copyOf(events), producer);
    }

    private ShardEvent event(int shard) {
      long sequence = int64();
      long timestamp = int64();
      AttributeCodec.Attributes attributes = AttributeCodec.read(in, at);
      at = attributes.end();
      int length = int32();
      Buffer payload = in.getBuffer(at, at + length);
      at += length;
      return new ShardEvent(
          shard,
          sequence,
          timestamp,
          payload,
          attributes.key(),
          attributes.id(),
          attributes.headers());
    }

    private String text(int length) {
      String text = in.getString(at, at + length, "UTF-8");
      at += length;
      return text;
    }

    private int int32() {
      int value = in.getInt(at);
      at += 4;
      return value;
    }

    private long int64() {
      long value = in.getLong(at);
      at += 8;
      return value;
    }
  }
}
