package io.shardbus.event;

import io.vertx.core.buffer.Buffer;
import java.util.function.Consumer;

/**
 * Cuts a JSON array that comes in chunks into its elements. Elements are not checked, only their
 * ends are looked for. Not safe for threads.
 */
public final class ArraySplitter implements EventSplitter {

  private final int maxBytes;
  private final ByteBlocks partial = new ByteBlocks();
  private long line;
  private int depth;
  private boolean inString;
  private boolean escaped;
  private boolean inElement;
  private boolean ended;

  /**
   * @param maxBytes the longest element allowed, in bytes, with the white space around it
   */
  public ArraySplitter(int maxBytes) {
    this.maxBytes = maxBytes;
  }

  @Override
  public void feed(Buffer chunk, Consumer<Buffer> event) {
    int start = 0;
    for (int i = 0; i < chunk.length(); i++) {
      byte b = chunk.getByte(i);
      if (inString) {
        string(b);
        continue;
      }
      if (b == ' ' || b == '\t' || b == '\n' || b == '\r') {
        continue;
      }
      if (depth == 0) {
        if (ended || b != '[') {
          throw new InvalidEventException("one JSON array is expected", -1);
        }
        depth = 1;
        start = i + 1;
      } else if (depth == 1 && (b == ',' || b == ']' || b == '}')) {
        endElement(b, chunk, start, i, event);
        start = i + 1;
      } else {
        inElement = true;
        inString = b == '"';
        depth += b == '[' || b == '{' ? 1 : b == ']' || b == '}' ? -1 : 0;
      }
    }
    if (depth > 0 && start < chunk.length()) {
      requireLength((long) partial.length() + chunk.length() - start);
      partial.append(chunk, start, chunk.length());
    }
  }

  private void string(byte b) {
    if (escaped) {
      escaped = false;
    } else {
      escaped = b == '\\';
      inString = b != '"';
    }
  }

  private void endElement(byte by, Buffer chunk, int from, int to, Consumer<Buffer> event) {
    boolean empty = by == ']' && line == 0;
    if (by == '}' || (!inElement && !empty)) {
      throw new InvalidEventException("the JSON array is broken behind element " + line, -1);
    }
    requireLength((long) partial.length() + to - from);
    if (inElement) {
      line++;
      event.accept(
          partial.length() == 0
              ? LineSplitter.part(chunk, from, to)
              : partial.join(chunk, from, to));
    }
    partial.clear();
    inElement = false;
    ended = by == ']';
    depth = ended ? 0 : 1;
  }

  private void requireLength(long bytes) {
    if (bytes > maxBytes) {
      throw new LineSplitter.LineTooLongException("element", line + 1, maxBytes);
    }
  }

  @Override
  public void end(Consumer<Buffer> event) {
    if (!ended) {
      throw new InvalidEventException("the JSON array does not end", -1);
    }
  }

  @Override
  public long line() {
    return line;
  }

  @Override
  public int partialBytes() {
    return partial.memory();
  }
}
