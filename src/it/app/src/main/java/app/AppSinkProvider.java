package app;

import io.shardbus.event.Batch;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkContext;
import io.shardbus.sink.SinkProvider;
import io.vertx.core.Future;
import io.vertx.core.json.JsonObject;
import java.util.concurrent.atomic.AtomicInteger;

/** A sink of the application's own: it counts. */
public class AppSinkProvider implements SinkProvider {

  static final AtomicInteger TAKEN = new AtomicInteger();

  @Override
  public String name() {
    return "app";
  }

  @Override
  public Sink create(JsonObject config) {
    return new Sink() {
      @Override
      public String name() {
        return "app";
      }

      @Override
      public Future<Void> open(SinkContext context) {
        return Future.succeededFuture();
      }

      @Override
      public Future<Void> write(Batch batch) {
        TAKEN.addAndGet(batch.size());
        return Future.succeededFuture();
      }

      @Override
      public Future<Void> close() {
        return Future.succeededFuture();
      }
    };
  }
}
