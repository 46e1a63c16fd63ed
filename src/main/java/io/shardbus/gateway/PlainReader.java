package io.shardbus.gateway;

import io.shardbus.event.Headers;
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
        .id(idPath == null ? id : idPath.require(bytes))
        .headers(headers)
        .build();
  }

  private RawEvent keyed(Buffer bytes) {
    keys.json().require(bytes);
    if (keys.key() != null) {
      return RawEvent.of(bytes, keys.key());
    }
    return RawEvent.of(bytes, keys.path() == null ? null : keys.path().require(bytes));
  }
}
