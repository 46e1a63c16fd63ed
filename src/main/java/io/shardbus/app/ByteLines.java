package io.shardbus.app;

import io.shardbus.event.LineSplitter;
import io.vertx.core.buffer.Buffer;
import java.io.IOException;
import java.io.InputStream;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Queue;
import org.jspecify.annotations.Nullable;

/** Lines as they are in a file or on standard input: bytes, whatever they mean. */
final class ByteLines implements FeedCommand.Lines {

  /** More than any server takes. */
  private static final int MAX_LINE_BYTES = 64 << 20;

  private static final int CHUNK_BYTES = 1 << 16;

  private final InputStream input;
  private final LineSplitter splitter;
  private final Queue<Buffer> ready = new ArrayDeque<>();
  private final byte[] chunk = new byte[CHUNK_BYTES];
  private boolean ended;

  ByteLines(InputStream input) {
    this(input, MAX_LINE_BYTES);
  }

  ByteLines(InputStream input, int maxLineBytes) {
    this.input = input;
    splitter = new LineSplitter(maxLineBytes);
  }

  @Override
  public byte @Nullable [] next() throws IOException {
    try {
      while (ready.isEmpty() && !ended) {
        int read = input.read(chunk); // what is there: a program may write a line at a time
        if (read > 0) {
          splitter.feed(Buffer.buffer(Arrays.copyOf(chunk, read)), ready::add);
        } else {
          ended = true;
          splitter.end(ready::add);
        }
      }
    } catch (LineSplitter.LineTooLongException e) {
      throw new IOException(e.getMessage(), e);
    }
    Buffer line = ready.poll();
    return line == null ? null : line.getBytes();
  }
}
