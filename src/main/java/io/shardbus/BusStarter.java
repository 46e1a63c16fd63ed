package io.shardbus;

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
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Brings a bus up, or leaves nothing behind. */
final class BusStarter {

  private static final Logger LOG = LoggerFactory.getLogger(BusStarter.class);

  private BusStarter() {}

  static Future<ShardBus> start(Vertx vertx, ShardBusOptions given, Sink sink) {
    ShardBusOptions options;
    ShardManager manager;
    try {
      options = new ShardBusOptions(given);
      options.validate();
      long heap = Runtime.getRuntime().maxMemory();
      if (options.getRingCapacity() == 0) {
        options.setRingCapacity(RingMemory.capacity(RingMemory.shards(options), heap));
      }
      RingMemory.warning(options, heap).ifPresent(LOG::warn);
      manager = manager(options);
    } catch (RuntimeException e) {
      return Future.failedFuture(e);
    }
    return OnCaller.answer(
        vertx,
        vertx
            .executeBlocking(() -> DataFolder.open(options.getDataDir()))
            .compose(
                folder ->
                    open(vertx, options, sink, manager, folder)
                        .recover(
                            e -> folder.release(vertx).transform(left -> Future.failedFuture(e)))));
  }

  private static Future<ShardBus> open(
      Vertx vertx, ShardBusOptions options, Sink sink, ShardManager manager, DataFolder folder) {
    return DeadLetters.open(folder.path())
        .compose(
            letters ->
                openSink(vertx, sink, folder)
                    .compose(open -> deploy(vertx, options, sink, letters, manager, folder))
                    .recover(e -> letters.close().transform(closed -> Future.failedFuture(e))));
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

  private static Future<Void> openSink(Vertx vertx, Sink sink, DataFolder folder) {
    try {
      return sink.open(new SinkContext(vertx, folder.producer(), folder.path()))
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
      DataFolder folder) {
    DeliveryObservers observers = new DeliveryObservers();
    ShardDeployments deployments =
        new ShardDeployments(
            vertx,
            sink,
            letters,
            folder.producer(),
            options.getBatch(),
            options.getDelivery(),
            observers);
    Scaler scaler = new Scaler(vertx, manager, deployments);
    IngestQueue queue = new IngestQueue(vertx, manager);
    DefaultShardBus bus =
        new DefaultShardBus(
            vertx, options, folder, sink, letters, manager, deployments, scaler, observers, queue);
    List<Future<?>> shards = new ArrayList<>();
    for (Shard shard : manager.shards()) {
      shards.add(deployments.deploy(shard));
    }
    return Future.join(shards)
        .compose(all -> deployRouters(vertx, options, manager, queue, bus))
        .compose(all -> deployScaler(vertx, manager, scaler, bus))
        .onSuccess(all -> CloseHook.set(vertx, bus))
        .<ShardBus>map(bus)
        .recover(e -> bus.end().transform(closed -> Future.failedFuture(e)));
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
