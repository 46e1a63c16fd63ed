package io.shardbus.event;

import io.vertx.core.buffer.Buffer;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Writes numbers, texts and bytes one after the other, for the formats on disk and between nodes.
 * Numbers are big-endian, or varints as in Protocol Buffers: seven bits a byte, the lowest first;
 * the highest bit says that another byte follows. {@link ByteReader} reads them. Not safe for
 * several threads at once.
 */
public final class ByteWriter {

  private static final int VARINT_BITS = 7;
  private static final int MAX_VARINT_BYTES = 10;

  private byte[] bytes;
  private int at;

  /**
   * A writer.
   *
   * @param expected how many bytes there will be, about
   */
  public ByteWriter(int expected) {
    bytes = new byte[expected];
  }

  private void room(int more) {
    if (more > bytes.length - at) {
      bytes =
          Arrays.copyOf(bytes, Math.max(Math.addExact(at, more), bytes.length + bytes.length / 2));
    }
  }

  /**
   * Writes one byte.
   *
   * @param value its lowest eight bits count
   */
  public void int8(int value) {
    room(Byte.BYTES);
    bytes[at++] = (byte) value;
  }

  /**
   * Writes two bytes.
   *
   * @param value its lowest 16 bits count
   */
  public void uint16(int value) {
    int8(value >> Byte.SIZE);
    int8(value);
  }

  /**
   * Writes four bytes.
   *
   * @param value the number
   */
  public void int32(int value) {
    room(Integer.BYTES);
    ByteBuffer.wrap(bytes).putInt(at, value);
    at += Integer.BYTES;
  }

  /**
   * Writes eight bytes.
   *
   * @param value the number
   */
  public void int64(long value) {
    room(Long.BYTES);
    ByteBuffer.wrap(bytes).putLong(at, value);
    at += Long.BYTES;
  }

  /**
   * Writes a number in one to ten bytes.
   *
   * @param value a negative one takes ten bytes
   */
  public void varint(long value) {
    room(MAX_VARINT_BYTES);
    long rest = value;
    while ((rest & ~0x7fL) != 0) {
      bytes[at++] = (byte) (rest | 0x80);
      rest >>>= VARINT_BITS;
    }
    bytes[at++] = (byte) rest;
  }

  /**
   * Writes bytes, without their number.
   *
   * @param some the bytes
   */
  public void bytes(byte[] some) {
    room(some.length);
    System.arraycopy(some, 0, bytes, at, some.length);
    at += some.length;
  }

  /**
   * Writes bytes, without their number.
   *
   * @param some the bytes
   */
  public void buffer(Buffer some) {
    room(some.length());
    some.getBytes(bytes, at);
    at += some.length();
  }

  /**
   * Writes a text: its length in bytes as a varint, and its UTF-8.
   *
   * @param text the text
   */
  public void text(String text) {
    byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
    varint(utf8.length);
    bytes(utf8);
  }

  /** {@return a copy of all that was written} */
  public byte[] toBytes() {
    return Arrays.copyOf(bytes, at);
  }

  /** {@return all that was written; not copied, so nothing may be written after it} */
  public Buffer toBuffer() {
    return BufferAccess.wrap(bytes, at);
  }
}
