package io.shardbus.gateway;

import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.delivery.BatchOptions;
import io.shardbus.event.Batch;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkContext;
import io.shardbus.sink.SinkOptions;
import io.shardbus.sink.Sinks;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.util.concurrent.atomic.AtomicLong;

/**
 * A server, as a program with a small heap, whose sink stops now and then, or is the one that is
 * named; {@link #FULL} has its rings fill up for certain. Prints its port.
 */
final class FloodServer {

  /** Names a sink that stops for long at first, with small batches, which take little. */
  static final String FULL = "full";

  private static final int EVENTS_BETWEEN_STALLS = 40_000;
  private static final long STALL_MILLIS = 300;
  private static final long LONG_STALL_MILLIS = 3_000;

  private FloodServer() {}

  public static void main(String[] args) {
    Vertx vertx = Vertx.vertx();
    ShardBusOptions options =
        new ShardBusOptions()
            .setShards(2)
            .setRingCapacity(4096)
            .setMaxEventBytes(1 << 20)
            .setMaxRingBytes(4 << 20);
    Sink sink;
    if (args.length == 0) {
      sink = new StallingSink();
    } else if (args[0].equals(FULL)) {
      options.setBatch(new BatchOptions().setMaxSize(1_000));
      sink = new StallingSink(LONG_STALL_MILLIS);
    } else {
      sink =
          Sinks.create(
              new SinkOptions(args[0]).setConfig(new JsonObject().put("maxBytes", 8 << 20)));
    }
    ShardBus.start(vertx, options, sink)
        .compose(
            bus ->
                Gateway.start(
                    vertx, bus, new GatewayOptions().setPort(0).setMaxConnections(100_000)))
        .onSuccess(gateway -> System.out.println(gateway.port()));
  }

  static final class StallingSink implements Sink {

    private final AtomicLong untilStall = new AtomicLong(EVENTS_BETWEEN_STALLS);
    private final AtomicLong stallMillis;
    private Vertx vertx;

    StallingSink() {
      this(STALL_MILLIS);
    }

    StallingSink(long firstStallMillis) {
      stallMillis = new AtomicLong(firstStallMillis);
    }

    @Override
    public String name() {
      return "stalling";
    }

    @Override
    public Future<Void> open(SinkContext context) {
      vertx = context.vertx();
      return Future.succeededFuture();
    }

    @Override
    public Future<Void> write(Batch batch) {
      if (untilStall.addAndGet(-batch.size()) > 0) {
        return Future.succeededFuture();
      }
      untilStall.set(EVENTS_BETWEEN_STALLS);
      long millis = stallMillis.getAndSet(STALL_MILLIS);
      return Future.future(done -> vertx.setTimer(millis, over -> done.complete()));
    }

    @Override
    public Future<Void> close() {
      return Future.succeededFuture();
    }
  }
}
