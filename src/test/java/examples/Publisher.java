package examples;

import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.json.JsonObject;

public class Publisher extends VerticleBase {
  @Override
  public Future<?> start() {
    var event = new JsonObject().put("user", "u1").put("clicked", "buy");
    var options = new DeliveryOptions().addHeader("key", "u1").addHeader("ack", "delivered");
    return vertx
        .eventBus()
        .<JsonObject>request("shardbus.ingest", event, options)
        .onSuccess(reply -> System.out.println("in shard " + reply.body().getInteger("shard")));
  }
}
