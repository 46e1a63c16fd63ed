package io.shardbus.delivery;

import io.shardbus.event.ProducerId;
import io.shardbus.shard.Shard;
import io.shardbus.sink.DeadLetterSink;
import io.shardbus.sink.DeliveryObserver;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkHealth;
import io.vertx.core.Context;
import io.vertx.core.Deployable;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.ThreadingModel;
import io.vertx.core.Vertx;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/*
 * Ownership: `entries` has the shards with a verticle. The monitor guards `closed` and what is not final in an entry;
 * it is held for a moment only, never while a verticle starts or stops. `closing` is only ever set.
 *
 * Ordering: `undeploy` takes the entry out of the map and sets `wanted` to false in one step under the monitor, and only
 * then undeploys. A verticle that stops asks `wanted` under the same monitor. So whatever stops after an `undeploy` is
 * not deployed again, and what stops before it is the deployment that `undeploy` then waits for.
 *
 * Why it is safe: the pump holds the events, not the verticle. Between two deployments nothing drains the shard, and
 * nothing is lost. A pump has one loop at a time, because the next deployment begins only after the pump has left the
 * loop before, or after that deployment has failed. If memory runs out, `again` deploys a verticle that stopped.
 */
/**
 * Keeps a verticle deployed for each shard. If a shard verticle stops by itself, it is deployed
 * again and goes on where it stopped. Safe for any thread.
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

  /** Those whose verticles are being undeployed, which waits for writes under way. */
  private final Set<Entry> leaving = ConcurrentHashMap.newKeySet();

  private boolean closed;
  private volatile boolean closing;

  /** What is not final is guarded by the deployments' monitor. */
  private final class Entry {

    final ShardPump pump;
    final Promise<Void> gone = Promise.promise();
    final Rescue.Call again = new Rescue.Call(() -> redeploy(this));
    boolean wanted = true;

    /** Whether its verticle stopped by itself and is to be deployed again. */
    boolean stopped;

    /** The id of the last deployment, once it runs; null if it runs without a verticle. */
    Future<@Nullable String> deployment = Future.failedFuture("not deployed");

    Entry(ShardPump pump) {
      this.pump = pump;
    }
  }

  /**
   * @param vertx where the verticles run
   * @param sink where batches go; open
   * @param deadLetters keeps the events that the sink refuses for good
   * @param producer the producer that gives the sequences
   * @param batch how batches are formed
   * @param delivery how hard to try
   * @param observer told of deliveries
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
    try {
      return deploy(entry).onFailure(e -> giveUp(entry));
    } catch (Throwable e) { // memory may be missing
      giveUp(entry);
      throw e;
    }
  }

  /** Its verticle may have started and stopped before its deployment failed, and be redeployed. */
  private synchronized void giveUp(Entry entry) {
    entries.remove(entry.pump.shard().id(), entry);
    entry.wanted = false;
    entry.pump.neverRan();
    entry.deployment.onSuccess(
        id -> {
          if (id != null) {
            vertx.undeploy(id);
          }
        });
  }

  /** Not from the context of the caller: the verticle would become a child of the caller. */
  private synchronized Future<Void> deploy(Entry entry) {
    if (!entry.wanted || closed) {
      return Future.succeededFuture();
    }
    DeploymentOptions options =
        new DeploymentOptions().setThreadingModel(ThreadingModel.EVENT_LOOP);
    Promise<Void> begin = Promise.promise();
    Future<@Nullable String> deployment =
        begin
            .future()
            .compose(
                go ->
                    NoContext.deploy(
                        vertx,
                        () -> wrapper.apply(new ShardVerticle(entry.pump, () -> stopped(entry))),
                        options))
            .recover(e -> closing ? attachToNoVerticle(entry) : Future.failedFuture(e));
    Future<Void> done = deployment.mapEmpty();
    entry.deployment = deployment;
    entry.stopped = false;
    begin.complete(); // last: memory may run out before
    return done;
  }

  /**
   * Vert.x may be closing and deploy no more verticles. The accepted events are delivered all the
   * same.
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
    entry.stopped = true;
    // At once: if all verticles stop, Vert.x may close next, and then none can be deployed.
    redeploy(entry);
    if (entry.wanted && !closed) {
      LOG.warn("the verticle of " + entry.pump.shard() + " stopped, and is deployed again");
    }
  }

  /** Does not throw: the rescue tries again. */
  private synchronized void redeploy(Entry entry) {
    if (!entry.stopped || !entry.wanted || closed) {
      return;
    }
    try {
      deploy(entry).onFailure(e -> redeployFailed(entry, e));
    } catch (Throwable e) {
      entry.again.ask();
    }
  }

  private synchronized void redeployFailed(Entry entry, Throwable failure) {
    entry.stopped = true;
    LOG.warn("cannot deploy the verticle of " + entry.pump.shard() + ": " + failure.toString());
    CompletableFuture.delayedExecutor(
            REDEPLOY_DELAY_MILLIS, TimeUnit.MILLISECONDS, NoContext.THREADS)
        .execute(() -> redeploy(entry));
  }

  /**
   * Undeploys the verticle of a shard for good. Callers that wait for undelivered events are told
   * so.
   *
   * @param shardId the shard's id
   * @return completes when it has stopped; at once if there is none
   */
  public Future<Void> undeploy(int shardId) {
    Future<String> deployment;
    Entry entry;
    synchronized (this) {
      entry = entries.get(shardId);
      if (entry == null) {
        return Future.join(
                leaving.stream()
                    .filter(other -> other.pump.shard().id() == shardId)
                    .map(other -> other.gone.future())
                    .toList())
            .mapEmpty();
      }
      leaving.add(entry);
      entries.remove(shardId);
      entry.wanted = false;
      deployment = entry.deployment;
    }
    try {
      deployment
          .compose(id -> id == null ? Future.<Void>succeededFuture() : vertx.undeploy(id))
          .otherwiseEmpty() // it did not start, or another caller stopped it
          .compose(stopped -> end(entry))
          .onComplete(
              ended -> {
                leaving.remove(entry);
                entry.gone.handle(ended);
              });
    } catch (Throwable e) { // memory may be missing: the end of the bus tries again
      entries.put(shardId, entry);
      leaving.remove(entry);
      throw e;
    }
    return entry.gone.future();
  }

  /** The ring first, on a thread that may wait for the consumer side: the loop may not wait. */
  private static Future<Void> end(Entry entry) {
    return NoContext.async(
            () -> {
              entry.pump.shard().abandon();
              return Future.<Void>succeededFuture();
            })
        .compose(empty -> entry.pump.end());
  }

  /**
   * Gives up the undelivered events, and deploys no more. Callers that wait for them are told so,
   * and no verticle has work left.
   *
   * @return completes when all have given up
   */
  public Future<Void> abandonAll() {
    synchronized (this) {
      closed = true;
    }
    return Future.join(
            Stream.concat(entries.values().stream(), leaving.stream())
                .map(ShardDeployments::end)
                .toList())
        .mapEmpty();
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
    List.copyOf(entries.keySet()).forEach(this::undeploy);
    return Future.join(leaving.stream().map(entry -> entry.gone.future()).toList()).mapEmpty();
  }

  /** Whether a verticle is deployed for a shard, or about to be. */
  boolean has(int shardId) {
    return entries.containsKey(shardId);
  }

  /**
   * The state of the connection between a shard and the sink.
   *
   * @param shardId the shard's id
   * @return its circuit; {@link SinkHealth#GOOD} if there is no verticle for it
   */
  public SinkHealth sinkHealth(int shardId) {
    Entry entry = entries.get(shardId);
    return entry == null ? SinkHealth.GOOD : entry.pump.sinkHealth();
  }

  /**
   * Makes a shard deliver the events that it holds.
   *
   * @param shardId the shard's id
   * @return completes when the events accepted by now are settled; at once if there is no verticle
   *     for it
   */
  public Future<Void> flush(int shardId) {
    Entry entry = entries.get(shardId);
    return entry == null ? Future.succeededFuture() : entry.pump.flush();
  }

  /** From now on events are delivered without verticles, if none can be deployed any more. */
  public void closing() {
    closing = true;
  }

  /**
   * Makes all shards deliver the events that they hold.
   *
   * @return completes when the events accepted by now are settled
   */
  public Future<Void> flushAll() {
    Collection<Entry> all = entries.values();
    return Future.all(all.stream().map(entry -> entry.pump.flush()).toList()).mapEmpty();
  }
}
