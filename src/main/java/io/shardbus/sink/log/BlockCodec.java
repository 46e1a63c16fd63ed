package io.shardbus.sink.log;

import io.shardbus.event.AttributeCodec;
import io.shardbus.event.ByteReader;
import io.shardbus.event.ByteWriter;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.vertx.core.buffer.Buffer;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Blocks as bytes: some events of one shard with their positions in the log, and a checksum. The
 * package describes each byte.
 */
final class BlockCodec {

  /** The most events of a block. A page of a reader may need one of them, and decodes all. */
  static final int MAX_EVENTS = 1_024;

  /** A block that has as many bytes of events gets no further event. */
  static final int MAX_BYTES = 256 << 10;

  private static final int LENGTH_BYTES = 4;
  private static final int CHECKSUM_BYTES = 4;

  /** What a block takes beside its events, about, and an event beside its payload. */
  private static final int HEADER_BYTES = 96;

  private static final int EVENT_BYTES = 16;

  private BlockCodec() {}

  /**
   * What was read.
   *
   * @param first the position of the first event; the others follow without gaps
   * @param producer the producer of all events
   * @param events at least one, of one shard, by sequence
   */
  record Block(long first, ProducerId producer, List<ShardEvent> events) {

    long last() {
      return first + events.size() - 1;
    }
  }

  /**
   * A block of events.
   *
   * @param file the number of the file in which the block holds
   * @param first the position of the first event
   * @param producer the producer of all events
   * @param events at least one, of one shard, with rising sequences
   */
  static byte[] encode(int file, long first, ProducerId producer, List<ShardEvent> events) {
    long least = Long.MAX_VALUE;
    long greatest = Long.MIN_VALUE;
    long bytes = HEADER_BYTES;
    for (ShardEvent event : events) {
      least = Math.min(least, event.timestamp());
      greatest = Math.max(greatest, event.timestamp());
      bytes += EVENT_BYTES + event.size();
    }
    ShardEvent begin = events.get(0);
    ByteWriter out = new ByteWriter((int) Math.min(bytes, Integer.MAX_VALUE - HEADER_BYTES));
    out.int32(0); // the length, when it is known
    out.varint(first);
    out.varint(events.size());
    out.varint(begin.shard());
    out.varint(producer.epoch());
    out.text(producer.id());
    out.varint(begin.sequence());
    out.int64(least);
    out.varint(greatest - least);
    long expected = begin.sequence();
    for (ShardEvent event : events) {
      AttributeCodec.write(out, event.key(), event.id(), event.headers());
      out.varint(event.sequence() - expected);
      out.varint(event.timestamp() - least);
      out.varint(event.payload().length());
      out.buffer(event.payload());
      expected = event.sequence() + 1;
    }
    out.int32(0); // the checksum
    return sealed(file, out.toBytes());
  }

  private static byte[] sealed(int file, byte[] bytes) {
    int end = bytes.length - CHECKSUM_BYTES;
    ByteBuffer block = ByteBuffer.wrap(bytes).putInt(0, bytes.length);
    block.putInt(end, checksum(file, bytes, end));
    return bytes;
  }

  /**
   * Reads a block.
   *
   * @param file the number of the file in which it was found
   * @param bytes what {@link #encode} made, or what became of it
   * @return the block; null if the bytes are damaged, or of another file
   */
  static @Nullable Block decode(int file, byte[] bytes) {
    if (!isSound(file, bytes)) {
      return null;
    }
    try {
      int end = bytes.length - CHECKSUM_BYTES;
      return block(new ByteReader(Buffer.buffer(bytes), LENGTH_BYTES, end));
    } catch (RuntimeException e) { // whatever the bytes are, other blocks must be read
      return null;
    }
  }

  private static boolean isSound(int file, byte[] bytes) {
    int end = bytes.length - CHECKSUM_BYTES;
    if (end < LENGTH_BYTES) {
      return false;
    }
    ByteBuffer in = ByteBuffer.wrap(bytes);
    return in.getInt(0) == bytes.length && in.getInt(end) == checksum(file, bytes, end);
  }

  private static int checksum(int file, byte[] bytes, int end) {
    CRC32C crc = new CRC32C();
    crc.update(ByteBuffer.allocate(Integer.BYTES).putInt(0, file));
    crc.update(bytes, 0, end);
    return (int) crc.getValue();
  }

  private static @Nullable Block block(ByteReader in) {
    long first = in.varint();
    int count = in.count();
    int shard = in.count();
    long epoch = in.varint();
    ProducerId producer = new ProducerId(in.text("the producer", in.count()), epoch);
    long sequence = in.varint();
    long least = in.int64();
    in.varint(); // the greatest time
    List<ShardEvent> events = new ArrayList<>(Math.min(count, MAX_EVENTS));
    for (int i = 0; i < count; i++) {
      AttributeCodec.Attributes attributes = AttributeCodec.read(in);
      sequence += in.varint();
      long time = least + in.varint();
      events.add(
          new ShardEvent(
              shard,
              sequence,
              time,
              in.buffer(in.count()),
              attributes.key(),
              attributes.id(),
              attributes.headers()));
      sequence++;
    }
    return count > 0 && in.atEnd() ? new Block(first, producer, events) : null;
  }
}
