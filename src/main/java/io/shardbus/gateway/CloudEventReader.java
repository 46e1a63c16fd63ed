package io.shardbus.gateway;

import io.shardbus.event.Headers;
import io.shardbus.event.InvalidEventException;
import io.shardbus.event.JsonMembers;
import io.shardbus.event.RawEvent;
import io.vertx.core.buffer.Buffer;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Makes events of CloudEvents in JSON: the structured mode, and each element of the batched mode.
 *
 * @param keys how the events get their keys
 * @param kept headers of the request that travel with each event
 */
record CloudEventReader(EventKeys keys, Headers kept) implements EventReader {

  private static final String DATA = "data";
  private static final String DATA_BASE64 = "data_base64";

  @Override
  public RawEvent read(Buffer json) {
    JsonMembers members = JsonMembers.of(json, keys.json());
    Map<String, String> attributes = new LinkedHashMap<>();
    for (String name : members.names()) {
      if (members.has(name) && !name.equals(DATA) && !name.equals(DATA_BASE64)) {
        attributes.put(name, attribute(members, name));
      }
    }
    CloudEvents.check(attributes);
    return CloudEvents.event(attributes, data(members, attributes), keys, kept);
  }

  private static String attribute(JsonMembers members, String name) {
    String text = members.isString(name) ? members.string(name) : null;
    if (text != null) {
      return text;
    }
    if (members.isPlain(name)) {
      return members.raw(name).toString();
    }
    throw CloudEvents.invalid(name, "must be a string, a whole number, true or false");
  }

  /** Data that is not JSON is the text of a string. */
  private static Buffer data(JsonMembers members, Map<String, String> attributes) {
    boolean given = members.names().contains(DATA);
    if (members.has(DATA_BASE64)) {
      if (given) {
        throw new InvalidEventException(
            "not a CloudEvent: only one of " + DATA + " and " + DATA_BASE64 + " is allowed", -1);
      }
      return members.base64(DATA_BASE64);
    }
    if (!given) {
      return Buffer.buffer();
    }
    boolean text =
        members.isString(DATA)
            && !CloudEvents.isJson(attributes.get(CloudEvents.DATA_CONTENT_TYPE));
    return text ? members.text(DATA) : members.raw(DATA);
  }
}
