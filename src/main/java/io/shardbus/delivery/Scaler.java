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
import io.vertx.core.Promise;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/*
 * Adds and removes shards, one request at a time.
 *
 * Up: shards are provisioned, their verticles are deployed, and only when all run are they activated; if one cannot be
 * deployed all are taken back. Down: shards leave the routing table and are sealed; that is the end of the request's
 * turn. Their events are then delivered, however long the sink takes. After that the verticle is undeployed and the
 * shard unmapped. A second request to remove the same shard joins the first one.
 *
 * If a caller adds or drains shards at the engine, past this class, the next tick adopts them.
 */
/** Adds and removes shards while events flow. Safe for any thread. */
public final class Scaler {

  private static final Logger LOG = LoggerFactory.getLogger(Scaler.class);

  private static final long PAUSE_MILLIS = 10;

  private final ShardManager manager;
  private final ShardDeployments deployments;
  private final Map<Integer, Future<Void>> leaving = new ConcurrentHashMap<>();
  private final AtomicLong added = new AtomicLong();
  private final AtomicLong removed = new AtomicLong();
  private final AtomicLong failed = new AtomicLong();
  private final ScalingRecords history = new ScalingRecords();

  private volatile Runnable onPolicyChange = () -> {};

  /** Requests that wait for the one whose turn it is. */
  private final Queue<Runnable> turns = new ArrayDeque<>();

  private boolean busy;
  private Future<?> last = Future.succeededFuture();
  private volatile boolean closed;

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
  }

  /**
   * Shards added since the start.
   *
   * @return how many
   */
  public long added() {
    return added.get();
  }

  /**
   * Shards removed since the start.
   *
   * @return how many
   */
  public long removed() {
    return removed.get();
  }

  /**
   * Requests that failed and changed nothing.
   *
   * @return how many
   */
  public long failed() {
    return failed.get();
  }

  /**
   * The requests and their results.
   *
   * @return the live history
   */
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
        inTurn(() -> blocking(() -> mapper().scaleUp(count, true)).compose(this::bringUp)),
        manager::numShards);
  }

  private Future<List<Integer>> bringUp(List<Integer> ids) {
    List<Future<Void>> deployed =
        ids.stream().map(id -> deployments.deploy(manager.shard(id).orElseThrow())).toList();
    return Future.join(deployed)
        .recover(e -> rollBack(ids).transform(done -> Future.failedFuture(e)))
        .compose(
            all ->
                blocking(
                        () -> {
                          mapper().activate(ids);
                          added.addAndGet(ids.size());
                          LOG.info("added shards {}, now {} active", ids, manager.numShards());
                          return ids;
                        })
                    .onFailure(e -> ids.forEach(this::withdraw)));
  }

  /**
   * Another caller drained one of them meanwhile, so none was activated and all are removed. If
   * another caller activated one meanwhile, it may hold events; it stays if the policy needs it.
   */
  private void withdraw(int id) {
    blocking(
            () -> {
              manager.drainShard(id);
              return id;
            })
        .onSuccess(this::seeOff);
  }

  /** They are provisioned, so they have had no events. */
  private Future<Void> rollBack(List<Integer> ids) {
    List<Future<?>> undone = new ArrayList<>();
    for (int id : ids) {
      undone.add(deployments.undeploy(id).compose(gone -> blocking(() -> manager.removeShard(id))));
    }
    return Future.join(undone).mapEmpty();
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
                        .map(ids -> new Leaving(ids, ids.stream().map(this::seeOff).toList())))
            .compose(leaving -> Future.all(leaving.gone()).map(leaving.ids())),
        manager::numShards);
  }

  private record Leaving(List<Integer> ids, List<Future<Void>> gone) {}

  /**
   * Removes one shard. Joins the first request if the shard is being removed already.
   *
   * @param id the shard's id
   * @return completes when all its events are settled and it is gone
   */
  public Future<Void> remove(int id) {
    return leave(
        id,
        () ->
            history
                .follow(
                    Direction.DOWN,
                    Cause.MANUAL,
                    "",
                    inTurn(() -> blocking(() -> mapper().scaleDownShard(id)))
                        .compose(this::deliverAndUnmap)
                        .map(List.of(id)),
                    manager::numShards)
                .mapEmpty());
  }

  /** Follows a sealed shard to its end. */
  private Future<Void> seeOff(int id) {
    return leave(id, () -> deliverAndUnmap(id));
  }

  /** The same future for all requests while a shard is being removed. */
  private Future<Void> leave(int id, Supplier<Future<Void>> way) {
    Promise<Void> gone = Promise.promise();
    Future<Void> underWay = leaving.putIfAbsent(id, gone.future());
    if (underWay != null) {
      return underWay;
    }
    way.get()
        .onComplete(
            end -> {
              leaving.remove(id);
              gone.handle(end);
            });
    return gone.future();
  }

  private Future<Void> deliverAndUnmap(int id) {
    Shard shard = manager.shard(id).orElse(null);
    if (shard == null) {
      return Future.succeededFuture();
    }
    return deployments
        .deploy(shard) // another caller may have added it
        .compose(runs -> deployments.flush(id))
        .compose(
            flushed ->
                blocking(
                    () -> {
                      mapper().finalizeDraining();
                      return manager.shard(id).map(Shard::state).orElse(ShardState.STOPPED)
                          == ShardState.STOPPED;
                    }))
        .compose(
            stopped ->
                stopped
                    ? deployments
                        .undeploy(id)
                        .compose(gone -> blocking(() -> manager.removeShard(id)))
                        .onSuccess(
                            leftovers -> {
                              removed.incrementAndGet();
                              LOG.info("removed shard {}, now {} active", id, manager.numShards());
                            })
                        .mapEmpty()
                    : pause().compose(over -> deliverAndUnmap(id)));
  }

  /**
   * Another thread has the consumer side of the shard, and closes it to producers when it lets go.
   */
  private static Future<Void> pause() {
    Promise<Void> over = Promise.promise();
    CompletableFuture.delayedExecutor(PAUSE_MILLIS, TimeUnit.MILLISECONDS, NoContext.THREADS)
        .execute(over::complete);
    return over.future();
  }

  /**
   * Gives a verticle to the shards that may hold events and have none: those that were activated or
   * drained at the engine since the last tick.
   *
   * @return completes when what they hold is being delivered
   */
  public Future<Void> adoptThoseWithEvents() {
    return !closed && orphans().anyMatch(shard -> shard.state() != ShardState.PROVISIONING)
        ? inTurn(this::adopt)
        : Future.succeededFuture();
  }

  /** New shards get a verticle and then their slots. Draining shards are followed to their end. */
  private Future<Void> adopt() {
    List<Future<?>> adopted = new ArrayList<>();
    orphans()
        .forEach(
            orphan -> {
              int id = orphan.id();
              switch (orphan.state()) {
                case PROVISIONING -> adopted.add(bringUp(List.of(id)));
                case ACTIVE -> adopted.add(deployments.deploy(orphan));
                default -> {
                  adopted.add(deployments.deploy(orphan));
                  seeOff(id);
                }
              }
            });
    return Future.join(adopted).mapEmpty();
  }

  private Stream<Shard> orphans() {
    return manager.shards().stream()
        .filter(shard -> !leaving.containsKey(shard.id()))
        .filter(
            shard ->
                shard.state() == ShardState.DRAINING
                    || shard.state() == ShardState.STOPPED
                    || !deployments.has(shard.id()))
        .filter(shard -> manager.shard(shard.id()).isPresent()); // it may have left meanwhile
  }

  /** Asks the policy, and does what it says. Returns at once if a request is under way. */
  Future<?> tick() {
    synchronized (this) {
      if (evaluating || !last.isComplete()) {
        return last;
      }
      evaluating = true;
    }
    Future<Void> adopted =
        orphans().findAny().isPresent() ? inTurn(this::adopt) : Future.succeededFuture();
    return adopted
        .compose(done -> blocking(manager::evaluateScaling))
        .onFailure(e -> evaluating = false)
        .compose(this::act)
        .onFailure(
            e -> {
              LOG.warn("automatic scaling failed: {}", e.getMessage());
              lastFailure = System.nanoTime();
              failedBefore = true;
            });
  }

  private Future<?> act(ScalingDecision decision) {
    try {
      if (decision.direction() == Direction.NONE || heldBack()) {
        return Future.succeededFuture();
      }
      LOG.info("scaling {} by {}: {}", decision.direction(), decision.count(), decision.cause());
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
   * Refuses further requests.
   *
   * @return completes when the current request has ended
   */
  public Future<Void> close() {
    closed = true;
    synchronized (this) {
      return last.<Void>mapEmpty().otherwiseEmpty();
    }
  }

  /**
   * The removals under way.
   *
   * @return completes when all draining shards are gone
   */
  public Future<Void> removals() {
    return Future.join(List.copyOf(leaving.values())).mapEmpty();
  }

  private <T> Future<T> inTurn(Supplier<Future<T>> request) {
    if (closed) {
      failed.incrementAndGet();
      return Future.failedFuture(closing());
    }
    Promise<T> answer = Promise.promise();
    Runnable turn =
        () ->
            NoContext.async(
                    () -> {
                      if (closed) {
                        throw closing();
                      }
                      return request.get();
                    })
                .onComplete(
                    end -> {
                      if (end.failed()) {
                        failed.incrementAndGet();
                      }
                      nextTurn();
                      answer.handle(end);
                    });
    boolean mine;
    synchronized (this) {
      last = answer.future();
      mine = !busy;
      busy = true;
      if (!mine) {
        turns.add(turn);
      }
    }
    if (mine) {
      turn.run();
    }
    return answer.future();
  }

  private void nextTurn() {
    Runnable next;
    synchronized (this) {
      next = turns.poll();
      busy = next != null;
    }
    if (next != null) {
      next.run(); // on another thread, so that many in a row need no deep stack
    }
  }

  private static ScalingException closing() {
    return new ScalingException(Reason.ILLEGAL_STATE, "the bus is closing");
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

  /**
   * Changes of the table wait for producers, for microseconds as a rule, and sealing for the
   * consumer. They wait for no thread.
   */
  private <T> Future<T> blocking(Callable<T> change) {
    return NoContext.call(change);
  }
}
