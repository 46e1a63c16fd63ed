package io.shardbus.event;

import io.vertx.core.buffer.Buffer;
import java.nio.ByteOrder;
import net.openhft.hashing.Access;

/** Lets the hash read a Vert.x buffer, on or off heap, without a copy. */
final class BufferAccess extends Access<Buffer> {

  static final BufferAccess INSTANCE = new BufferAccess();

  private BufferAccess() {}

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
