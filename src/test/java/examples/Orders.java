package examples;

import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.event.IngestResult;
import io.shardbus.event.RawEvent;
import io.shardbus.sink.SinkOptions;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;

public class Orders extends VerticleBase {
  @Override
  public Future<?> start() {
    var options = new ShardBusOptions().setAddress("orders").setSink(new SinkOptions("memory"));
    ShardBus bus = ShardBus.start(vertx, options).await();
    IngestResult taken = bus.deliverAwait(RawEvent.of("{\"n\":1}")).await();
    System.out.println("in shard " + taken.shard());
    return Future.succeededFuture();
  }
}
