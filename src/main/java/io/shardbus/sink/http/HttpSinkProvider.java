package io.shardbus.sink.http;

import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkProvider;
import io.vertx.core.json.JsonObject;

/** Makes http sinks. */
public final class HttpSinkProvider implements SinkProvider {

  /** For the service loader. */
  public HttpSinkProvider() {}

  @Override
  public String name() {
    return HttpSinkOptions.SINK_NAME;
  }

  @Override
  public Sink create(JsonObject config) {
    HttpSinkOptions options = new HttpSinkOptions(config);
    options.check();
    return new HttpSink(options);
  }
}
