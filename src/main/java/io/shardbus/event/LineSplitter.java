package io.shardbus.event;

import io.vertx.core.buffer.Buffer;
import java.util.function.Consumer;

/**
 * Cuts NDJSON that comes in chunks into its lines. A line that fills most of its chunk is a slice
 * of it. A smaller line is copied, because a slice would keep the whole chunk in memory. Lines end
 * with LF or CR LF; blank lines are passed over. Not safe for threads.
 */
public final class LineSplitter implements EventSplitter {

  private final int maxLineBytes;
  private final ByteBlocks partial = new ByteBlocks();
  private long line;

  /**
   * @param maxLineBytes the longest line allowed, in bytes, without its end
   */
  public LineSplitter(int maxLineBytes) {
    if (maxLineBytes < 1) {
      throw new IllegalArgumentException("maxLineBytes: " + maxLineBytes + " must be at least 1");
    }
    this.maxLineBytes = maxLineBytes;
  }

  @Override
  public void feed(Buffer chunk, Consumer<Buffer> line) {
    int start = 0;
    for (int end = lineEnd(chunk, 0); end >= 0; end = lineEnd(chunk, start)) {
      emit(chunk, start, end, line);
      start = end + 1;
    }
    if (start < chunk.length()) {
      requireLength((long) partial.length() + chunk.length() - start);
      partial.append(chunk, start, chunk.length());
    }
  }

  /** {@return the number of the line that was given last, from 1; blank lines count} */
  @Override
  public long line() {
    return line;
  }

  @Override
  public int partialBytes() {
    return partial.memory();
  }

  /**
   * Looks for the end of a line.
   *
   * @param bytes where
   * @param from the index from which on
   * @return the index of the first LF; -1 if there is none
   */
  public static int lineEnd(Buffer bytes, int from) {
    return BufferAccess.indexOf(bytes, from, (byte) '\n');
  }

  /** What follows the last line end is a line too. */
  @Override
  public void end(Consumer<Buffer> line) {
    if (partial.length() > 0) {
      emit(Buffer.buffer(0), 0, 0, line);
    }
  }

  private void emit(Buffer chunk, int from, int to, Consumer<Buffer> then) {
    line++;
    boolean inOne = partial.length() == 0;
    Buffer whole = inOne ? chunk : partial.join(chunk, from, to);
    int start = inOne ? from : 0;
    int end = inOne ? to : whole.length();
    if (end > start && whole.getByte(end - 1) == '\r') {
      end--;
    }
    if (end - start > maxLineBytes) {
      throw new LineTooLongException("line", line, maxLineBytes);
    }
    for (int i = start; i < end; i++) {
      byte b = whole.getByte(i);
      if (b != ' ' && b != '\t') {
        then.accept(part(whole, start, end));
        return;
      }
    }
  }

  static Buffer part(Buffer whole, int from, int to) {
    return to - from < whole.length() / 2
        ? BufferAccess.wrap(whole.getBytes(from, to))
        : whole.slice(from, to);
  }

  private void requireLength(long bytes) {
    // One more: a line that is being kept may still end in CR.
    if (bytes > (long) maxLineBytes + 1) {
      throw new LineTooLongException("line", line + 1, maxLineBytes);
    }
  }

  /** A line over the limit. Stackless. */
  public static final class LineTooLongException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    LineTooLongException(String what, long number, int maxLineBytes) {
      super(what + " " + number + " is longer than " + maxLineBytes + " bytes", null, false, false);
    }
  }
}
