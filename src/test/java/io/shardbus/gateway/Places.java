package io.shardbus.gateway;

import io.shardbus.event.EventTime;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.StoredEvent;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/**
 * What somebody who reads an event finds, and where. Several values can be at places of one name.
 */
final class Places {

  /** An attribute of the CloudEvents in these tests. */
  static final String ATTRIBUTE = "extension";

  /** What the columns of the table are about. */
  enum Field {
    PAYLOAD("payload"),
    KEY("key"),
    ID("id"),
    HEADERS("headers"),
    ATTRIBUTES("attributes of a CloudEvent"),
    TIME("time"),
    PRODUCER("producer"),
    EPOCH("epoch"),
    SHARD("shard"),
    SEQUENCE("sequence");

    final String title;

    Field(String title) {
      this.title = title;
    }

    /** The values that an event has. */
    List<Wanted> of(StoredEvent stored) {
      ShardEvent event = stored.event();
      return switch (this) {
        case PAYLOAD -> List.of(new Wanted(event.payload()));
        case KEY -> event.key() == null ? List.of() : List.of(new Wanted(event.key()));
        case ID -> event.id() == null ? List.of() : List.of(new Wanted(event.id()));
        case HEADERS -> headers(event, false);
        case ATTRIBUTES -> headers(event, true);
        case TIME -> List.of(new Wanted(EventTime.text(event.timestamp())));
        case PRODUCER -> List.of(new Wanted(stored.producer().id()));
        case EPOCH -> List.of(new Wanted(Long.toString(stored.epoch())));
        case SHARD -> List.of(new Wanted(Integer.toString(event.shard())));
        case SEQUENCE -> List.of(new Wanted(Long.toString(event.sequence())));
      };
    }

    private static List<Wanted> headers(ShardEvent event, boolean attribute) {
      List<Wanted> wanted = new ArrayList<>();
      event
          .headers()
          .forEach(
              (name, value) -> {
                if (attribute ? name.equals("ce-" + ATTRIBUTE) : name.matches("tracestate|x-.*")) {
                  wanted.add(new Wanted(name.replaceFirst("ce-", ""), Buffer.buffer(value)));
                }
              });
      return wanted;
    }
  }

  /** A value, and the part of the name of its place that stands for any name. */
  private record Wanted(String name, Buffer value) {

    Wanted(Buffer value) {
      this("", value);
    }

    Wanted(String value) {
      this(Buffer.buffer(value));
    }
  }

  private record Place(String name, Buffer value) {}

  private final List<Place> all = new ArrayList<>();

  Places put(String name, Buffer value) {
    all.add(new Place(name, value));
    return this;
  }

  Places put(String name, String value) {
    return put(name, Buffer.buffer(value));
  }

  Places put(String name, long value) {
    return put(name, Long.toString(value));
  }

  /** A time that is a number. */
  Places putTime(String name, long nanoseconds) {
    return put(name, EventTime.text(nanoseconds));
  }

  /** The members of an object, and of objects in it that are not events. */
  static Places of(JsonObject json) {
    Places places = new Places();
    places.putAll("", json);
    return places;
  }

  private void putAll(String before, JsonObject json) {
    for (Map.Entry<String, Object> member : json) {
      String name = before + member.getKey();
      Object value = member.getValue();
      if (value instanceof JsonObject object && name.matches("headers|of|of.headers")) {
        putAll(name + ".", object);
      } else if (value instanceof JsonObject || value instanceof JsonArray) {
        put(code(name), value.toString());
      } else if (value != null && name.endsWith("base64")) {
        put(code(name), Buffer.buffer(Base64.getDecoder().decode(value.toString())));
      } else if (value != null) {
        put(code(name), value.toString());
      }
    }
  }

  /** What Java programs see. */
  static Places of(ProducerId producer, ShardEvent event) {
    return withoutPlace(event)
        .put("`shard`", event.shard())
        .put("`sequence`", event.sequence())
        .put("`producer.id`", producer.id())
        .put("`producer.epoch`", producer.epoch());
  }

  static Places withoutPlace(ShardEvent event) {
    Places places =
        new Places().put("`payload`", event.payload()).putTime("`timestamp`", event.timestamp());
    if (event.key() != null) {
      places.put("`key`", event.key());
    }
    if (event.id() != null) {
      places.put("`id`", event.id());
    }
    event.headers().forEach((name, value) -> places.put("`headers`", value));
    return places;
  }

  static String code(String name) {
    return "`" + name + "`";
  }

  boolean has(Buffer value) {
    return all.stream().anyMatch(place -> place.value().equals(value));
  }

  /** For each value that an event has: the names of the places that have it. */
  List<Set<String>> where(Field field, StoredEvent event) {
    return field.of(event).stream().map(this::where).toList();
  }

  private Set<String> where(Wanted wanted) {
    Set<String> names = new TreeSet<>();
    for (Place place : all) {
      String name =
          wanted.name().isEmpty() ? place.name() : place.name().replace(wanted.name(), "NAME");
      if (place.value().equals(wanted.value())) {
        names.add(name);
      } else if (decoded(place.value()).equals(wanted.value())) {
        names.add(name + ", percent-encoded");
      }
    }
    return names;
  }

  private static Buffer decoded(Buffer value) {
    String text = value.toString();
    try {
      return Buffer.buffer(URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8));
    } catch (IllegalArgumentException e) {
      return value;
    }
  }
}
