package examples;

import io.shardbus.event.Batch;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkContext;
import io.vertx.core.Future;

public class PrintingSink implements Sink {
  @Override
  public String name() {
    return "printing";
  }

  @Override
  public Future<Void> open(SinkContext context) {
    return Future.succeededFuture();
  }

  @Override
  public Future<Void> write(Batch batch) {
    batch.events().forEach(event -> System.out.println(event.payload()));
    return Future.succeededFuture(); // confirmed; or fail with a SinkException
  }

  @Override
  public Future<Void> close() {
    return Future.succeededFuture();
  }
}
