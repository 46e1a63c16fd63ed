package io.shardbus.gateway;

import io.shardbus.event.ShardEvent;
import org.jspecify.annotations.Nullable;

/** An event while a filter looks at it. Its JSON is read when it is first needed. */
final class FilteredEvent {

  private final ShardEvent event;
  private final WantedJson wanted;
  private boolean read;
  private @Nullable Object json;

  FilteredEvent(ShardEvent event, WantedJson wanted) {
    this.event = event;
    this.wanted = wanted;
  }

  ShardEvent event() {
    return event;
  }

  @Nullable Object json() {
    if (!read) {
      json = wanted.read(event.payload());
      read = true;
    }
    return json;
  }
}
