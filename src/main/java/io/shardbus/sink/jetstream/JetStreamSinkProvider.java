package io.shardbus.sink.jetstream;

import io.shardbus.options.OptionalLibrary;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkProvider;
import io.vertx.core.json.JsonObject;

/** Makes jetstream sinks. */
public final class JetStreamSinkProvider implements SinkProvider {

  /** For the service loader. */
  public JetStreamSinkProvider() {}

  @Override
  public String name() {
    return JetStreamSinkOptions.SINK_NAME;
  }

  @Override
  public Sink create(JsonObject config) {
    OptionalLibrary.require("io.nats.client.Nats", "io.nats:jnats");
    JetStreamSinkOptions options = new JetStreamSinkOptions(config);
    options.check();
    return new JetStreamSink(options);
  }
}
