package io.shardbus.app.soak;

import io.shardbus.ShardBus;
import io.shardbus.app.soak.Violations.Kind;
import io.shardbus.shard.ScalingException;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Adds and removes shards, at the bus and at its engine, flushes them, kills their verticles and
 * keeps workers busy, as fast as it can, until it is told to end.
 */
final class SoakChaos extends Thread {

  private static final int MOST_UNDER_WAY = 3;

  private static final int LONGEST_PAUSE_NANOS = 2_000_000;
  private static final int WORKERS_BLOCKED_MILLIS = 40;
  private static final long PATIENCE_SECONDS = 20;

  private final Vertx vertx;
  private final ShardBus bus;
  private final SoakEngine engine;
  private final SoakEnd end;
  private final boolean automatic;
  private final SoakAnswers answers;
  private final Violations violations;
  private final Random dice;

  /** The routers and the scaler, which are not deployed again, and the first shards. */
  private final Set<String> spared;

  private final Semaphore underWay = new Semaphore(MOST_UNDER_WAY);
  private volatile boolean ending;
  private final AtomicInteger kills = new AtomicInteger();

  /**
   * @param automatic whether adding and removing shards is left to the policy
   */
  SoakChaos(
      Vertx vertx,
      ShardBus bus,
      SoakEngine engine,
      SoakEnd end,
      boolean automatic,
      long seed,
      SoakAnswers answers,
      Violations violations) {
    super("soak-chaos");
    this.vertx = vertx;
    this.bus = bus;
    this.engine = engine;
    this.end = end;
    this.automatic = automatic;
    this.answers = answers;
    this.violations = violations;
    this.dice = new Random(seed);
    this.spared = vertx.deploymentIDs();
  }

  int kills() {
    return kills.get();
  }

  void end() throws InterruptedException {
    ending = true;
    join();
  }

  @Override
  public void run() {
    try {
      while (!ending && underWay.tryAcquire(PATIENCE_SECONDS, TimeUnit.SECONDS)) {
        act().onComplete(done -> underWay.release());
        LockSupport.parkNanos(dice.nextInt(LONGEST_PAUSE_NANOS));
      }
      underWay.tryAcquire(MOST_UNDER_WAY, PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (InterruptedException | RuntimeException e) {
      violations.check(false, Kind.OTHER, "%s failed: %s", getName(), e);
    }
  }

  private Future<?> act() {
    int roll = dice.nextInt(100);
    if (roll < 74) {
      return automatic ? Future.succeededFuture() : scale(roll);
    }
    if (roll < 79) {
      return answers
          .watch("flush", bus.flush())
          .onFailure(e -> violations.check(end.begun(), Kind.OTHER, "flush failed: %s", e));
    }
    if (roll < 87) {
      return kill();
    }
    if (roll < 99) {
      if (!automatic) {
        engine.act(dice);
      }
      return Future.succeededFuture();
    }
    return SoakEnd.blockWorkers(vertx, WORKERS_BLOCKED_MILLIS);
  }

  private Future<?> scale(int roll) {
    if (roll < 40) {
      return scaling("scaleUp", bus.scaleUp(1 + dice.nextInt(2)));
    }
    if (roll < 62) {
      return scaling("scaleDown", bus.scaleDown(1));
    }
    int id = engine.anyShard(dice);
    return Future.join(
        scaling("removeShard", bus.removeShard(id)), scaling("removeShard", bus.removeShard(id)));
  }

  private Future<?> kill() {
    List<String> victims = new ArrayList<>(vertx.deploymentIDs());
    victims.removeAll(spared);
    if (victims.isEmpty()) {
      return Future.succeededFuture();
    }
    kills.incrementAndGet();
    return vertx.undeploy(victims.get(dice.nextInt(victims.size())));
  }

  /** Too many or too few shards, or a shard that is gone already, are expected failures. */
  private Future<?> scaling(String what, Future<?> request) {
    return answers
        .watch(what, request)
        .onFailure(
            e ->
                violations.check(
                    e instanceof ScalingException || end.begun(),
                    Kind.OTHER,
                    "%s failed: %s",
                    what,
                    e));
  }
}
