package io.shardbus.gateway;

import io.shardbus.sink.EventPage;
import io.shardbus.sink.StoredEvent;
import io.shardbus.sink.support.EventJson;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.Json;
import java.util.function.BiConsumer;

/** How a page of events is written. */
enum PageFormat {
  /** One JSON object, with the cursor. */
  JSON(MediaTypes.JSON) {
    @Override
    Buffer write(EventPage page) {
      return array("{\"events\":[", page, EventJson::append)
          .appendString(",\"cursor\":")
          .appendString(Json.encode(page.cursor()))
          .appendString(",\"more\":")
          .appendString(Boolean.toString(page.more()))
          .appendString(page.missed() > 0 ? ",\"missed\":" + page.missed() : "")
          .appendString("}\n");
    }
  },
  /** Lines that can be sent again. */
  ENVELOPES(MediaTypes.ENVELOPES) {
    @Override
    Buffer write(EventPage page) {
      Buffer out = Buffer.buffer();
      for (StoredEvent event : page.events()) {
        EventJson.appendLine(out, event);
        out.appendString("\n");
      }
      return out;
    }
  },
  /** CloudEvents in batched mode. */
  CLOUD_EVENTS(MediaTypes.CLOUD_EVENTS) {
    @Override
    Buffer write(EventPage page) {
      return array("[", page, CloudEventJson::append).appendString("\n");
    }
  };

  private final String media;

  PageFormat(String media) {
    this.media = media;
  }

  String media() {
    return media;
  }

  abstract Buffer write(EventPage page);

  private static Buffer array(
      String begin, EventPage page, BiConsumer<Buffer, StoredEvent> append) {
    Buffer out = Buffer.buffer(begin);
    String separator = "";
    for (StoredEvent event : page.events()) {
      out.appendString(separator);
      append.accept(out, event);
      separator = ",\n";
    }
    return out.appendString("]");
  }
}
