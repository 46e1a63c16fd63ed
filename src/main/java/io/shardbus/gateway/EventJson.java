package io.shardbus.gateway;

import io.shardbus.event.EventTime;
import io.shardbus.event.InvalidEventException;
import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.StoredEvent;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.Json;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;

/** Writes events that were read back; a JSON event keeps its bytes. */
final class EventJson {

  private EventJson() {}

  static void append(Buffer out, StoredEvent stored) {
    ShardEvent event = stored.event();
    out.appendString("{\"shard\":")
        .appendString(Integer.toString(event.shard()))
        .appendString(",\"epoch\":")
        .appendString(Long.toString(stored.epoch()))
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
    payload(out, event.payload());
    out.appendString("}");
  }

  private static void payload(Buffer out, Buffer payload) {
    try {
      RawEvent.parse(payload);
      out.appendString(",\"event\":").appendBuffer(payload);
      return;
    } catch (InvalidEventException e) {
      // not JSON: text, or else bytes
    }
    byte[] bytes = payload.getBytes();
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      out.appendString(",\"text\":").appendString(Json.encode(text));
    } catch (CharacterCodingException e) {
      out.appendString(",\"base64\":\"")
          .appendString(Base64.getEncoder().encodeToString(bytes))
          .appendString("\"");
    }
  }
}
