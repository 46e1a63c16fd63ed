package io.shardbus.sink.eventbus;

import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkProvider;
import io.vertx.core.json.JsonObject;

/** Makes event-bus sinks. */
public final class EventBusSinkProvider implements SinkProvider {

  /** For the service loader. */
  public EventBusSinkProvider() {}

  @Override
  public String name() {
    return EventBusSink.NAME;
  }

  @Override
  public Sink create(JsonObject config) {
    return new EventBusSink(new EventBusSinkOptions(config));
  }
}
