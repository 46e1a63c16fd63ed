package io.shardbus.sink.memory;

import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkProvider;
import io.vertx.core.json.JsonObject;

/** Makes memory sinks. */
public final class MemorySinkProvider implements SinkProvider {

  /** For the service loader. */
  public MemorySinkProvider() {}

  @Override
  public String name() {
    return MemorySink.NAME;
  }

  @Override
  public Sink create(JsonObject config) {
    return new MemorySink(new MemorySinkOptions(config));
  }
}
