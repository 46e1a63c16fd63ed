package io.shardbus.gateway;

import io.shardbus.sink.EventPage;
import io.shardbus.sink.StoredEvent;
import io.shardbus.sink.support.EventJson;
import io.vertx.core.buffer.Buffer;

/** How a tail is written. */
enum TailFormat {
  /** Server-sent events. */
  EVENT_STREAM(MediaTypes.EVENT_STREAM, ":\n\n") {
    @Override
    Buffer write(EventPage page) {
      Buffer out = Buffer.buffer();
      if (page.missed() > 0) {
        out.appendString("event: missed\ndata: " + page.missed() + "\n\n");
      }
      for (StoredEvent stored : page.events()) {
        Buffer json = Buffer.buffer();
        EventJson.append(json, stored);
        out.appendString("data: ");
        appendLines(out, json);
        out.appendString("\n\n");
      }
      // The id goes with a message of its own: a client that resumes from it has had the whole
      // page.
      return out.appendString("id: ")
          .appendString(page.cursor())
          .appendString("\nevent: cursor\ndata:\n\n");
    }
  },
  /** Lines that can be sent again. */
  ENVELOPES(MediaTypes.ENVELOPES, "\n") {
    @Override
    Buffer write(EventPage page) {
      return PageFormat.ENVELOPES.write(page);
    }
  };

  private final String media;
  private final String alive;

  TailFormat(String media, String alive) {
    this.media = media;
    this.alive = alive;
  }

  String media() {
    return media;
  }

  /** What the client gets when there is nothing to say. */
  String alive() {
    return alive;
  }

  /** Whether a client can be told of events that it missed. Else the tail breaks off. */
  boolean canTellMissed() {
    return this == EVENT_STREAM;
  }

  /** Writes a page. */
  abstract Buffer write(EventPage page);

  /**
   * An event that spans lines is sent as several data lines; the client puts them together again.
   */
  private static void appendLines(Buffer out, Buffer json) {
    int start = 0;
    for (int i = 0; i < json.length(); i++) {
      byte b = json.getByte(i);
      if (b == '\n' || b == '\r') {
        out.appendBuffer(json, start, i - start).appendString("\ndata: ");
        if (b == '\r' && i + 1 < json.length() && json.getByte(i + 1) == '\n') {
          i++;
        }
        start = i + 1;
      }
    }
    out.appendBuffer(json, start, json.length() - start);
  }
}
