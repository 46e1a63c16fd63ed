package io.shardbus.event;

import io.vertx.core.buffer.Buffer;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * Cuts NDJSON that comes in chunks into its lines. A line that lies within a chunk is a slice of
 * it, not a copy; only a line that spans chunks is put together. Lines end with LF or CR LF; blank
 * lines are passed over. Not safe for threads.
 */
public final class LineSplitter {

  private final int maxLineBytes;
  private @Nullable Buffer partial;

  /**
   * @param maxLineBytes the longest line allowed, in bytes, without its end
   */
  public LineSplitter(int maxLineBytes) {
    if (maxLineBytes < 1) {
      throw new IllegalArgumentException("maxLineBytes: " + maxLineBytes + " must be at least 1");
    }
    this.maxLineBytes = maxLineBytes;
  }

  /**
   * Takes a chunk.
   *
   * @param chunk the next bytes; they must not be changed afterwards
   * @param line given each line that is complete
   * @throws LineTooLongException if a line is longer than allowed; the splitter cannot go on
   */
  public void feed(Buffer chunk, Consumer<Buffer> line) {
    int start = 0;
    for (int end = lineEnd(chunk, 0); end >= 0; end = lineEnd(chunk, start)) {
      emit(chunk, start, end, line);
      start = end + 1;
    }
    if (start < chunk.length()) {
      keep(chunk.slice(start, chunk.length()));
    }
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

  /**
   * Takes the end of the input: what follows the last line end is a line too.
   *
   * @param line given the last line, if there is one
   */
  public void end(Consumer<Buffer> line) {
    if (partial != null) {
      emit(Buffer.buffer(0), 0, 0, line);
    }
  }

  private void keep(Buffer rest) {
    Buffer before = partial;
    requireLength((before == null ? 0L : before.length()) + rest.length());
    // A copy: the rest of a line must not keep the whole chunk alive, and the next chunk is
    // appended to it.
    partial = (before == null ? Buffer.buffer(rest.length()) : before).appendBuffer(rest);
  }

  private void emit(Buffer chunk, int from, int to, Consumer<Buffer> line) {
    Buffer before = partial;
    partial = null;
    Buffer whole = before == null ? chunk : before.appendBuffer(chunk.slice(from, to));
    int start = before == null ? from : 0;
    int end = before == null ? to : whole.length();
    if (end > start && whole.getByte(end - 1) == '\r') {
      end--;
    }
    if (end - start > maxLineBytes) {
      throw new LineTooLongException(maxLineBytes);
    }
    for (int i = start; i < end; i++) {
      byte b = whole.getByte(i);
      if (b != ' ' && b != '\t') {
        line.accept(whole.slice(start, end));
        return;
      }
    }
  }

  private void requireLength(long bytes) {
    // One more: a line that is being kept may still end in CR.
    if (bytes > (long) maxLineBytes + 1) {
      throw new LineTooLongException(maxLineBytes);
    }
  }

  /** A line over the limit. Stackless. */
  public static final class LineTooLongException extends RuntimeException {

    private static final long serialVersionUID = 1L;

    LineTooLongException(int maxLineBytes) {
      super("a line is longer than " + maxLineBytes + " bytes", null, false, false);
    }
  }
}
