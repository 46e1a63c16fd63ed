package io.shardbus.verticle;

import io.shardbus.event.ProducerId;
import io.shardbus.shard.Shard;
import io.shardbus.sink.DeadLetterSink;
import io.shardbus.sink.Sink;
import io.vertx.core.Deployable;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.ThreadingModel;
import io.vertx.core.Vertx;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps a verticle deployed for each shard. A shard verticle that stops without having been asked
 * to is deployed again, and goes on where it stopped. Safe for any thread.
 */
public final class ShardDeployments {

  private static final Logger LOG = LoggerFactory.getLogger(ShardDeployments.class);
  private static final long REDEPLOY_DELAY_MILLIS = 100;

  private final Vertx vertx;
  private final Sink sink;
  private final DeadLetterSink deadLetters;
  private final ProducerId producer;
  private final BatchOptions batch;
  private final DeliveryOptions delivery;
  private final DeliveryObserver observer;
  private final Function<ShardVerticle, Deployable> wrapper;
  private final Map<Integer, Entry> entries = new ConcurrentHashMap<>();

  private static final class Entry {

    final ShardPump pump;
    volatile boolean wanted = true;
    volatile @Nullable String deploymentId;

    Entry(ShardPump pump) {
      this.pump = pump;
    }
  }

  /**
   * @param vertx where the verticles run
   * @param sink where batches go; open
   * @param deadLetters where events go that the sink will not take
   * @param producer who gives the sequences
   * @param batch how batches are formed
   * @param delivery how hard to try
   * @param observer who is told of deliveries
   */
  public ShardDeployments(
      Vertx vertx,
      Sink sink,
      DeadLetterSink deadLetters,
      ProducerId producer,
      BatchOptions batch,
      DeliveryOptions delivery,
      DeliveryObserver observer) {
    this(vertx, sink, deadLetters, producer, batch, delivery, observer, verticle -> verticle);
  }

  ShardDeployments(
      Vertx vertx,
      Sink sink,
      DeadLetterSink deadLetters,
      ProducerId producer,
      BatchOptions batch,
      DeliveryOptions delivery,
      DeliveryObserver observer,
      Function<ShardVerticle, Deployable> wrapper) {
    this.vertx = vertx;
    this.sink = sink;
    this.deadLetters = deadLetters;
    this.producer = producer;
    this.batch = batch;
    this.delivery = delivery;
    this.observer = observer;
    this.wrapper = wrapper;
  }

  /**
   * Deploys a shard's verticle.
   *
   * @param shard the shard
   * @return completes when its consumer runs; if it fails nothing is left
   */
  public Future<Void> deploy(Shard shard) {
    Entry entry =
        new Entry(new ShardPump(shard, sink, deadLetters, producer, batch, delivery, observer));
    if (entries.putIfAbsent(shard.id(), entry) != null) {
      return Future.failedFuture(new IllegalStateException(shard + " is deployed"));
    }
    return deploy(entry).onFailure(e -> entries.remove(shard.id()));
  }

  /**
   * From a thread without a context: deployed from a verticle, such as the scaler or one of the
   * user's, the shard's verticle would be that one's child and go with it.
   */
  private Future<Void> deploy(Entry entry) {
    DeploymentOptions options =
        new DeploymentOptions().setThreadingModel(ThreadingModel.EVENT_LOOP);
    Promise<String> deployed = Promise.promise();
    ForkJoinPool.commonPool()
        .execute(
            () ->
                vertx
                    .deployVerticle(
                        () -> wrapper.apply(new ShardVerticle(entry.pump, () -> stopped(entry))),
                        options)
                    .onComplete(deployed));
    return deployed.future().onSuccess(id -> entry.deploymentId = id).mapEmpty();
  }

  private void stopped(Entry entry) {
    entry.deploymentId = null;
    if (entry.wanted) {
      LOG.warn("the verticle of {} stopped; deploying it again", entry.pump.shard());
      redeployLater(entry);
    }
  }

  private void redeployLater(Entry entry) {
    CompletableFuture.delayedExecutor(REDEPLOY_DELAY_MILLIS, TimeUnit.MILLISECONDS)
        .execute(
            () -> {
              if (entry.wanted) {
                deploy(entry).onFailure(e -> redeployFailed(entry, e));
              }
            });
  }

  private void redeployFailed(Entry entry, Throwable failure) {
    LOG.warn("cannot deploy the verticle of {}: {}", entry.pump.shard(), failure.toString());
    redeployLater(entry);
  }

  /**
   * Undeploys a shard's verticle, for good.
   *
   * @param shardId the shard's id
   * @return completes when it has stopped; at once if there is none
   */
  public Future<Void> undeploy(int shardId) {
    Entry entry = entries.remove(shardId);
    if (entry == null) {
      return Future.succeededFuture();
    }
    entry.wanted = false;
    String id = entry.deploymentId;
    return id == null ? Future.succeededFuture() : vertx.undeploy(id).otherwiseEmpty();
  }

  /**
   * Undeploys all.
   *
   * @return completes when all have stopped
   */
  public Future<Void> undeployAll() {
    List<Future<Void>> all = new ArrayList<>();
    for (Integer id : List.copyOf(entries.keySet())) {
      all.add(undeploy(id));
    }
    return Future.join(all).mapEmpty();
  }

  /**
   * How a shard gets on with its sink.
   *
   * @param shardId the shard's id
   * @return its circuit; {@link SinkHealth#GOOD} if there is no verticle for it
   */
  public SinkHealth sinkHealth(int shardId) {
    Entry entry = entries.get(shardId);
    return entry == null ? SinkHealth.GOOD : entry.pump.sinkHealth();
  }

  /**
   * Has a shard write out what it holds.
   *
   * @param shardId the shard's id
   * @return completes when what it has accepted by now is settled; at once if there is no verticle
   *     for it
   */
  public Future<Void> flush(int shardId) {
    Entry entry = entries.get(shardId);
    return entry == null ? Future.succeededFuture() : entry.pump.flush();
  }

  /**
   * Has all shards write out what they hold.
   *
   * @return completes when what they have accepted by now is settled
   */
  public Future<Void> flushAll() {
    Collection<Entry> all = entries.values();
    return Future.all(all.stream().map(entry -> entry.pump.flush()).toList()).mapEmpty();
  }
}
