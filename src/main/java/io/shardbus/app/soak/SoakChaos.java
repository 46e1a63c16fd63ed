package io.shardbus.app.soak;

import io.shardbus.ShardBus;
import io.shardbus.shard.ScalingException;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;

/**
 * Adds and removes shards, flushes them and kills their verticles, as fast as it can, until it is
 * told to end.
 */
final class SoakChaos extends Thread {

  private static final int MOST_UNDER_WAY = 3;
  private static final int LONGEST_PAUSE_NANOS = 2_000_000;

  private final Vertx vertx;
  private final ShardBus bus;
  private final Random dice;
  private final Violations violations;

  /** The routers and the scaler, which nobody deploys again, and the first shards. */
  private final Set<String> spared;

  private final Semaphore underWay = new Semaphore(MOST_UNDER_WAY);
  private volatile boolean ending;
  private final AtomicInteger kills = new AtomicInteger();

  SoakChaos(Vertx vertx, ShardBus bus, long seed, Violations violations) {
    super("soak-chaos");
    this.vertx = vertx;
    this.bus = bus;
    this.dice = new Random(seed);
    this.violations = violations;
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
      while (!ending) {
        underWay.acquire();
        act().onComplete(done -> underWay.release());
        LockSupport.parkNanos(dice.nextInt(LONGEST_PAUSE_NANOS));
      }
      underWay.acquire(MOST_UNDER_WAY);
    } catch (InterruptedException | RuntimeException e) {
      violations.add(getName() + " failed: " + e);
    }
  }

  private Future<?> act() {
    int roll = dice.nextInt(100);
    if (roll < 45) {
      return checked(bus.scaleUp(1 + dice.nextInt(2)));
    }
    if (roll < 70) {
      return checked(bus.scaleDown(1));
    }
    if (roll < 85) {
      List<Integer> ids = bus.shards().mapper().orElseThrow().allShardIds();
      int id = ids.get(dice.nextInt(ids.size()));
      return checked(Future.join(bus.removeShard(id), bus.removeShard(id)));
    }
    if (roll < 90) {
      return bus.flush().onFailure(e -> violations.add("flush failed: " + e));
    }
    List<String> victims = new ArrayList<>(vertx.deploymentIDs());
    victims.removeAll(spared);
    if (victims.isEmpty()) {
      return Future.succeededFuture();
    }
    kills.incrementAndGet();
    return vertx.undeploy(victims.get(dice.nextInt(victims.size())));
  }

  /** That there are too many shards or too few, or that one is gone already, is no wonder. */
  private Future<?> checked(Future<?> request) {
    return request.onFailure(
        e -> violations.check(e instanceof ScalingException, "scaling failed: %s", e));
  }
}
