package io.shardbus.verticle;

import io.shardbus.event.ProducerId;
import io.shardbus.shard.Shard;
import io.shardbus.sink.DeadLetterSink;
import io.shardbus.sink.Sink;
import io.vertx.core.Context;
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
  private final RetryOptions delivery;
  private final DeliveryObserver observer;
  private final Function<ShardVerticle, Deployable> wrapper;
  private final Map<Integer, Entry> entries = new ConcurrentHashMap<>();
  private boolean closed;
  private volatile boolean closing;

  /** What is not final is guarded by the deployments' monitor. */
  private static final class Entry {

    final ShardPump pump;
    boolean wanted = true;

    /** The id of the last deployment, once it runs; null if it runs without a verticle. */
    Future<@Nullable String> deployment = Future.failedFuture("not deployed");

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
      RetryOptions delivery,
      DeliveryObserver observer) {
    this(vertx, sink, deadLetters, producer, batch, delivery, observer, verticle -> verticle);
  }

  ShardDeployments(
      Vertx vertx,
      Sink sink,
      DeadLetterSink deadLetters,
      ProducerId producer,
      BatchOptions batch,
      RetryOptions delivery,
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
   * Deploys a shard's verticle, if it has none.
   *
   * @param shard the shard
   * @return completes when its consumer runs; if it fails nothing is left
   */
  public synchronized Future<Void> deploy(Shard shard) {
    if (closed) {
      return Future.failedFuture(new IllegalStateException("the bus is closing"));
    }
    Entry known = entries.get(shard.id());
    if (known != null) {
      return known.deployment.mapEmpty();
    }
    Entry entry =
        new Entry(new ShardPump(shard, sink, deadLetters, producer, batch, delivery, observer));
    entries.put(shard.id(), entry);
    return deploy(entry)
        .onFailure(
            e -> {
              entries.remove(shard.id(), entry);
              entry.pump.neverRan();
            });
  }

  /** Not from the context of the caller, whose child the verticle would be. */
  private synchronized Future<Void> deploy(Entry entry) {
    if (!entry.wanted) {
      return Future.succeededFuture();
    }
    DeploymentOptions options =
        new DeploymentOptions().setThreadingModel(ThreadingModel.EVENT_LOOP);
    entry.deployment =
        NoContext.deploy(
                vertx,
                () -> wrapper.apply(new ShardVerticle(entry.pump, () -> stopped(entry))),
                options)
            .recover(e -> closing ? attachToNoVerticle(entry) : Future.failedFuture(e));
    return entry.deployment.mapEmpty();
  }

  /**
   * Vert.x may be closing, too, and deploys no more: what was accepted is delivered all the same.
   */
  private Future<@Nullable String> attachToNoVerticle(Entry entry) {
    Promise<@Nullable String> attached = Promise.promise();
    return NoContext.async(
        () -> {
          Context plain = vertx.getOrCreateContext();
          plain.runOnContext(
              now ->
                  NoContext.begin(
                      () -> {
                        entry.pump.attach(new VertxLoop(vertx, plain));
                        return Future.succeededFuture();
                      },
                      attached));
          return attached.future();
        });
  }

  private synchronized void stopped(Entry entry) {
    if (entry.wanted) {
      LOG.warn("the verticle of {} stopped; deploying it again", entry.pump.shard());
      // At once: whoever stops all verticles may close Vert.x next, and then none can be deployed.
      redeploy(entry);
    }
  }

  private void redeploy(Entry entry) {
    deploy(entry).onFailure(e -> redeployFailed(entry, e));
  }

  private void redeployFailed(Entry entry, Throwable failure) {
    LOG.warn("cannot deploy the verticle of {}: {}", entry.pump.shard(), failure.toString());
    CompletableFuture.delayedExecutor(
            REDEPLOY_DELAY_MILLIS, TimeUnit.MILLISECONDS, NoContext.THREADS)
        .execute(() -> redeploy(entry));
  }

  /**
   * Undeploys a shard's verticle, for good. Who waits for what it has not delivered by then is told
   * so.
   *
   * @param shardId the shard's id
   * @return completes when it has stopped; at once if there is none
   */
  public Future<Void> undeploy(int shardId) {
    Future<String> deployment;
    Entry entry;
    synchronized (this) {
      entry = entries.remove(shardId);
      if (entry == null) {
        return Future.succeededFuture();
      }
      entry.wanted = false;
      deployment = entry.deployment;
    }
    return deployment
        .compose(id -> id == null ? Future.<Void>succeededFuture() : vertx.undeploy(id))
        .otherwiseEmpty() // it did not start, or was stopped by somebody else
        .compose(stopped -> end(entry));
  }

  /**
   * The ring first, on a thread that may wait for whoever has the consumer side: the loop may not.
   */
  private static Future<Void> end(Entry entry) {
    return NoContext.async(
            () -> {
              entry.pump.shard().abandon();
              return Future.<Void>succeededFuture();
            })
        .compose(empty -> entry.pump.end());
  }

  /**
   * Gives up what is not delivered: who waits for it is told so, and no verticle has anything more
   * to do.
   *
   * @return completes when all have given up
   */
  public Future<Void> abandonAll() {
    return Future.join(entries.values().stream().map(ShardDeployments::end).toList()).mapEmpty();
  }

  /**
   * Undeploys all, and deploys no more.
   *
   * @return completes when all have stopped
   */
  public Future<Void> undeployAll() {
    synchronized (this) {
      closed = true;
    }
    List<Future<Void>> all = new ArrayList<>();
    for (Integer id : List.copyOf(entries.keySet())) {
      all.add(undeploy(id));
    }
    return Future.join(all).mapEmpty();
  }

  /** Whether a verticle is deployed for a shard, or about to be. */
  boolean has(int shardId) {
    return entries.containsKey(shardId);
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

  /** From now on what is left is delivered without verticles, if there can be none any more. */
  public void closing() {
    closing = true;
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
