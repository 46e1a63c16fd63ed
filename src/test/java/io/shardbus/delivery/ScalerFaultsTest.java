package io.shardbus.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.event.RawEvent;
import io.shardbus.shard.ScalingException;
import io.shardbus.shard.ScalingPolicy;
import io.shardbus.shard.Shard;
import io.shardbus.shard.ShardState;
import io.vertx.core.Context;
import io.vertx.core.Deployable;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

/** Verticles that fail, and an engine that is changed behind the back of the scaler. */
class ScalerFaultsTest extends ScalerFixture {

  @Test
  void failedDeployment_leavesNoTraceButACounter() throws Exception {
    AtomicInteger starts = new AtomicInteger();
    start(new ScalingPolicy().setAutoScale(false), failing(n -> n == 4, starts));
    int deployed = vertx.deploymentIDs().size();
    assertThatThrownBy(() -> await(scaler.scaleUp(3))).cause().hasMessageContaining("no room");
    assertThat(manager.mapper().orElseThrow().allShardIds()).containsExactly(0, 1);
    assertThat(vertx.deploymentIDs()).hasSize(deployed);
    assertThat(scaler.failed()).isEqualTo(1);
    assertThat(scaler.added()).isZero();
    assertThat(await(scaler.scaleUp(1))).containsExactly(5);
  }

  @Test
  void flushBesideADeploymentThatFails_ends() throws Exception {
    Promise<Void> gate = Promise.promise();
    Future<List<Integer>> up = scaleUpBehind(gate.future());
    Future<Void> flushed = deployments.flushAll();
    gate.fail("no room");
    assertThatThrownBy(() -> await(up)).hasMessageContaining("no room");
    await(flushed);
  }

  @Test
  void shardsOfTheEngine_areAdopted() throws Exception {
    start();
    int added = manager.addShardForce();
    await(scaler.tick());
    assertThat(manager.mapper().orElseThrow().shardState(added)).contains(ShardState.ACTIVE);
    for (int i = 0; i < 300; i++) {
      manager.ingestRaw(RawEvent.of("event " + i));
    }
    manager.drainShard(0);
    await(scaler.tick());
    await(scaler.removals());
    assertThat(manager.mapper().orElseThrow().allShardIds()).containsExactly(1, added);
    await(deployments.flushAll());
    assertThat(sink.count()).isEqualTo(300);
    assertThat(vertx.deploymentIDs()).hasSize(2);
  }

  @Test
  void shardThatSomebodyElseStopped_isSeenOff() throws Exception {
    start();
    manager.drainShard(0);
    assertThat(manager.mapper().orElseThrow().finalizeDraining()).containsExactly(0);
    await(scaler.tick());
    await(scaler.removals());
    assertThat(manager.mapper().orElseThrow().allShardIds()).containsExactly(1);
    assertThat(vertx.deploymentIDs()).hasSize(1);
  }

  @Test
  void shardDrainedBeforeItsActivation_takesTheOthersOfItsRequestWithIt() throws Exception {
    AtomicInteger starts = new AtomicInteger();
    start(
        // Below its minimum: were one activated before the other failed, it could not be drained.
        new ScalingPolicy().setAutoScale(false).setMinShards(3).setMaxShards(4),
        verticle ->
            wrap(
                verticle,
                n -> {
                  if (n == 4) {
                    manager.drainShard(3);
                  }
                  return Future.succeededFuture();
                },
                starts));
    assertThatThrownBy(() -> await(scaler.scaleUp(2))).hasCauseInstanceOf(ScalingException.class);
    Awaitility.await()
        .untilAsserted(
            () -> assertThat(manager.mapper().orElseThrow().allShardIds()).containsExactly(0, 1));
    Awaitility.await().until(() -> vertx.deploymentIDs().size() == 2);
    assertThat(await(scaler.scaleUp(2))).containsExactly(4, 5);
  }

  @Test
  void activatedPastTheScaler_isServedByAFlush() throws Exception {
    start();
    manager.activateShard(manager.addShardForce());
    for (int i = 0; i < 300; i++) {
      manager.ingestRaw(RawEvent.of("event " + i));
    }
    await(scaler.adoptThoseWithEvents());
    await(deployments.flushAll());
    assertThat(sink.count()).isEqualTo(300);
  }

  /** A verticle that is being deployed again is none that may be forgotten. */
  @Test
  void removalDuringARedeployment_leavesNoVerticle() throws Exception {
    AtomicInteger starts = new AtomicInteger();
    Promise<Void> gate = Promise.promise();
    start(
        new ScalingPolicy().setAutoScale(false),
        verticle -> wrap(verticle, n -> n == 3 ? gate.future() : Future.succeededFuture(), starts));
    for (String id : vertx.deploymentIDs()) {
      await(vertx.undeploy(id));
      break;
    }
    Awaitility.await().until(() -> starts.get() == 3);
    Future<Void> all = deployments.undeployAll();
    gate.complete();
    await(all);
    assertThat(vertx.deploymentIDs()).isEmpty();
  }

  @Test
  void shardThatTheEngineRemoves_leavesNoVerticle() throws Exception {
    start();
    manager.drainShard(0);
    manager.removeShard(0);
    Awaitility.await().until(() -> vertx.deploymentIDs().size() == 1);
    manager.removeShard(manager.addShardForce());
    assertThat(vertx.deploymentIDs()).hasSize(1);
  }

  @Test
  void shardRemovedBeforeItsActivation_takesTheOthersOfItsRequestWithIt() throws Exception {
    start();
    manager
        .mapper()
        .orElseThrow()
        .onShardCreated(
            id -> {
              if (id == 3) {
                manager.removeShard(id);
              }
            });
    assertThatThrownBy(() -> await(scaler.scaleUp(2)))
        .cause()
        .isInstanceOfSatisfying(
            ScalingException.class,
            e -> assertThat(e.reason()).isEqualTo(ScalingException.Reason.UNKNOWN_SHARD));
    assertThat(manager.mapper().orElseThrow().allShardIds()).containsExactly(0, 1);
    assertThat(vertx.deploymentIDs()).hasSize(2);
  }

  /** The sink holds its events meanwhile. */
  @Test
  void shardThatTheEngineActivated_losesNothingIfItsRequestFails() throws Exception {
    Promise<Void> gate = Promise.promise();
    sink.behave(batch -> batch.shard() == 2 ? gate.future() : Future.succeededFuture());
    AtomicInteger starts = new AtomicInteger();
    AtomicLong accepted = new AtomicLong();
    start(
        new ScalingPolicy().setAutoScale(false),
        verticle ->
            wrap(
                verticle,
                n -> {
                  if (n != 4) {
                    return Future.succeededFuture();
                  }
                  manager.activateShard(2);
                  accepted.addAndGet(offer(1_000));
                  return Future.failedFuture(new IllegalStateException("no room"));
                },
                starts));
    assertThatThrownBy(() -> await(scaler.scaleUp(2))).cause().hasMessageContaining("no room");
    gate.complete();
    Awaitility.await()
        .untilAsserted(
            () -> assertThat(manager.mapper().orElseThrow().allShardIds()).containsExactly(0, 1));
    await(deployments.flushAll());
    assertThat(manager.pending()).isEmpty();
    assertThat(sink.count()).isEqualTo(accepted.get());
  }

  /** It held events, of which the sink has not answered some yet. */
  @Test
  void shardThatTheEngineActivatedAndRemoved_losesNothing() throws Exception {
    Promise<Void> gate = Promise.promise();
    CountDownLatch written = new CountDownLatch(1);
    start();
    sink.behave(
        batch -> {
          if (batch.shard() != 2) {
            return Future.succeededFuture();
          }
          written.countDown();
          return gate.future();
        });
    AtomicLong accepted = new AtomicLong();
    AtomicInteger taken = new AtomicInteger();
    manager
        .mapper()
        .orElseThrow()
        .onShardCreated(
            id -> {
              deployments.deploy(manager.shard(id).orElseThrow());
              manager.activateShard(id);
              accepted.addAndGet(offer(1_000));
              Awaitility.await().until(() -> written.getCount() == 0);
              manager.drainShard(id);
              taken.addAndGet(manager.removeShard(id).size());
            });
    assertThatThrownBy(() -> await(scaler.scaleUp(1))).hasMessageContaining("removed");
    gate.complete();
    Awaitility.await()
        .until(() -> manager.pending().isEmpty() && vertx.deploymentIDs().size() == 2);
    assertThat(sink.count() + taken.get()).isEqualTo(accepted.get());
  }

  /** The end of a verticle waits for the write under way. */
  @Test
  void verticleThatIsBeingUndeployed_isAbandonedWithTheOthers() throws Exception {
    CountDownLatch written = new CountDownLatch(2);
    start();
    sink.behave(
        batch -> {
          written.countDown();
          return Future.future(never -> {});
        });
    offer(1_000);
    written.await();
    Future<Void> undeployed = deployments.undeploy(0);
    await(deployments.abandonAll());
    await(undeployed);
  }

  /** As when Vert.x closes while it deploys. */
  @Test
  void deploymentThatFailsAfterItsVerticleStopped_isNotTriedForEver() throws Exception {
    AtomicInteger starts = new AtomicInteger();
    Function<ShardVerticle, Deployable> stopping =
        verticle ->
            new Deployable() {
              @Override
              public Future<?> deploy(Context context) throws Exception {
                int number = starts.incrementAndGet();
                Future<?> deployed = verticle.deploy(context);
                return number != 3
                    ? deployed
                    : deployed
                        .compose(started -> undeploy(context))
                        .compose(stopped -> Future.failedFuture("Vert.x closes"));
              }

              @Override
              public Future<?> undeploy(Context context) {
                try {
                  return verticle.undeploy(context);
                } catch (Exception e) {
                  return Future.failedFuture(e);
                }
              }
            };
    start(new ScalingPolicy().setAutoScale(false), stopping);
    int deployed = vertx.deploymentIDs().size();
    assertThatThrownBy(() -> await(scaler.scaleUp(1))).hasMessageContaining("Vert.x closes");
    Awaitility.await()
        .during(Duration.ofMillis(500))
        .untilAsserted(
            () -> {
              assertThat(starts.get()).isLessThanOrEqualTo(4);
              assertThat(vertx.deploymentIDs()).hasSize(deployed);
            });
  }

  @Test
  void shardDeployedAfterAllWereAbandoned_isRefused() throws Exception {
    start();
    Shard late = manager.shard(manager.addShardForce()).orElseThrow();
    await(deployments.abandonAll());
    assertThatThrownBy(() -> await(deployments.deploy(late))).hasMessageContaining("closing");
    await(deployments.undeployAll());
  }

  @Test
  void shardThatIsNotActive_isNotInTheWayOfAFlush() throws Exception {
    AtomicInteger starts = new AtomicInteger();
    start(new ScalingPolicy().setAutoScale(false), failing(n -> n > 2, starts));
    manager.addShardForce();
    manager.drainShard(0);
    await(scaler.adoptThoseWithEvents());
  }
}
