package io.shardbus.sink.redis;

import io.shardbus.options.OptionalLibrary;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkProvider;
import io.vertx.core.json.JsonObject;

/** Makes redis sinks. */
public final class RedisSinkProvider implements SinkProvider {

  /** For the service loader. */
  public RedisSinkProvider() {}

  @Override
  public String name() {
    return RedisSinkOptions.SINK_NAME;
  }

  @Override
  public Sink create(JsonObject config) {
    OptionalLibrary.require("io.vertx.redis.client.Redis", "io.vertx:vertx-redis-client");
    RedisSinkOptions options = new RedisSinkOptions(config);
    options.check();
    return new RedisSink(options);
  }
}
