package io.shardbus.bench;

import io.vertx.core.buffer.Buffer;
import java.util.List;

/** A line for each event. */
final class Ndjson {

  private Ndjson() {}

  static Buffer of(List<byte[]> events) {
    Buffer lines = Buffer.buffer();
    events.forEach(event -> lines.appendBytes(event).appendByte((byte) '\n'));
    return lines;
  }
}
