package io.shardbus.event;

import io.netty.buffer.ByteBuf;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.internal.buffer.BufferInternal;
import java.nio.ByteOrder;
import net.openhft.hashing.Access;
import net.openhft.hashing.LongHashFunction;

/**
 * Reads Vert.x buffers, on or off heap, without a copy. Where it can, it looks at what is behind
 * them: byte by byte through their own methods, hashing takes half as long again, and looking for a
 * byte many times as long.
 */
final class BufferAccess extends Access<Buffer> {

  private static final BufferAccess INSTANCE = new BufferAccess();

  private BufferAccess() {}

  static long hash(LongHashFunction function, Buffer bytes) {
    int length = bytes.length();
    if (bytes instanceof BufferInternal known) {
      ByteBuf content = known.unwrap();
      if (content.hasArray()) {
        return function.hashBytes(content.array(), content.arrayOffset(), length);
      }
    }
    return function.hash(bytes, INSTANCE, 0, length);
  }

  /** Where the first such byte is, from an index on; -1 if there is none. */
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
