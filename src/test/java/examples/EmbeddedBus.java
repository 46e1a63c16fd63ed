package examples;

import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.event.RawEvent;
import io.vertx.core.Future;
import io.vertx.core.Vertx;

public class EmbeddedBus {
  public static void main(String[] args) {
    run(Vertx.vertx(), args[0]).onFailure(Throwable::printStackTrace);
  }

  static Future<Void> run(Vertx vertx, String folder) {
    var options = new ShardBusOptions().setShards(4).setDataDir(folder);
    return ShardBus.start(vertx, options)
        .compose(
            bus -> {
              for (int i = 0; i < 1000; i++) {
                bus.ingest(RawEvent.of("{\"n\":" + i + "}"));
              }
              return bus.flush() // everything is in the log now
                  .onSuccess(done -> System.out.println(bus.stats().total()))
                  .compose(done -> bus.close());
            });
  }
}
