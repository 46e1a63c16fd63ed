package io.shardbus.delivery;

import io.shardbus.event.ProducerId;
import io.shardbus.event.RawEvent;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.shard.BackpressureMode;
import io.shardbus.shard.ScalingPolicy;
import io.shardbus.shard.Shard;
import io.shardbus.shard.ShardManager;
import io.vertx.core.Context;
import io.vertx.core.Deployable;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A scaler with two shards, whose verticles can be made to fail. */
abstract class ScalerFixture {

  Vertx vertx;
  final RecordingSink sink = new RecordingSink();
  ShardManager manager;
  ShardDeployments deployments;
  Scaler scaler;
  final DeliveryObservers observers = new DeliveryObservers();

  @BeforeEach
  void setUp() {
    vertx = Vertx.vertx();
  }

  @AfterEach
  void tearDown() throws Exception {
    deployments.abandonAll(); // else it would go on deploying verticles
    await(vertx.close());
  }

  static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(20, TimeUnit.SECONDS);
  }

  void start() throws Exception {
    start(new ScalingPolicy().setAutoScale(false), verticle -> verticle);
  }

  void start(ScalingPolicy policy, Function<ShardVerticle, Deployable> wrapper) throws Exception {
    manager = ShardManager.withMapper(2, 1024, BackpressureMode.FAIL_PRODUCER, policy);
    deployments =
        new ShardDeployments(
            vertx,
            sink,
            letters -> Future.succeededFuture(),
            new ProducerId("p", 1),
            // small, so that a ring fills while the sink holds a batch
            new BatchOptions().setMinSize(10).setMaxSize(100),
            new RetryOptions(),
            observers,
            wrapper);
    scaler = new Scaler(manager, deployments);
    for (Shard shard : manager.shards()) {
      await(deployments.deploy(shard));
    }
  }

  /** Fails the start of some, and holds that of others. */
  static Deployable wrap(
      ShardVerticle verticle, Function<Integer, Future<Void>> beforeStart, AtomicInteger starts) {
    return new Deployable() {
      @Override
      public Future<?> deploy(Context context) throws Exception {
        int number = starts.incrementAndGet();
        return beforeStart
            .apply(number)
            .compose(
                go -> {
                  try {
                    return verticle.deploy(context).mapEmpty();
                  } catch (Exception e) {
                    return Future.failedFuture(e);
                  }
                });
      }

      @Override
      public Future<?> undeploy(Context context) throws Exception {
        return verticle.undeploy(context);
      }
    };
  }

  static Function<ShardVerticle, Deployable> failing(IntPredicate which, AtomicInteger starts) {
    return verticle ->
        wrap(
            verticle,
            n ->
                which.test(n)
                    ? Future.failedFuture(new IllegalStateException("no room"))
                    : Future.succeededFuture(),
            starts);
  }

  /** The verticle of the third shard is about to start, and does so by the gate. */
  Future<List<Integer>> scaleUpBehind(Future<Void> gate) throws Exception {
    AtomicInteger starts = new AtomicInteger();
    start(
        new ScalingPolicy().setAutoScale(false),
        verticle -> wrap(verticle, n -> n == 3 ? gate : Future.succeededFuture(), starts));
    Future<List<Integer>> up = scaler.scaleUp(1);
    Awaitility.await().until(() -> starts.get() == 3);
    return up;
  }

  /** Returns how many were accepted. */
  long offer(int events) {
    return IntStream.range(0, events)
        .filter(i -> manager.ingestRaw(RawEvent.of("event " + i)).accepted())
        .count();
  }
}
