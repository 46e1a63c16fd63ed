package io.shardbus.gateway;

import io.shardbus.event.Headers;
import io.shardbus.event.RawEvent;
import io.vertx.core.MultiMap;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpHeaders;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;

/**
 * Makes an event of a CloudEvent in binary mode, which has its attributes in headers.
 *
 * @param attributes by name
 * @param keys how the event gets its key
 * @param kept headers of the request that travel with the event
 */
record BinaryCloudEventReader(Map<String, String> attributes, EventKeys keys, Headers kept)
    implements EventReader {

  /** Whether the headers of a request are those of a CloudEvent, perhaps an incomplete one. */
  static boolean isMeant(MultiMap headers) {
    return CloudEvents.REQUIRED.stream()
        .anyMatch(name -> headers.contains(CloudEvents.PREFIX + name));
  }

  /**
   * @throws IllegalArgumentException naming the header that is wrong
   * @throws io.shardbus.event.InvalidEventException if they are not those of a CloudEvent
   */
  static BinaryCloudEventReader of(MultiMap headers, EventKeys keys, Headers kept) {
    Map<String, String> attributes = new LinkedHashMap<>();
    for (Map.Entry<String, String> header : headers) {
      String name = header.getKey().toLowerCase(Locale.ROOT);
      if (name.startsWith(CloudEvents.PREFIX)) {
        String attribute = name.substring(CloudEvents.PREFIX.length());
        if (attribute.equals(CloudEvents.DATA_CONTENT_TYPE)) {
          throw new IllegalArgumentException("header " + name + ": use Content-Type in its place");
        }
        if (attributes.put(attribute, HeaderText.percentDecoded(name, header.getValue())) != null) {
          throw new IllegalArgumentException("header " + name + ": occurs twice");
        }
      }
    }
    String type = headers.get(HttpHeaders.CONTENT_TYPE);
    if (type != null) {
      attributes.put(CloudEvents.DATA_CONTENT_TYPE, type);
    }
    CloudEvents.check(attributes);
    return new BinaryCloudEventReader(attributes, keys, kept);
  }

  @Override
  public RawEvent read(Buffer body) {
    boolean json =
        attributes.containsKey(CloudEvents.DATA_CONTENT_TYPE)
            && CloudEvents.isJson(attributes.get(CloudEvents.DATA_CONTENT_TYPE));
    if (json && body.length() > 0) {
      keys.json().require(body);
    }
    return CloudEvents.event(attributes, body, keys, kept);
  }
}
