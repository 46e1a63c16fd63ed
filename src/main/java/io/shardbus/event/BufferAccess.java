package io.shardbus.event;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.shardbus.event.PathReader.Step;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.internal.buffer.BufferInternal;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.util.List;
import net.openhft.hashing.Access;
import org.jspecify.annotations.Nullable;

/**
 * Reads Vert.x buffers, on or off heap, without a copy. If it can, it reads the memory behind a
 * buffer directly. Byte by byte through the methods of the buffer, hashing would take half as long
 * again, and a search for a byte many times as long.
 */
final class BufferAccess extends Access<Buffer> {

  private static final BufferAccess INSTANCE = new BufferAccess();

  private BufferAccess() {}

  static long hash(Buffer bytes) {
    int length = bytes.length();
    if (bytes instanceof BufferInternal known) {
      ByteBuf content = known.unwrap();
      if (content.hasArray()) {
        return Xxh3.hash(content.array(), content.arrayOffset(), length);
      }
    }
    return Xxh3.hash(bytes, INSTANCE, length);
  }

  /** A buffer of these very bytes. */
  static Buffer wrap(byte[] bytes) {
    return wrap(bytes, bytes.length);
  }

  /** A buffer of the first of these very bytes. */
  static Buffer wrap(byte[] bytes, int length) {
    return length == 0
        ? Buffer.buffer()
        : BufferInternal.buffer(Unpooled.wrappedBuffer(bytes, 0, length));
  }

  /** Whether it can be seen without a parser. */
  static boolean isJsonForSure(Buffer bytes, int maxDepth) {
    if (bytes instanceof BufferInternal known) {
      ByteBuf content = known.unwrap();
      if (content.hasArray()) {
        int from = content.arrayOffset();
        return JsonScan.isValue(content.array(), from, from + bytes.length(), maxDepth);
      }
    }
    return false;
  }

  /** Looks for a key in checked JSON. */
  static @Nullable String key(Buffer bytes, List<Step> steps, List<byte[]> names) {
    if (bytes instanceof BufferInternal known) {
      ByteBuf content = known.unwrap();
      if (content.hasArray()) {
        int from = content.arrayOffset();
        return new KeyScan(content.array(), from, from + bytes.length(), steps, names).find();
      }
    }
    return new KeyScan(bytes.getBytes(), 0, bytes.length(), steps, names).find();
  }

  /** Whether all bytes are ASCII for sure, looked at eight at a time. */
  static boolean isAscii(Buffer bytes) {
    if (!(bytes instanceof BufferInternal known)) {
      return false;
    }
    ByteBuf in = known.unwrap();
    int at = in.readerIndex();
    int end = at + bytes.length();
    long odd = 0;
    for (; at + Long.BYTES <= end; at += Long.BYTES) {
      odd |= in.getLong(at);
    }
    for (; at < end; at++) {
      odd |= in.getByte(at);
    }
    return (odd & 0x8080808080808080L) == 0;
  }

  /** The index of the first bytes that are not UTF-8; -1 if there are none. */
  static int notUtf8(Buffer bytes) {
    ByteBuffer in =
        bytes instanceof BufferInternal known
            ? known.unwrap().nioBuffer(0, bytes.length())
            : ByteBuffer.wrap(bytes.getBytes());
    CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    CharBuffer out = CharBuffer.allocate(Math.min(bytes.length() + 1, 1024));
    while (true) {
      CoderResult result = decoder.decode(in, out, true);
      if (!result.isOverflow()) {
        return result.isError() ? in.position() : -1;
      }
      out.clear();
    }
  }

  /** The index of the first such byte, from an index on; -1 if there is none. */
  static int indexOf(Buffer bytes, int from, byte wanted) {
    int length = bytes.length();
    if (bytes instanceof BufferInternal known) {
      return known.unwrap().indexOf(from, length, wanted);
    }
    int at = from;
    while (at < length && bytes.getByte(at) != wanted) {
      at++;
    }
    return at < length ? at : -1;
  }

  @Override
  public long getLong(Buffer input, long offset) {
    return input.getLongLE((int) offset);
  }

  @Override
  public int getInt(Buffer input, long offset) {
    return input.getIntLE((int) offset);
  }

  @Override
  public int getShort(Buffer input, long offset) {
    return input.getShortLE((int) offset);
  }

  @Override
  public int getByte(Buffer input, long offset) {
    return input.getByte((int) offset);
  }

  @Override
  public ByteOrder byteOrder(Buffer input) {
    return ByteOrder.LITTLE_ENDIAN;
  }

  @Override
  protected Access<Buffer> reverseAccess() {
    throw new AssertionError("little endian needs no reversal");
  }
}
