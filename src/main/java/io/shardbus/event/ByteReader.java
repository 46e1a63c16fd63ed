package io.shardbus.event;

import io.vertx.core.buffer.Buffer;

/**
 * Reads what {@link ByteWriter} wrote. It believes a length only as far as there are bytes, so that
 * damaged ones cost no memory. Each method throws {@link InvalidEventException} if there are too
 * few bytes. Not safe for several threads at once.
 */
public final class ByteReader {

  private static final int VARINT_BITS = 7;

  private final Buffer in;
  private final int end;
  private int at;

  /**
   * A reader.
   *
   * @param in the bytes
   * @param from the index of the first one
   * @param end the index behind the last one
   */
  public ByteReader(Buffer in, int from, int end) {
    this.in = in;
    this.end = end;
    at = from;
  }

  /** {@return the index of the next byte} */
  public int at() {
    return at;
  }

  /** {@return whether all is read} */
  public boolean atEnd() {
    return at == end;
  }

  /** Where these bytes are. */
  private int pass(int bytes) {
    if (bytes < 0 || bytes > end - at) {
      throw new InvalidEventException("the bytes of an event are cut off", at);
    }
    int from = at;
    at += bytes;
    return from;
  }

  /** {@return one byte} */
  public byte int8() {
    return in.getByte(pass(Byte.BYTES));
  }

  /** {@return two bytes, from 0 on} */
  public int uint16() {
    return in.getUnsignedShort(pass(Short.BYTES));
  }

  /** {@return four bytes} */
  public int int32() {
    return in.getInt(pass(Integer.BYTES));
  }

  /** {@return eight bytes} */
  public long int64() {
    return in.getLong(pass(Long.BYTES));
  }

  /** {@return a number of one to ten bytes} */
  public long varint() {
    long value = 0;
    for (int shift = 0; shift < Long.SIZE; shift += VARINT_BITS) {
      byte some = int8();
      value |= (some & 0x7fL) << shift;
      if (some >= 0) {
        return value;
      }
    }
    throw new InvalidEventException("a number is too large", at);
  }

  /**
   * A small number of one to five bytes.
   *
   * @return 0 to 2147483647
   */
  public int count() {
    long value = varint();
    if (value < 0 || value > Integer.MAX_VALUE) {
      throw new InvalidEventException("a number is too large", at);
    }
    return (int) value;
  }

  /**
   * Some bytes.
   *
   * @param length how many
   * @return a copy of them
   */
  public Buffer buffer(int length) {
    int from = pass(length);
    return in.getBuffer(from, at);
  }

  /**
   * A text.
   *
   * @param what it is, for the error if it is not UTF-8
   * @param length in bytes
   * @return the text
   */
  public String text(String what, int length) {
    int from = pass(length);
    return EventText.decode(what, in.getBytes(from, at));
  }
}
