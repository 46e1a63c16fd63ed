package io.shardbus.delivery;

import io.shardbus.shard.ScalingDecision;
import io.shardbus.shard.ScalingDecision.Direction;
import io.shardbus.shard.ScalingException;
import io.shardbus.shard.ScalingException.Reason;
import io.shardbus.shard.ScalingHistory;
import io.shardbus.shard.ScalingHistory.Cause;
import io.shardbus.shard.ScalingPolicy;
import io.shardbus.shard.Shard;
import io.shardbus.shard.ShardManager;
import io.shardbus.shard.ShardMapper;
import io.shardbus.shard.ShardState;
import io.vertx.core.Future;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Stream;

/*
 * Adds and removes shards, one request at a time.
 *
 * Up: shards are provisioned, their verticles are deployed, and only when all run are they activated; if one cannot be
 * deployed all are taken back. Down: shards leave the routing table and are sealed; that is the end of the request's
 * turn. Their events are then delivered, however long the sink takes. After that the verticle is undeployed and the
 * shard unmapped. A second request to remove the same shard joins the first one.
 *
 * If a caller adds or drains shards at the engine, past this class, the next tick adopts them. It does the same with
 * shards that could not be brought up because memory was missing.
 */
/** Adds and removes shards while events flow. Safe for any thread. */
public final class Scaler {

  private static final Logger LOG = LoggerFactory.getLogger(Scaler.class);

  private final ShardManager manager;
  private final ShardDeployments deployments;
  private final Turns turns = new Turns();
  private final Removals removals;
  private final AtomicLong added = new AtomicLong();
  private final AtomicLong failed = new AtomicLong();
  private final ScalingRecords history;

  private volatile Runnable onPolicyChange = () -> {};

  /** Whether a decision is being made. */
  private volatile boolean evaluating;

  private volatile boolean failedBefore;
  private volatile long lastFailure;

  /**
   * @param manager whose shards are added and removed
   * @param deployments their verticles
   */
  public Scaler(ShardManager manager, ShardDeployments deployments) {
    this.manager = manager;
    this.deployments = deployments;
    removals = new Removals(manager, deployments);
    history = new ScalingRecords(manager::numShards);
  }

  /** {@return how many shards were added since the start} */
  public long added() {
    return added.get();
  }

  /** {@return how many shards were removed since the start} */
  public long removed() {
    return removals.count();
  }

  /** {@return how many requests failed and changed nothing} */
  public long failed() {
    return failed.get();
  }

  /** {@return the requests and their results; live} */
  public ScalingHistory history() {
    return history;
  }

  /**
   * The policy in force.
   *
   * @return a copy
   * @throws ScalingException SCALING_DISABLED
   */
  public ScalingPolicy policy() {
    return mapper().policy();
  }

  /**
   * Sets another policy, as {@link ShardMapper#changePolicy} does. Its metrics window begins now.
   *
   * @param next copied and validated
   * @throws ScalingException SCALING_DISABLED, INVALID_POLICY
   */
  public void changePolicy(ScalingPolicy next) {
    mapper().changePolicy(next);
    onPolicyChange.run();
  }

  /** Runs after each change of the policy. */
  void onPolicyChange(Runnable action) {
    onPolicyChange = action;
  }

  /**
   * Adds shards: all of them, or none. The cooldown does not apply.
   *
   * @param count how many, at least 1
   * @return their ids, once they are active
   */
  public Future<List<Integer>> scaleUp(int count) {
    return scaleUp(count, Cause.MANUAL, "");
  }

  private Future<List<Integer>> scaleUp(int count, Cause cause, String reason) {
    return history.follow(
        Direction.UP,
        cause,
        reason,
        inTurn(() -> blocking(() -> mapper().scaleUp(count, true)).compose(this::bringUp)));
  }

  private Future<List<Integer>> bringUp(List<Integer> ids) {
    return Future.succeededFuture() // so that what throws is taken back, too
        .compose(begin -> Future.join(ids.stream().map(this::deploy).toList()))
        .compose(
            all ->
                blocking(
                    () -> {
                      mapper().activate(ids);
                      added.addAndGet(ids.size());
                      LOG.info("added shards " + ids + ", now " + manager.numShards() + " active");
                      return ids;
                    }))
        .recover(
            e ->
                Future.join(ids.stream().map(this::takeBack).toList())
                    .transform(done -> Future.failedFuture(e)));
  }

  private Future<Void> deploy(int id) {
    return manager
        .shard(id)
        .map(deployments::deploy)
        .orElseGet(
            () ->
                Future.failedFuture(
                    new ScalingException(
                        Reason.UNKNOWN_SHARD, "shard " + id + " was removed by another caller")));
  }

  /**
   * Takes a shard back that was not activated. If another caller has activated it, it may hold
   * events. So these are delivered first, and it stays if the policy needs it.
   */
  private Future<Void> takeBack(int id) {
    return blocking(
            () -> {
              manager.drainShard(id);
              mapper().finalizeDraining();
              return mapper().shardState(id).equals(Optional.of(ShardState.STOPPED));
            })
        .compose(
            unused -> {
              if (unused) {
                return removals.unmap(id);
              }
              removals.seeOff(id); // the turn does not wait for the sink
              return Future.succeededFuture();
            })
        .otherwise(
            e -> {
              if (manager.shard(id).isEmpty()) {
                removals.dismiss(id); // nor here
              }
              return null;
            });
  }

  /**
   * Removes shards, those with the least to deliver first. The cooldown does not apply.
   *
   * @param count how many, at least 1
   * @return their ids, once all their events are settled and they are gone
   */
  public Future<List<Integer>> scaleDown(int count) {
    return scaleDown(count, Cause.MANUAL, "");
  }

  private Future<List<Integer>> scaleDown(int count, Cause cause, String reason) {
    return history.follow(
        Direction.DOWN,
        cause,
        reason,
        inTurn(
                () ->
                    blocking(() -> mapper().scaleDown(count, true))
                        .map(ids -> new Leaving(ids, ids.stream().map(removals::seeOff).toList())))
            .compose(leaving -> Future.all(leaving.gone()).map(leaving.ids())));
  }

  private record Leaving(List<Integer> ids, List<Future<Void>> gone) {}

  /**
   * Removes one shard. Joins the first request if the shard is being removed already.
   *
   * @param id the shard's id
   * @return completes when all its events are settled and it is gone
   */
  public Future<Void> remove(int id) {
    return removals.begin(
        id,
        () ->
            inTurn(() -> blocking(() -> mapper().scaleDownShard(id)))
                .compose(removals::deliverAndUnmap),
        gone -> history.follow(Direction.DOWN, Cause.MANUAL, "", gone.map(List.of(id))));
  }

  /**
   * Gives a verticle to the shards that may hold events and have none: those that were activated or
   * drained at the engine since the last tick.
   *
   * @return completes when what they hold is being delivered
   */
  public Future<Void> adoptThoseWithEvents() {
    return orphansWithEvents().findAny().isPresent()
        ? inTurn(() -> adopt(orphansWithEvents()))
        : Future.succeededFuture();
  }

  /** New shards get a verticle and then their slots. Draining shards are followed to their end. */
  private Future<Void> adopt(Stream<Shard> orphans) {
    List<Future<?>> adopted = new ArrayList<>();
    orphans.forEach(
        orphan -> {
          int id = orphan.id();
          switch (orphan.state()) {
            case PROVISIONING -> adopted.add(bringUp(List.of(id)));
            case ACTIVE -> adopted.add(deployments.deploy(orphan));
            default -> {
              adopted.add(deployments.deploy(orphan));
              removals.seeOff(id);
            }
          }
        });
    return Future.join(adopted).mapEmpty();
  }

  private Stream<Shard> orphansWithEvents() {
    return orphans().filter(shard -> shard.state() != ShardState.PROVISIONING);
  }

  private Stream<Shard> orphans() {
    return manager.shards().stream()
        .filter(shard -> !removals.has(shard.id()))
        .filter(shard -> shard.state() != ShardState.ACTIVE || !deployments.has(shard.id()))
        .filter(shard -> manager.shard(shard.id()).isPresent()); // it may have left meanwhile
  }

  /** Asks the policy, and does what it says. Returns at once if a request is under way. */
  Future<?> tick() {
    synchronized (this) {
      Future<?> last = turns.last();
      if (evaluating || !last.isComplete()) {
        return last;
      }
      evaluating = true;
    }
    try {
      return Future.succeededFuture()
          .compose(begin -> adoptAll())
          .compose(done -> blocking(manager::evaluateScaling))
          .onFailure(e -> evaluating = false)
          .compose(this::act)
          .onFailure(
              e -> {
                LOG.warn("automatic scaling failed: " + e.getMessage());
                lastFailure = System.nanoTime();
                failedBefore = true;
              });
    } catch (Throwable e) { // memory may be missing
      evaluating = false;
      throw e;
    }
  }

  private Future<Void> adoptAll() {
    return orphans().findAny().isPresent()
        ? inTurn(() -> adopt(orphans()))
        : Future.succeededFuture();
  }

  private Future<?> act(ScalingDecision decision) {
    try {
      if (decision.direction() == Direction.NONE || heldBack()) {
        return Future.succeededFuture();
      }
      LOG.info(
          "scaling " + decision.direction() + " by " + decision.count() + ": " + decision.cause());
      return decision.direction() == Direction.UP
          ? scaleUp(decision.count(), Cause.AUTOMATIC, decision.cause())
          : scaleDown(decision.count(), Cause.AUTOMATIC, decision.cause());
    } finally {
      evaluating = false; // the request has its turn, which the next tick sees
    }
  }

  /** A verticle that cannot be deployed now will hardly be in the next moment. */
  private boolean heldBack() {
    return failedBefore && System.nanoTime() - lastFailure < policy().getCooldown().toNanos();
  }

  /** Events offered since the start, taken or not. */
  long offered() {
    return manager.accounting().offered();
  }

  /** How often {@link #tick} is worth its while, as long as events come. */
  long lookMillis() {
    return manager.lookInterval().toMillis();
  }

  /**
   * Refuses the requests that wait for their turn, and further ones.
   *
   * @return completes when the current request has ended
   */
  public Future<Void> close() {
    return turns.close();
  }

  /** {@return completes when all draining shards are gone} */
  public Future<Void> removals() {
    return removals.all();
  }

  /** Fails the requests that have not ended. Nobody works on them any more. */
  public void end() {
    turns.end();
    removals.end();
  }

  private <T> Future<T> inTurn(Callable<Future<T>> request) {
    return turns.take(request).onFailure(e -> failed.incrementAndGet());
  }

  private ShardMapper mapper() {
    return manager
        .mapper()
        .orElseThrow(
            () ->
                new ScalingException(
                    Reason.SCALING_DISABLED,
                    "the number of shards is fixed: no scaling policy was given"));
  }

  /** Changes of the table wait for producers, for microseconds as a rule. */
  private static <T> Future<T> blocking(Callable<T> change) {
    return NoContext.call(change);
  }
}
