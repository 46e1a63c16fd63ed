package io.shardbus.sink.log;

import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkProvider;
import io.vertx.core.json.JsonObject;

/** Makes log sinks. */
public final class LogSinkProvider implements SinkProvider {

  /** For the service loader. */
  public LogSinkProvider() {}

  @Override
  public String name() {
    return LogSink.NAME;
  }

  @Override
  public Sink create(JsonObject config) {
    return new LogSink(new LogSinkOptions(config));
  }
}
