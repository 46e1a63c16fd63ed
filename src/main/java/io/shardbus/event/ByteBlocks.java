package io.shardbus.event;

import io.vertx.core.buffer.Buffer;
import java.util.ArrayList;
import java.util.List;

/**
 * Collects bytes that come in pieces, and joins them. It copies small pieces into blocks of up to
 * 64 KiB; the first blocks are as small as the pieces. A single growing buffer would take up to
 * twice the memory of its content, and three times while it grows. Not safe for threads.
 */
public final class ByteBlocks {

  private static final int BLOCK_BYTES = 64 << 10;
  private static final byte[] NONE = {};

  private final List<byte[]> full = new ArrayList<>(0);
  private byte[] last = NONE;
  private int filled; // of the last one
  private int length;
  private int memory;

  /** Holds nothing yet. */
  public ByteBlocks() {}

  /** {@return how many bytes there are} */
  public int length() {
    return length;
  }

  /** {@return the memory that they take, in bytes; 0 if there are none} */
  public int memory() {
    return memory;
  }

  /**
   * Copies a piece behind what is there.
   *
   * @param piece the bytes
   * @param from index of the first one
   * @param to index behind the last one
   * @throws ArithmeticException if there were more than 2 GiB in all
   */
  public void append(Buffer piece, int from, int to) {
    int room = Math.min(last.length - filled, to - from);
    copy(piece, from, from + room);
    int rest = to - from - room;
    if (rest > 0) {
      if (filled > 0) {
        full.add(last);
      }
      last = new byte[Math.max(rest, Math.min(length, BLOCK_BYTES))];
      memory = Math.addExact(memory, last.length);
      filled = 0;
      copy(piece, from + room, to);
    }
  }

  private void copy(Buffer piece, int from, int to) {
    piece.getBytes(from, to, last, filled);
    filled += to - from;
    length += to - from;
  }

  /**
   * Everything, and a last piece; nothing is left here.
   *
   * @param piece the last bytes
   * @param from index of the first one
   * @param to index behind the last one
   * @return all of it
   * @throws ArithmeticException if it is more than 2 GiB
   */
  public Buffer join(Buffer piece, int from, int to) {
    byte[] all = new byte[Math.addExact(length, to - from)];
    int at = 0;
    for (byte[] block : full) {
      System.arraycopy(block, 0, all, at, block.length);
      at += block.length;
    }
    System.arraycopy(last, 0, all, at, filled);
    piece.getBytes(from, to, all, length);
    clear();
    return BufferAccess.wrap(all);
  }

  /** Lets go of everything. */
  public void clear() {
    full.clear();
    last = NONE;
    filled = 0;
    length = 0;
    memory = 0;
  }
}
