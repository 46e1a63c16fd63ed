package io.shardbus;

import io.shardbus.event.ProducerId;
import io.shardbus.event.RawEvent;
import io.shardbus.shard.ScalingPolicy;
import io.shardbus.shard.Shard;
import io.shardbus.shard.ShardLimits;
import io.shardbus.shard.ShardManager;
import io.shardbus.sink.DeadLetters;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkContext;
import io.shardbus.verticle.DeliveryObservers;
import io.shardbus.verticle.IngestQueue;
import io.shardbus.verticle.RawEventCodec;
import io.shardbus.verticle.RouterVerticle;
import io.shardbus.verticle.Scaler;
import io.shardbus.verticle.ScalerVerticle;
import io.shardbus.verticle.ShardDeployments;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Brings a bus up, or leaves nothing behind. */
final class BusStarter {

  private BusStarter() {}

  static Future<ShardBus> start(Vertx vertx, ShardBusOptions given, Sink sink) {
    ShardBusOptions options;
    ShardManager manager;
    try {
      options = new ShardBusOptions(given);
      options.validate();
      manager = manager(options);
    } catch (RuntimeException e) {
      return Future.failedFuture(e);
    }
    String folder = options.getDataDir();
    Path dataDir = folder == null ? null : Path.of(folder);
    return vertx
        .executeBlocking(() -> ProducerIdentity.next(dataDir))
        .compose(
            producer ->
                DeadLetters.open(dataDir)
                    .compose(
                        letters ->
                            openSink(vertx, sink, producer, dataDir)
                                .compose(
                                    open ->
                                        deploy(vertx, options, sink, letters, manager, producer))
                                .recover(
                                    e ->
                                        letters
                                            .close()
                                            .transform(closed -> Future.failedFuture(e)))));
  }

  private static ShardManager manager(ShardBusOptions options) {
    ShardLimits limits = new ShardLimits(options.getMaxEventBytes(), options.getMaxRingBytes());
    ScalingPolicy policy = options.getScaling();
    return policy == null
        ? new ShardManager(
            options.getShards(), options.getRingCapacity(), options.getBackpressure(), limits)
        : ShardManager.withMapper(
            options.getShards(),
            options.getRingCapacity(),
            options.getBackpressure(),
            policy,
            limits);
  }

  private static Future<Void> openSink(
      Vertx vertx, Sink sink, ProducerId producer, @Nullable Path dataDir) {
    try {
      return sink.open(new SinkContext(vertx, producer, dataDir))
          .recover(e -> sink.close().transform(closed -> Future.failedFuture(e)));
    } catch (RuntimeException e) {
      return Future.failedFuture(e);
    }
  }

  private static Future<ShardBus> deploy(
      Vertx vertx,
      ShardBusOptions options,
      Sink sink,
      DeadLetters letters,
      ShardManager manager,
      ProducerId producer) {
    DeliveryObservers observers = new DeliveryObservers();
    ShardDeployments deployments =
        new ShardDeployments(
            vertx, sink, letters, producer, options.getBatch(), options.getDelivery(), observers);
    Scaler scaler = new Scaler(vertx, manager, deployments);
    IngestQueue queue = new IngestQueue(vertx, manager);
    DefaultShardBus bus =
        new DefaultShardBus(
            vertx, options, sink, letters, manager, deployments, scaler, observers, queue);
    List<Future<?>> shards = new ArrayList<>();
    for (Shard shard : manager.shards()) {
      shards.add(deployments.deploy(shard));
    }
    return Future.join(shards)
        .compose(all -> deployRouters(vertx, options, manager, queue, bus))
        .compose(all -> deployScaler(vertx, manager, scaler, bus))
        .onSuccess(all -> CloseHook.set(vertx, bus))
        .<ShardBus>map(bus)
        .recover(e -> bus.close().transform(closed -> Future.failedFuture(e)));
  }

  private static Future<Void> deployRouters(
      Vertx vertx,
      ShardBusOptions options,
      ShardManager manager,
      IngestQueue queue,
      DefaultShardBus bus) {
    if (options.getRouters() == 0) {
      return Future.succeededFuture();
    }
    try {
      vertx.eventBus().registerDefaultCodec(RawEvent.class, new RawEventCodec());
    } catch (IllegalStateException registered) {
      // by another bus on this Vert.x: it is the same codec
    }
    return vertx
        .deployVerticle(
            () -> new RouterVerticle(manager, queue, options.getAddress()),
            new DeploymentOptions().setInstances(options.getRouters()))
        .onSuccess(bus::addDeployment)
        .mapEmpty();
  }

  private static Future<Void> deployScaler(
      Vertx vertx, ShardManager manager, Scaler scaler, DefaultShardBus bus) {
    return manager
        .mapper()
        .map(
            mapper ->
                vertx
                    .deployVerticle(new ScalerVerticle(scaler))
                    .onSuccess(bus::addDeployment)
                    .<Void>mapEmpty())
        .orElseGet(Future::succeededFuture);
  }
}
