package io.shardbus.app;

import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.gateway.Gateway;
import io.shardbus.gateway.GatewayOptions;
import io.shardbus.shard.ScalingPolicy;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkOptions;
import io.shardbus.sink.Sinks;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;

/** A bus with a gateway, and the command line in the same process. */
final class TestServer {

  final Vertx vertx = Vertx.vertx();
  final ShardBus bus;
  final Gateway gateway;

  /** What the last command wrote. */
  String out = "";

  String err = "";

  TestServer() throws Exception {
    this(Sinks.create(new SinkOptions("memory")), new GatewayOptions());
  }

  TestServer(Sink sink, GatewayOptions options) throws Exception {
    ShardBusOptions busOptions =
        new ShardBusOptions()
            .setShards(2)
            .setRingCapacity(1024)
            .setScaling(ScalingPolicy.defaults(4).setAutoScale(false));
    busOptions.getBatch().setMinSize(1).setMaxSize(100); // so that a slow sink fills it soon
    bus = await(ShardBus.start(vertx, busOptions, sink));
    gateway = await(Gateway.start(vertx, bus, options.setPort(0)));
  }

  static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
  }

  /** Runs a command against this server; its exit code. */
  int run(String... words) {
    return runAt(gateway.port(), words);
  }

  int runAt(int port, String... words) {
    String[] all = Arrays.copyOf(words, words.length + 2);
    all[words.length] = "--url";
    all[words.length + 1] = "http://127.0.0.1:" + port;
    Command command = Command.run(all);
    out = command.stdout();
    err = command.stderr();
    return command.exit();
  }

  /** What the last command wrote, as JSON. */
  JsonObject json() {
    return new JsonObject(out);
  }

  void close() throws Exception {
    await(vertx.close());
  }
}
