package io.shardbus.sink.support;

import io.shardbus.event.Batch;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.SinkException;
import io.shardbus.sink.StoredEvent;
import io.vertx.core.buffer.Buffer;

/** Writes events as lines of JSON. */
public final class EventLines {

  /** Refuses events that are not JSON. */
  @SuppressWarnings("StaticAssignmentOfThrowable") // it has no stack trace
  public static final SinkException NO_JSON =
      SinkException.permanentFailure("the event is not JSON, and envelope is false");

  private EventLines() {}

  /**
   * Writes an event and a line end.
   *
   * @param out where to
   * @param batch of the event
   * @param event the event
   * @param envelope whether its key, id, headers and the rest go with it; else only JSON can be
   *     written
   * @return whether it was written
   */
  public static boolean append(Buffer out, Batch batch, ShardEvent event, boolean envelope) {
    if (envelope) {
      EventJson.appendLine(out, new StoredEvent(batch.producer(), event));
    } else if (EventJson.isJson(event.payload())) {
      out.appendBuffer(onOneLine(event.payload()));
    } else {
      return false;
    }
    out.appendByte((byte) '\n');
    return true;
  }

  /** In JSON a line break can only be white space. */
  private static Buffer onOneLine(Buffer json) {
    Buffer line = json;
    for (int i = 0; i < json.length(); i++) {
      if (json.getByte(i) == '\n' || json.getByte(i) == '\r') {
        line = line == json ? json.copy() : line;
        line.setByte(i, (byte) ' ');
      }
    }
    return line;
  }
}
