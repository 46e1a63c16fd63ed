package io.shardbus.gateway;

import io.shardbus.event.EventTime;
import io.shardbus.event.Headers;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.StoredEvent;
import io.shardbus.sink.support.EventJson;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.Json;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Writes events as CloudEvents 1.0 in JSON. An event that came as a CloudEvent has the attributes
 * with which it came. Another event gets an id, a source, a type and a time of the bus.
 */
final class CloudEventJson {

  private static final String TYPE = "io.shardbus.event";

  /** Of which a header of another event must not take the place. */
  private static final Set<String> DEFINED =
      Set.of("id", "source", "specversion", "type", "time", "subject", "dataschema");

  private CloudEventJson() {}

  static void append(Buffer out, StoredEvent stored) {
    ShardEvent event = stored.event();
    String separator = "{";
    for (Map.Entry<String, String> attribute : attributes(stored).entrySet()) {
      out.appendString(separator)
          .appendString(Json.encode(attribute.getKey()))
          .appendString(":")
          .appendString(Json.encode(attribute.getValue()));
      separator = ",";
    }
    data(out, event.payload(), event.headers().get(CloudEvents.CONTENT_TYPE));
    out.appendString("}");
  }

  private static Map<String, String> attributes(StoredEvent stored) {
    Headers headers = stored.event().headers();
    boolean came =
        CloudEvents.REQUIRED.stream()
            .allMatch(name -> headers.get(CloudEvents.PREFIX + name) != null);
    Map<String, String> attributes = came ? new LinkedHashMap<>() : given(stored);
    headers.forEach(
        (header, value) -> {
          boolean own = came && header.startsWith(CloudEvents.PREFIX);
          String name = own ? header.substring(CloudEvents.PREFIX.length()) : header;
          if (header.equals(CloudEvents.CONTENT_TYPE)) {
            attributes.put(CloudEvents.DATA_CONTENT_TYPE, value);
          } else if (!CloudEvents.isName(name) || name.equals(CloudEvents.DATA_CONTENT_TYPE)) {
            return; // cannot be one, or is none
          } else if (own) {
            attributes.put(name, value);
          } else if (!DEFINED.contains(name)) {
            attributes.putIfAbsent(name, value);
          }
        });
    String key = stored.event().key();
    if (key != null && !key.isEmpty()) { // attributes are not empty
      attributes.put(CloudEvents.PARTITION_KEY, key);
    }
    return attributes;
  }

  private static Map<String, String> given(StoredEvent stored) {
    ShardEvent event = stored.event();
    String producer = stored.producer().id();
    Map<String, String> attributes = new LinkedHashMap<>();
    attributes.put("specversion", "1.0");
    String place =
        producer + ":" + stored.producer().epoch() + ":" + event.shard() + ":" + event.sequence();
    attributes.put("id", event.id() == null ? place : event.id());
    attributes.put("source", "/shardbus/" + producer);
    attributes.put("type", TYPE);
    attributes.put("time", EventTime.text(event.timestamp()));
    return attributes;
  }

  private static void data(Buffer out, Buffer payload, @Nullable String type) {
    if (payload.length() == 0) {
      return;
    }
    if (CloudEvents.isJson(type)) {
      if (EventJson.isJson(payload)) {
        out.appendString(",\"data\":").appendBuffer(payload);
        return;
      }
    } else {
      String text = EventJson.text(payload);
      if (text != null) {
        out.appendString(",\"data\":").appendString(Json.encode(text));
        return;
      }
    }
    out.appendString(",\"data_base64\":\"")
        .appendString(EventJson.base64(payload))
        .appendString("\"");
  }
}
