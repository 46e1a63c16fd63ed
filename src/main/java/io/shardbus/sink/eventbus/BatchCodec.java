package io.shardbus.sink.eventbus;

import io.shardbus.event.AttributeCodec;
import io.shardbus.event.Batch;
import io.shardbus.event.ByteReader;
import io.shardbus.event.ByteWriter;
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
    ByteWriter out = new ByteWriter((int) Math.min(payloads + 128, Integer.MAX_VALUE / 2));
    byte[] producer = batch.producer().id().getBytes(StandardCharsets.UTF_8);
    out.int8(VERSION);
    out.uint16(producer.length);
    out.bytes(producer);
    out.int64(batch.producer().epoch());
    out.int32(batch.shard());
    out.int32(batch.size());
    for (ShardEvent event : batch.events()) {
      out.int64(event.sequence());
      out.int64(event.timestamp());
      AttributeCodec.write(out, event.key(), event.id(), event.headers());
      out.int32(event.payload().length());
      out.buffer(event.payload());
    }
    return out.toBuffer();
  }

  /**
   * @throws IllegalArgumentException if the bytes are no batch of this version
   */
  static Batch decode(Buffer in) {
    try {
      return batch(new ByteReader(in, 0, in.length()));
    } catch (InvalidEventException | IllegalArgumentException e) {
      throw new IllegalArgumentException(
          "a batch of " + in.length() + " bytes is cut off or damaged: " + e.getMessage(), e);
    }
  }

  private static Batch batch(ByteReader in) {
    int version = in.int8();
    if (version != VERSION) {
      throw new IllegalArgumentException("it has version " + version + ", known is " + VERSION);
    }
    ProducerId producer = new ProducerId(in.text("the producer", in.uint16()), in.int64());
    int shard = in.int32();
    int count = in.int32();
    if (count < 1) {
      throw new IllegalArgumentException("it claims " + count + " events");
    }
    List<ShardEvent> events = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      events.add(event(shard, in));
    }
    return new Batch(shard, events.get(0).sequence(), List.copyOf(events), producer);
  }

  private static ShardEvent event(int shard, ByteReader in) {
    long sequence = in.int64();
    long timestamp = in.int64();
    AttributeCodec.Attributes attributes = AttributeCodec.read(in);
    return new ShardEvent(
        shard,
        sequence,
        timestamp,
        in.buffer(in.int32()),
        attributes.key(),
        attributes.id(),
        attributes.headers());
  }
}
