package io.shardbus.sink.redis;

import io.shardbus.event.EventTime;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.StoredEvent;
import io.shardbus.sink.support.StoredHeaders;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import org.jspecify.annotations.Nullable;

/*
 * An event as the fields of an entry, and back. The script adds the producer, the epoch and the sequence.
 */
final class EntryFields {

  private static final String TIME = "time";
  private static final String PAYLOAD = "payload";
  private static final String KEY = "key";
  private static final String ID = "id";
  private static final String HEADER = "header:";

  /** Name and value of the time and of the payload. */
  private static final int LEAST = 4;

  private EntryFields() {}

  /** Appends the sequence, the number of arguments, and the fields. */
  static void add(Request command, ShardEvent event) {
    String key = event.key();
    String id = event.id();
    int arguments =
        LEAST + (key == null ? 0 : 2) + (id == null ? 0 : 2) + 2 * event.headers().size();
    command
        .arg(event.sequence())
        .arg(arguments)
        .arg(TIME)
        .arg(EventTime.text(event.timestamp()))
        .arg(PAYLOAD)
        .arg(event.payload());
    if (key != null) {
      command.arg(KEY).arg(key);
    }
    if (id != null) {
      command.arg(ID).arg(id);
    }
    event.headers().forEach((name, value) -> command.arg(HEADER + name).arg(value));
  }

  /** The event of an entry's fields; null if Shardbus did not write the entry. */
  static @Nullable StoredEvent event(int shard, Response fields) {
    Response producer = null;
    Response epoch = null;
    Response sequence = null;
    Response time = null;
    Response payload = null;
    String key = null;
    String id = null;
    StoredHeaders headers = new StoredHeaders();
    for (int i = 0; i + 1 < fields.size(); i += 2) {
      String name = fields.get(i).toString();
      Response value = fields.get(i + 1);
      switch (name) {
        case "producer" -> producer = value;
        case "epoch" -> epoch = value;
        case "sequence" -> sequence = value;
        case TIME -> time = value;
        case PAYLOAD -> payload = value;
        case KEY -> key = value.toString();
        case ID -> id = value.toString();
        default -> {
          if (name.startsWith(HEADER)) {
            headers.add(name.substring(HEADER.length()), value.toString());
          }
        }
      }
    }
    if (producer == null || epoch == null || sequence == null || time == null || payload == null) {
      return null;
    }
    try {
      return new StoredEvent(
          new ProducerId(producer.toString(), epoch.toLong()),
          new ShardEvent(
              shard,
              sequence.toLong(),
              EventTime.parse(time.toString()),
              payload.toBuffer(),
              key,
              id,
              headers.build()));
    } catch (IllegalArgumentException e) {
      return null;
    }
  }
}
