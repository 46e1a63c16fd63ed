package io.shardbus.sink;

import io.shardbus.event.Batch;
import io.vertx.core.Future;
import java.util.function.Function;

/** Stands before a sink that the test opens and closes, and decides what becomes of writes. */
record FaultySink(String name, Function<Batch, Future<Void>> writes) implements Sink {

  @Override
  public Future<Void> open(SinkContext context) {
    return Future.succeededFuture();
  }

  @Override
  public Future<Void> write(Batch batch) {
    return writes.apply(batch);
  }

  @Override
  public Future<Void> close() {
    return Future.succeededFuture();
  }
}
