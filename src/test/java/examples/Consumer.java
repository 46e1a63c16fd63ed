package examples;

import io.shardbus.event.Batch;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.eventbus.EventBusConsumer;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;

public class Consumer extends VerticleBase {
  @Override
  public Future<?> start() {
    return EventBusConsumer.start(vertx, "shardbus.events", 4, this::take);
  }

  private Future<Void> take(Batch batch) {
    for (ShardEvent event : batch.events()) {
      System.out.println(event.shard() + ":" + event.sequence() + " " + event.payload());
    }
    return Future.succeededFuture(); // done with; after a failure it comes again
  }
}
