package io.shardbus.sink.support;

import io.shardbus.event.EventTime;
import io.shardbus.event.JsonCheck;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.StoredEvent;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.Json;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import org.jspecify.annotations.Nullable;

/** Writes events with all that belongs to them as JSON. A JSON event keeps its bytes. */
public final class EventJson {

  private EventJson() {}

  /**
   * Writes an event as a JSON object.
   *
   * @param out where to
   * @param stored the event
   */
  public static void append(Buffer out, StoredEvent stored) {
    append(out, stored, isJson(stored.event().payload()));
  }

  /**
   * Writes an envelope line, without its end. JSON that a line cannot have with all its bytes is
   * written as text.
   *
   * @param out where to
   * @param stored the event
   */
  public static void appendLine(Buffer out, StoredEvent stored) {
    Buffer payload = stored.event().payload();
    append(out, stored, isJson(payload) && fitsLine(payload));
  }

  private static void append(Buffer out, StoredEvent stored, boolean json) {
    ShardEvent event = stored.event();
    out.appendString("{\"producer\":")
        .appendString(Json.encode(stored.producer().id()))
        .appendString(",\"epoch\":")
        .appendString(Long.toString(stored.producer().epoch()))
        .appendString(",\"shard\":")
        .appendString(Integer.toString(event.shard()))
        .appendString(",\"sequence\":")
        .appendString(Long.toString(event.sequence()))
        .appendString(",\"time\":\"")
        .appendString(EventTime.text(event.timestamp()))
        .appendString("\",\"key\":")
        .appendString(Json.encode(event.key()))
        .appendString(",\"id\":")
        .appendString(Json.encode(event.id()))
        .appendString(",\"headers\":")
        .appendString(event.headers().isEmpty() ? "{}" : Json.encode(event.headers().toMap()));
    Buffer payload = event.payload();
    String text = json ? null : text(payload);
    if (json) {
      out.appendString(",\"event\":").appendBuffer(payload);
    } else if (text != null) {
      out.appendString(",\"text\":").appendString(Json.encode(text));
    } else {
      out.appendString(",\"base64\":\"").appendString(base64(payload)).appendString("\"");
    }
    out.appendString("}");
  }

  /**
   * Whether an event is JSON.
   *
   * @param payload its bytes
   * @return whether they are one JSON value
   */
  public static boolean isJson(Buffer payload) {
    return JsonCheck.STORED.accepts(payload);
  }

  /** White space around a value would get lost, and a line break would end the line. */
  private static boolean fitsLine(Buffer json) {
    int last = json.length() - 1;
    if (json.getByte(0) <= ' ' && json.getByte(0) >= 0) {
      return false;
    }
    if (json.getByte(last) <= ' ' && json.getByte(last) >= 0) {
      return false;
    }
    for (int i = 0; i < last; i++) {
      if (json.getByte(i) == '\n' || json.getByte(i) == '\r') {
        return false;
      }
    }
    return true;
  }

  /**
   * An event as text.
   *
   * @param payload its bytes
   * @return the text; null if it is not UTF-8
   */
  public static @Nullable String text(Buffer payload) {
    try {
      return StandardCharsets.UTF_8
          .newDecoder()
          .decode(ByteBuffer.wrap(payload.getBytes()))
          .toString();
    } catch (CharacterCodingException e) {
      return null;
    }
  }

  /**
   * An event in base64.
   *
   * @param payload its bytes
   * @return the text
   */
  public static String base64(Buffer payload) {
    return Base64.getEncoder().encodeToString(payload.getBytes());
  }
}
