package io.shardbus.gateway;

import io.shardbus.event.Headers;
import io.shardbus.event.InvalidEventException;
import io.shardbus.event.KeyPath;
import io.shardbus.event.RawEvent;
import io.vertx.core.buffer.Buffer;
import org.jspecify.annotations.Nullable;

/**
 * Makes events of JSON values.
 *
 * @param keys how the events get their keys
 * @param id the id of the only event; null for none
 * @param idPath the path of the id in each event; null for none
 * @param headers travel with each event
 */
record PlainReader(EventKeys keys, @Nullable String id, @Nullable KeyPath idPath, Headers headers)
    implements EventReader {

  @Override
  public RawEvent read(Buffer bytes) {
    RawEvent event = keyed(bytes);
    if (keys.path() != null) {
      keys.requireLength(event.totalSize() - event.size());
    }
    if (id == null && idPath == null && headers.isEmpty()) {
      return event;
    }
    return RawEvent.builder(bytes)
        .key(event.key())
        .id(idPath == null ? id : idIn(bytes, idPath))
        .headers(headers)
        .build();
  }

  private RawEvent keyed(Buffer bytes) {
    if (keys.key() != null) {
      return RawEvent.parseKeyed(bytes, keys.key());
    }
    return keys.path() == null ? RawEvent.parse(bytes) : RawEvent.parseKeyed(bytes, keys.path());
  }

  private static String idIn(Buffer bytes, KeyPath path) {
    String id = path.in(bytes);
    if (id == null) {
      throw new InvalidEventException("no string, number or boolean at idPath " + path, -1);
    }
    return id;
  }
}
