package io.shardbus.delivery;

import io.shardbus.shard.ScalingException;
import io.shardbus.shard.ScalingException.Reason;
import io.shardbus.shard.Shard;
import io.shardbus.shard.ShardManager;
import io.shardbus.shard.ShardMapper;
import io.shardbus.shard.ShardState;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;

/**
 * The shards that are being removed. Their events are delivered, however long the sink takes; then
 * the shard is unmapped and its verticle undeployed. Safe for any thread.
 */
final class Removals {

  private static final Logger LOG = LoggerFactory.getLogger(Removals.class);

  private static final Executor AFTER_A_PAUSE =
      CompletableFuture.delayedExecutor(10, TimeUnit.MILLISECONDS, NoContext.THREADS);

  private final ShardManager manager;
  private final ShardDeployments deployments;
  private final Map<Integer, Promise<Void>> underWay = new ConcurrentHashMap<>();
  private final AtomicLong count = new AtomicLong();
  private volatile boolean ended;

  Removals(ShardManager manager, ShardDeployments deployments) {
    this.manager = manager;
    this.deployments = deployments;
    manager.mapper().ifPresent(mapper -> mapper.onShardRemoved(this::wasUnmapped));
  }

  /** Shards removed since the start. */
  long count() {
    return count.get();
  }

  /** Whether the shard is being removed. */
  boolean has(int id) {
    return underWay.containsKey(id);
  }

  /** Completes when those under way have ended. */
  Future<Void> all() {
    return Future.join(underWay.values().stream().map(Promise::future).toList()).mapEmpty();
  }

  /** Fails those under way. Nobody works on them any more. */
  void end() {
    ended = true;
    underWay.values().forEach(gone -> gone.tryFail(closed()));
  }

  private static ScalingException closed() {
    return new ScalingException(Reason.ILLEGAL_STATE, "the bus is closed");
  }

  /** Follows a shard that has left the routing table to its end. */
  Future<Void> seeOff(int id) {
    return begin(id, () -> deliverAndUnmap(id), gone -> {});
  }

  /**
   * Begins a removal, or joins the one that is under way.
   *
   * @param way removes the shard
   * @param note given the future of a removal that begins
   */
  Future<Void> begin(int id, Callable<Future<Void>> way, Consumer<Future<Void>> note) {
    Promise<Void> gone = Promise.promise();
    gone.future().onComplete(end -> underWay.remove(id, gone));
    Callable<Future<Void>> noted =
        () -> {
          note.accept(gone.future());
          return way.call();
        };
    Promise<Void> first = underWay.putIfAbsent(id, gone); // from here on nothing may throw
    if (first != null) {
      return first.future();
    }
    NoContext.begin(noted, gone);
    return gone.future();
  }

  /** Completes when all its events are settled and it is gone. It must have left the table. */
  Future<Void> deliverAndUnmap(int id) {
    Promise<Void> settled = Promise.promise();
    deliver(id, settled);
    return settled
        .future()
        .compose(stopped -> unmap(id))
        .onSuccess(
            gone -> {
              count.incrementAndGet();
              LOG.info("removed shard " + id + ", now " + manager.numShards() + " active");
            });
  }

  /**
   * Tries again while another thread has the consumer side of the shard: that thread closes the
   * shard to producers when it lets go. It may take hours, so no chain of futures grows meanwhile.
   */
  private void deliver(int id, Promise<Void> settled) {
    Promise<Void> flushed = Promise.promise();
    NoContext.begin(() -> flush(id), flushed);
    flushed
        .future()
        .compose(done -> NoContext.call(() -> isStopped(id)))
        .compose(
            stopped -> {
              if (!stopped) {
                AFTER_A_PAUSE.execute(() -> deliver(id, settled));
              }
              return Future.succeededFuture(stopped);
            })
        .onSuccess(
            stopped -> {
              if (stopped) {
                settled.complete();
              }
            })
        .onFailure(settled::fail);
  }

  private Future<Void> flush(int id) {
    if (ended) {
      return Future.failedFuture(closed());
    }
    return manager
        .shard(id)
        .map(deployments::deploy) // another caller may have added it
        .orElseGet(Future::succeededFuture)
        .compose(runs -> deployments.flush(id));
  }

  /** Whether all of it is settled, or another caller has unmapped it. */
  private boolean isStopped(int id) {
    manager.mapper().ifPresent(ShardMapper::finalizeDraining);
    return manager.shard(id).map(Shard::state).orElse(ShardState.STOPPED) == ShardState.STOPPED;
  }

  /** Removes a shard of which all is settled. */
  Future<Void> unmap(int id) {
    return NoContext.call(() -> manager.removeShard(id))
        .<Void>mapEmpty()
        .recover(
            e -> manager.shard(id).isPresent() ? Future.failedFuture(e) : Future.succeededFuture())
        .compose(unmapped -> dismiss(id));
  }

  private void wasUnmapped(int id) {
    if (!has(id)) {
      dismiss(id);
    }
  }

  /** Undeploys the verticle of a shard that is unmapped. It may still have events to deliver. */
  Future<Void> dismiss(int id) {
    return deployments.flush(id).transform(flushed -> deployments.undeploy(id));
  }
}
