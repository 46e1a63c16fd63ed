package io.shardbus.gateway;

import io.shardbus.event.Headers;
import io.shardbus.event.InvalidEventException;
import io.shardbus.event.JsonMembers;
import io.shardbus.event.RawEvent;
import io.vertx.core.buffer.Buffer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Makes events of envelope lines: JSON objects with an event, its key, its id and its headers, as
 * reading writes them.
 *
 * @param keys the limits of keys and JSON
 */
record EnvelopeReader(EventKeys keys) implements EventReader {

  private static final List<String> CONTENT = List.of("event", "text", "base64");

  private static final Set<String> TAKEN =
      Set.of("key", "id", "headers", "event", "text", "base64");

  /** Written by reading, and given anew to an event that is sent. */
  private static final Set<String> IGNORED =
      Set.of("producer", "epoch", "shard", "sequence", "time");

  @Override
  public RawEvent read(Buffer line) {
    JsonMembers members = JsonMembers.of(line, keys.json());
    for (String name : members.names()) {
      if (!TAKEN.contains(name) && !IGNORED.contains(name)) {
        throw new InvalidEventException(
            "unknown member " + name + ": allowed are key, id, headers, and one of " + CONTENT, -1);
      }
    }
    return RawEvent.builder(content(members))
        .key(keys.requireLength(members.string("key")))
        .id(members.string("id"))
        .headers(headers(members))
        .build();
  }

  private static Buffer content(JsonMembers members) {
    List<String> given = CONTENT.stream().filter(members.names()::contains).toList();
    if (given.size() != 1) {
      throw new InvalidEventException(
          "there must be exactly one of " + CONTENT + ", and there are " + given, -1);
    }
    String name = given.get(0);
    return switch (name) {
      case "text" -> members.text(name);
      case "base64" -> members.base64(name);
      default -> members.raw(name);
    };
  }

  private static Headers headers(JsonMembers members) {
    JsonMembers given = members.object("headers");
    if (given == null) {
      return Headers.none();
    }
    Map<String, String> headers = new LinkedHashMap<>();
    for (String name : given.names()) {
      String value = given.string(name);
      if (value == null) {
        throw new InvalidEventException("header " + name + " must be a string", -1);
      }
      headers.put(name, value);
    }
    return Headers.of(headers);
  }
}
