package io.shardbus.sink.noop;

import io.shardbus.event.Batch;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkContext;
import io.shardbus.sink.SinkProvider;
import io.vertx.core.Future;
import io.vertx.core.json.JsonObject;

/** Makes sinks that take all events and keep none, for measurements and trials. */
public final class NoopSinkProvider implements SinkProvider {

  /** For the service loader. */
  public NoopSinkProvider() {}

  @Override
  public String name() {
    return "noop";
  }

  @Override
  public Sink create(JsonObject config) {
    if (!config.isEmpty()) {
      throw new IllegalArgumentException("unknown option " + config.fieldNames() + ": it has none");
    }
    return new NoopSink();
  }

  private static final class NoopSink implements Sink {

    @Override
    public String name() {
      return "noop";
    }

    @Override
    public Future<Void> open(SinkContext context) {
      return Future.succeededFuture();
    }

    @Override
    public Future<Void> write(Batch batch) {
      return Future.succeededFuture();
    }

    @Override
    public Future<Void> close() {
      return Future.succeededFuture();
    }
  }
}
