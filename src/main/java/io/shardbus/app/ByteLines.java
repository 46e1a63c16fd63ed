package io.shardbus.app;

import io.shardbus.event.LineSplitter;
import io.vertx.core.buffer.Buffer;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/** Lines of a file or of standard input, as bytes. Does not interpret them. */
final class ByteLines implements Lines {

  /** More than any server takes. */
  private static final int MAX_LINE_BYTES = 64 << 20;

  private static final int CHUNK_BYTES = 1 << 16;

  private final String name;
  private final InputStream input;
  private final LineSplitter splitter;
  private final Queue<Buffer> ready = new ArrayDeque<>();
  private final byte[] chunk = new byte[CHUNK_BYTES];
  private boolean ended;
  private @Nullable IOException failure;

  /**
   * @param name of the input, for messages
   */
  ByteLines(String name, InputStream input) {
    this(name, input, MAX_LINE_BYTES);
  }

  ByteLines(String name, InputStream input, int maxLineBytes) {
    this.name = name;
    this.input = input;
    splitter = new LineSplitter(maxLineBytes);
  }

  @Override
  public byte @Nullable [] next() throws IOException {
    while (ready.isEmpty() && !ended) {
      read();
    }
    if (ready.isEmpty() && failure != null) {
      throw failure;
    }
    Buffer line = ready.poll();
    return line == null ? null : line.getBytes();
  }

  @Override
  public boolean nextWouldWait() throws IOException {
    // An incomplete line must not hold up the lines before it.
    while (ready.isEmpty() && !ended && input.available() > 0) {
      read();
    }
    return ready.isEmpty() && !ended;
  }

  private void read() {
    try {
      int read = input.read(chunk); // the available bytes: a program may write a line at a time
      if (read > 0) {
        splitter.feed(Buffer.buffer(Arrays.copyOf(chunk, read)), ready::add);
      } else {
        ended = true;
        splitter.end(ready::add);
      }
    } catch (IOException | LineSplitter.LineTooLongException e) {
      ended = true;
      failure = unreadable(name, e);
    }
  }

  static IOException unreadable(String name, Exception e) {
    String why =
        e instanceof EOFException ? "the gzip file is empty or cut short" : Failures.describe(e);
    return new IOException(name + ": " + why, e);
  }
}
