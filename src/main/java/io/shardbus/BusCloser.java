package io.shardbus;

import io.shardbus.delivery.NoContext;
import io.shardbus.delivery.Scaler;
import io.shardbus.delivery.ShardDeployments;
import io.shardbus.options.Counted;
import io.shardbus.shard.Shard;
import io.shardbus.shard.ShardManager;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import java.util.Map;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/*
 * Closes a bus that already refuses new events. It works step by step on a thread of its own that may block, so it
 * depends on no pool and no event loop of the application. If a step hangs, it is abandoned when its time is over. If a
 * step fails, the failure is noted. The next step follows in any case.
 *
 * It delivers what was accepted in passes, until the counts of all shards, also of removed ones, say that nothing
 * is left. Each pass seals the shards that hold events and gives them consumers. So it does not matter if others add or
 * remove shards meanwhile.
 */
/** Ends a bus. To be used once. */
final class BusCloser {

  private static final Logger LOG = LoggerFactory.getLogger(BusCloser.class);

  /** What each step may take once the time for deliveries is over. */
  private static final long RELEASE_MILLIS = 1_000;

  private static final long PASS_MILLIS = 100;
  private static final long PAUSE_NANOS = 1_000_000;

  private final BusParts parts;
  private final ShardManager manager;
  private final ShardDeployments deployments;
  private final long timeoutMillis;
  private final Promise<Void> delivered = Promise.promise();
  private final Promise<Void> closed = Promise.promise();
  private @Nullable Throwable failure;

  BusCloser(BusParts parts) {
    this.parts = parts;
    manager = parts.manager();
    deployments = parts.deployments();
    timeoutMillis = parts.options().getCloseTimeout().toMillis();
  }

  /** Completes when what was accepted is delivered; fails if some of it will not be. */
  Future<Void> delivered() {
    return delivered.future();
  }

  /** Completes when all is released; fails if some of it was not, or was not delivered. */
  Future<Void> closed() {
    return closed.future();
  }

  /** Begins; any thread. */
  Future<Void> begin() {
    NoContext.call(
            () -> {
              close();
              return failure;
            })
        .onComplete(
            end -> {
              Throwable cause = end.succeeded() ? end.result() : end.cause();
              if (cause == null) {
                closed.complete();
              } else {
                closed.fail(cause);
              }
            });
    return closed.future();
  }

  private void close() {
    Map<Integer, Long> left = deliver();
    if (left.isEmpty()) {
      delivered.complete();
    } else {
      failure = notDelivered(left);
      delivered.fail(failure);
    }
    release(left.isEmpty());
  }

  /** What could not be delivered in time, by shard. */
  private Map<Integer, Long> deliver() {
    Within time = Within.millis(timeoutMillis);
    while (!pass(time.atMost(PASS_MILLIS))) {
      if (time.over()) {
        Within.millis(RELEASE_MILLIS).await(deployments.abandonAll());
        return manager.pending();
      }
      LockSupport.parkNanos(PAUSE_NANOS);
    }
    // Requests to scale that are under way can end as they should: they wait for no sink any more.
    Scaler scaler = parts.scaler();
    Within.millis(RELEASE_MILLIS).await(scaler.close().transform(ended -> scaler.removals()));
    return Map.of();
  }

  /** Whether everything is settled, and nothing can come any more. */
  private boolean pass(Within time) {
    try {
      boolean sealed = manager.close();
      Map<Integer, Long> pending = manager.pending();
      for (Shard shard : manager.shards()) {
        if (pending.containsKey(shard.id())) {
          deployments.deploy(shard);
        }
      }
      time.await(deployments.flushAll());
      return sealed && manager.pending().isEmpty();
    } catch (Throwable e) { // also an Error: the next pass may do better
      LOG.warn("closing goes on after a failure", e);
      return false;
    }
  }

  private IllegalStateException notDelivered(Map<Integer, Long> left) {
    return new IllegalStateException(
        Counted.of(left.values().stream().mapToLong(Long::longValue).sum(), "event")
            + " of shards "
            + left.keySet()
            + " could not be delivered within "
            + timeoutMillis
            + " ms");
  }

  /** If the sink has used up its time, nothing waits for it again: its writes may never end. */
  private void release(boolean wait) {
    long millis = wait ? timeoutMillis : RELEASE_MILLIS;
    Within.millis(millis)
        .await(
            Future.join(
                parts.others().stream()
                    .map(deployed -> deployed.compose(parts.vertx()::undeploy))
                    .toList()));
    Within.millis(millis).await(deployments.undeployAll());
    if (!wait) {
      Within.millis(millis).await(NoContext.call(this::abandonRest));
    }
    step(parts.sink().name(), millis, parts.sink().close());
    step("the dead letters", millis, parts.letters().close());
    step("the data folder", millis, NoContext.call(this::releaseFolder));
    step("the bus's verticle", millis, parts.home().release(parts.vertx()));
  }

  private void step(String what, long millis, Future<?> end) {
    Throwable cause = Within.millis(millis).await(end).cause();
    if (cause != null && failure == null) {
      failure =
          cause instanceof TimeoutException
              ? new IllegalStateException(what + " did not close within " + millis + " ms", cause)
              : cause;
    }
  }

  /**
   * Tells the callers that wait for events which no consumer has taken, once their shard allows it.
   */
  private @Nullable Void abandonRest() {
    manager.close();
    manager.shards().forEach(Shard::abandon);
    return null;
  }

  private @Nullable Void releaseFolder() throws Exception {
    parts.folder().close();
    return null;
  }
}
