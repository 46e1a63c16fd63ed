package io.shardbus.sink.log;

import io.shardbus.event.AttributeCodec;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.vertx.core.buffer.Buffer;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.UUID;
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
  private static final int VARINT_BITS = 7;
  private static final int UUID_CHARS = 36;
  private static final int MAX_VARINT_SHIFT = 63;

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
   * @param first the position of the first event
   * @param producer the producer of all events
   * @param events at least one, of one shard, with rising sequences
   */
  static byte[] encode(long first, ProducerId producer, List<ShardEvent> events) {
    long least = Long.MAX_VALUE;
    long greatest = Long.MIN_VALUE;
    long bytes = HEADER_BYTES;
    for (ShardEvent event : events) {
      least = Math.min(least, event.timestamp());
      greatest = Math.max(greatest, event.timestamp());
      bytes += EVENT_BYTES + event.size();
    }
    ShardEvent begin = events.get(0);
    Out out = new Out((int) Math.min(bytes, Integer.MAX_VALUE - HEADER_BYTES));
    out.at = LENGTH_BYTES;
    out.varint(first);
    out.varint(events.size());
    out.varint(begin.shard());
    out.varint(producer.epoch());
    out.producer(producer.id());
    out.varint(begin.sequence());
    out.fixed(least);
    out.varint(greatest - least);
    long expected = begin.sequence();
    for (ShardEvent event : events) {
      out.attributes(AttributeCodec.bytes(event));
      out.varint(event.sequence() - expected);
      out.varint(event.timestamp() - least);
      out.payload(event.payload());
      expected = event.sequence() + 1;
    }
    return out.sealed();
  }

  /**
   * Reads a block.
   *
   * @param bytes what {@link #encode} made, or what became of it
   * @return the block; null if the bytes are damaged
   */
  static @Nullable Block decode(byte[] bytes) {
    if (!isSound(bytes)) {
      return null;
    }
    try {
      return new In(bytes).block();
    } catch (RuntimeException e) { // whatever the bytes are, other blocks must be read
      return null;
    }
  }

  private static boolean isSound(byte[] bytes) {
    int end = bytes.length - CHECKSUM_BYTES;
    if (end < LENGTH_BYTES) {
      return false;
    }
    ByteBuffer in = ByteBuffer.wrap(bytes);
    return in.getInt(0) == bytes.length && in.getInt(end) == checksum(bytes, end);
  }

  private static int checksum(byte[] bytes, int end) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, 0, end);
    return (int) crc.getValue();
  }

  /** Null if the text is not one as {@link UUID#toString} writes it. */
  private static @Nullable UUID uuid(String text) {
    if (text.length() != UUID_CHARS) {
      return null;
    }
    try {
      UUID uuid = UUID.fromString(text);
      return uuid.toString().equals(text) ? uuid : null;
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  private static final class Out {

    private byte[] bytes;
    private int at;

    Out(int expected) {
      bytes = new byte[expected];
    }

    private void room(int more) {
      if (more > bytes.length - at) {
        bytes = Arrays.copyOf(bytes, Math.max(at + more, bytes.length + bytes.length / 2));
      }
    }

    void varint(long value) {
      room(MAX_VARINT_SHIFT / VARINT_BITS + 1);
      long rest = value;
      while ((rest & ~0x7fL) != 0) {
        bytes[at++] = (byte) (rest | 0x80);
        rest >>>= VARINT_BITS;
      }
      bytes[at++] = (byte) rest;
    }

    void fixed(long value) {
      room(Long.BYTES);
      ByteBuffer.wrap(bytes).putLong(at, value);
      at += Long.BYTES;
    }

    void producer(String id) {
      UUID uuid = uuid(id);
      if (uuid == null) {
        byte[] utf8 = id.getBytes(StandardCharsets.UTF_8);
        varint(utf8.length);
        append(utf8);
      } else {
        varint(0);
        fixed(uuid.getMostSignificantBits());
        fixed(uuid.getLeastSignificantBits());
      }
    }

    void attributes(byte @Nullable [] attributes) {
      if (attributes == null) {
        room(1);
        bytes[at++] = 0;
      } else {
        append(attributes);
      }
    }

    void payload(Buffer payload) {
      int length = payload.length();
      varint(length);
      room(length);
      payload.getBytes(bytes, at);
      at += length;
    }

    private void append(byte[] some) {
      room(some.length);
      System.arraycopy(some, 0, bytes, at, some.length);
      at += some.length;
    }

    byte[] sealed() {
      byte[] all = Arrays.copyOf(bytes, at + CHECKSUM_BYTES);
      ByteBuffer block = ByteBuffer.wrap(all).putInt(0, all.length);
      block.putInt(at, checksum(all, at));
      return all;
    }
  }

  private static final class In {

    private final Buffer in;
    private final int end;
    private int at = LENGTH_BYTES;

    In(byte[] bytes) {
      in = Buffer.buffer(bytes);
      end = bytes.length - CHECKSUM_BYTES;
    }

    @Nullable Block block() {
      long first = varint();
      int count = Math.toIntExact(varint());
      int shard = Math.toIntExact(varint());
      long epoch = varint();
      ProducerId producer = new ProducerId(producer(), epoch);
      long sequence = varint();
      long least = fixed();
      varint(); // the greatest time
      List<ShardEvent> events = new ArrayList<>(Math.min(count, MAX_EVENTS));
      for (int i = 0; i < count; i++) {
        AttributeCodec.Attributes attributes = AttributeCodec.read(in, at);
        at = attributes.end();
        sequence += varint();
        long time = least + varint();
        int length = Math.toIntExact(varint());
        Buffer payload = in.getBuffer(at, at + length);
        at += length;
        events.add(
            new ShardEvent(
                shard,
                sequence,
                time,
                payload,
                attributes.key(),
                attributes.id(),
                attributes.headers()));
        sequence++;
      }
      return count > 0 && at == end ? new Block(first, producer, events) : null;
    }

    private long varint() {
      long value = 0;
      for (int shift = 0; shift <= MAX_VARINT_SHIFT; shift += VARINT_BITS) {
        byte some = in.getByte(at++);
        value |= (some & 0x7fL) << shift;
        if (some >= 0) {
          return value;
        }
      }
      throw new IllegalArgumentException("a number is too large");
    }

    private long fixed() {
      long value = in.getLong(at);
      at += Long.BYTES;
      return value;
    }

    private String producer() {
      int length = Math.toIntExact(varint());
      if (length == 0) {
        return new UUID(fixed(), fixed()).toString();
      }
      String text = in.getString(at, at + length, "UTF-8");
      at += length;
      return text;
    }
  }
}
