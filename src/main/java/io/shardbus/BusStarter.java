package io.shardbus;

import io.shardbus.delivery.DeadLetterStore;
import io.shardbus.delivery.DeliveryObservers;
import io.shardbus.delivery.NoContext;
import io.shardbus.delivery.Owner;
import io.shardbus.delivery.Scaler;
import io.shardbus.delivery.ScalerVerticle;
import io.shardbus.delivery.ShardDeployments;
import io.shardbus.delivery.WaitingRoom;
import io.shardbus.event.RawEvent;
import io.shardbus.eventbus.ClusterNodes;
import io.shardbus.eventbus.RawEventCodec;
import io.shardbus.eventbus.RouterVerticle;
import io.shardbus.files.DataFolder;
import io.shardbus.shard.IdWindow;
import io.shardbus.shard.ScalingPolicy;
import io.shardbus.shard.Shard;
import io.shardbus.shard.ShardLimits;
import io.shardbus.shard.ShardManager;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkContext;
import io.vertx.core.Deployable;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.ServiceLoader;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/**
 * Brings a bus up, or leaves nothing behind: step by step, on a thread that may block and has no
 * Vert.x context. To be used once.
 */
final class BusStarter {

  private static final Logger LOG = LoggerFactory.getLogger(BusStarter.class);

  /** What a sink that did not open may take to close. */
  private static final long RELEASE_MILLIS = 1_000;

  /** How long the start waits for ids of an earlier run. If there are many, it goes on without. */
  private static final long RECALL_MILLIS = 1_000;

  private final Vertx vertx;
  private final ShardBusOptions options;
  private final SinkLife sink;
  private final ShardManager manager;
  private final Owner owner;
  private final Within time;
  private Supplier<Future<Void>> recall = Future::succeededFuture;
  private final Promise<DefaultShardBus> started = Promise.promise();

  /** What to do if a later step fails, the last one first. */
  private final Deque<Supplier<Future<?>>> undo = new ArrayDeque<>();

  private BusStarter(Vertx vertx, ShardBusOptions given, Sink sink) {
    this.vertx = vertx;
    options = new ShardBusOptions(given);
    options.validate();
    long heap = Runtime.getRuntime().maxMemory();
    RingMemory.fit(options, heap);
    RingMemory.warning(options, heap).ifPresent(LOG::warn);
    this.sink = new SinkLife(sink);
    manager = manager(options);
    Duration remembered = options.getIds().getWindow();
    if (!remembered.isZero()) {
      IdWindow ids = new IdWindow(remembered, options.getIds().getMaxBytes());
      manager.rememberIds(ids);
      recall = IdRecall.prepare(vertx, manager, ids, remembered, sink);
    }
    time = Within.millis(options.getStartTimeout().toMillis());
    owner = Owner.ofCaller(vertx);
  }

  /** To be called on the context of the verticle that will own the bus, if there is one. */
  static Future<ShardBus> start(Vertx vertx, ShardBusOptions given, Sink sink) {
    try {
      return OnCaller.answer(vertx, new BusStarter(vertx, given, sink).begin());
    } catch (RuntimeException e) {
      return Future.failedFuture(e);
    }
  }

  private static ShardManager manager(ShardBusOptions options) {
    ShardLimits limits = RingMemory.limits(options);
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

  private Future<ShardBus> begin() {
    // A program's main may return now. A thread of Vert.x keeps the process alive; ours do not.
    vertx.runOnContext(now -> {});
    Claim claim = Claim.take(vertx, options.getAddress());
    Runnable forget;
    try {
      forget = owner.ownBus(this::close);
    } catch (IllegalStateException e) {
      claim.release();
      throw e;
    }
    Runnable end =
        () -> {
          claim.release();
          forget.run();
        };
    NoContext.async(this::run)
        .onSuccess(
            bus -> {
              claim.show(bus);
              bus.onClosed(end);
            })
        .onFailure(e -> end.run())
        .onComplete(started);
    return started.future().map(ShardBus.class::cast);
  }

  /** Closes what it starts, also while it does. */
  private Future<Void> close() {
    return started
        .future()
        .transform(bus -> bus.succeeded() ? bus.result().end() : Future.succeededFuture());
  }

  private Future<DefaultShardBus> run() {
    try {
      return Future.succeededFuture(bringUp());
    } catch (Throwable e) { // also an Error: nothing may be left behind
      long millis =
          time.over() ? RELEASE_MILLIS : options.getCloseTimeout().toMillis(); // it had its time
      for (Supplier<Future<?>> step : undo) {
        Within.millis(millis).await(step.get());
      }
      return Future.failedFuture(e);
    }
  }

  private DefaultShardBus bringUp() throws Throwable {
    if (options.getDataDir() != null) {
      DeadLetterStore.requireLibrary(); // before the folder is made
    }
    DataFolder folder = DataFolder.open(options.getDataDir());
    undo.push(
        () ->
            NoContext.async(
                () -> {
                  folder.close();
                  return Future.succeededFuture();
                }));
    DeadLetterStore letters = done("the dead letters", DeadLetterStore.open(folder.path()));
    undo.push(letters::close);
    Home home = done("the bus's verticle", Home.deploy(vertx, this::close));
    undo.push(() -> home.release(vertx));
    undo.push(sink::close);
    done(sink.name(), sink.open(home, new SinkContext(vertx, folder.producer(), folder.path())));
    DefaultShardBus bus = new DefaultShardBus(parts(folder, letters, home));
    undo.clear();
    undo.push(bus::end);
    deploy(bus.parts(), bus.cluster());
    done("the owner", owner.ready());
    time.atMost(RECALL_MILLIS).await(recall.get());
    extend(bus);
    return bus;
  }

  private void extend(ShardBus bus) {
    for (BusExtension extension :
        ServiceLoader.load(BusExtension.class, BusExtension.class.getClassLoader())) {
      try {
        extension.started(vertx, bus);
      } catch (RuntimeException e) {
        LOG.warn("the bus runs without " + extension.getClass().getName(), e);
      }
    }
  }

  private BusParts parts(DataFolder folder, DeadLetterStore letters, Home home) {
    DeliveryObservers observers = new DeliveryObservers();
    ShardDeployments deployments =
        new ShardDeployments(
            vertx,
            sink.sink(),
            letters,
            folder.producer(),
            options.getBatch(),
            options.getDelivery(),
            observers);
    return new BusParts(
        vertx,
        options,
        folder,
        home,
        sink,
        letters,
        manager,
        deployments,
        new Scaler(manager, deployments),
        observers,
        new WaitingRoom(vertx, manager),
        new CopyOnWriteArrayList<>());
  }

  private void deploy(BusParts parts, ClusterNodes nodes) throws Throwable {
    List<Future<?>> shards = new ArrayList<>();
    for (Shard shard : manager.shards()) {
      shards.add(parts.deployments().deploy(shard));
    }
    done("the shards", Future.join(shards));
    if (options.getRouters() > 0) {
      try {
        vertx.eventBus().registerDefaultCodec(RawEvent.class, new RawEventCodec());
      } catch (IllegalStateException registered) {
        // by another bus on this Vert.x: it is the same codec
      }
      deploy(
          parts,
          "the routers",
          () ->
              new RouterVerticle(
                  manager,
                  parts.waitingRoom(),
                  options.getAddress(),
                  options.getSecret(),
                  nodes,
                  parts.sink().sink()::idStore,
                  () -> parts.deployments().flushAll()),
          options.getRouters());
    }
    if (manager.mapper().isPresent()) {
      deploy(parts, "the scaler", () -> new ScalerVerticle(parts.scaler(), parts.observers()), 1);
    }
  }

  private void deploy(
      BusParts parts, String what, Supplier<? extends Deployable> verticle, int instances)
      throws Throwable {
    Future<String> deployed =
        NoContext.deploy(vertx, verticle, new DeploymentOptions().setInstances(instances));
    parts.others().add(deployed);
    done(what, deployed);
  }

  private <T> T done(String what, Future<T> step) throws Throwable {
    Future<T> end = time.await(step);
    Throwable failure = end.cause();
    if (failure instanceof TimeoutException && !step.isComplete()) {
      throw new IllegalStateException(
          what + " did not start within " + options.getStartTimeout().toMillis() + " ms", failure);
    }
    if (failure != null) {
      throw failure;
    }
    return end.result();
  }
}
