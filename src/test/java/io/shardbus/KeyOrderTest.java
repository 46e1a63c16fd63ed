package io.shardbus;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.delivery.BatchOptions;
import io.shardbus.delivery.RetryOptions;
import io.shardbus.eventbus.EventBusPublisher;
import io.shardbus.eventbus.EventBusPublisherOptions;
import io.shardbus.gateway.Gateway;
import io.shardbus.gateway.GatewayOptions;
import io.shardbus.shard.BackpressureMode;
import io.shardbus.shard.ScalingException;
import io.shardbus.shard.ScalingPolicy;
import io.shardbus.testing.KeyOrderChecker;
import io.shardbus.testing.KeyOrderSink;
import io.shardbus.testing.KeyedProducer;
import io.shardbus.testing.KeyedWay;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInfo;

/**
 * Events of one key are delivered in push order, by every way in, whatever moves. Each scenario has
 * a seed that decides what happens; {@code -Dkeyorder.seed} gives it, {@code -Dkeyorder.millis}
 * says how long it pushes.
 */
@Tag("hot")
@Tag("slow")
class KeyOrderTest {

  private static final int KEYS = 150;
  private static final long MILLIS = Long.getLong("keyorder.millis", 2_000);

  private final long seed = Long.getLong("keyorder.seed", new Random().nextInt(1_000_000));
  private final Random dice = new Random(seed);
  private final KeyOrderChecker checker = new KeyOrderChecker(KEYS);
  private final List<KeyedProducer> producers = new ArrayList<>();
  private final List<Future<?>> requests = new ArrayList<>();
  private final ScalingPolicy policy =
      new ScalingPolicy()
          .setAutoScale(false)
          .setMaxShards(8)
          .setCooldown(Duration.ofMillis(1))
          .setMetricsWindow(Duration.ofMillis(10));
  private final ShardBusOptions options =
      new ShardBusOptions()
          .setShards(2)
          .setRingCapacity(4096)
          .setScaling(policy)
          .setBatch(new BatchOptions().setMinSize(1).setMaxSize(500))
          .setDelivery(
              new RetryOptions()
                  .setTimeout(Duration.ofMillis(50))
                  .setInitialBackoff(Duration.ofMillis(1))
                  .setMaxBackoff(Duration.ofMillis(10)));
  private String scenario;
  private boolean poison;
  private Vertx vertx;
  private ShardBus bus;
  private KeyOrderSink sink;

  /** The verticles that are not a shard's. */
  private Set<String> spared;

  /** Called again and again until the time is up. */
  private interface Step {
    void act() throws Exception;
  }

  @BeforeEach
  void name(TestInfo test) {
    scenario = test.getTestMethod().orElseThrow().getName();
  }

  // ---------------------------------------------------------------- scenarios

  /** What is red here is wrong without any move. */
  @Test
  void nothingMoves() throws Exception {
    options.setScaling(null).setShards(3);
    check(
        () -> {
          sink.hang(dice.nextInt(3));
          sink.slow(dice.nextInt(3));
          pause(100);
          sink.heal();
          pause(100);
        });
  }

  @Test
  void scalingByHand() throws Exception {
    check(
        () -> {
          request(bus.scaleUp(1 + dice.nextInt(2)));
          pause(30);
          request(bus.scaleDown(1));
          pause(30);
        });
  }

  @Test
  void scalingByItself() throws Exception {
    policy
        .setAutoScale(true)
        .setFillRatioThreshold(0.1)
        .setUnderutilizedThreshold(0.05)
        .setScaleDownDelay(Duration.ofMillis(20));
    check(
        () -> {
          sink.slow(anyShard());
          pause(200);
          sink.heal();
          pause(200);
        });
  }

  @Test
  void slotsFollowTheLoad() throws Exception {
    options.setShards(3);
    check(
        () -> {
          sink.slow(anyShard());
          pause(150);
        });
  }

  /** A gives to B, which leaves, so that all goes back to A. */
  @Test
  void thereAndBack() throws Exception {
    options.setShards(1);
    check(
        () -> {
          int a = anyShard();
          sink.hang(a);
          int b = grow();
          pause(10);
          Future<?> left = request(bus.removeShard(b));
          pause(60);
          sink.heal();
          settle(left);
        });
  }

  /** A gives to B, and B to C before A has delivered what it had. */
  @Test
  void onAndOn() throws Exception {
    options.setShards(1);
    check(
        () -> {
          int a = anyShard();
          sink.hang(a);
          int b = grow();
          pause(10);
          grow();
          Future<?> left = request(bus.removeShard(b));
          pause(60);
          sink.heal();
          settle(left);
          settle(request(bus.scaleDown(1)));
        });
  }

  @Test
  void giverRemoved() throws Exception {
    check(
        () -> {
          int giver = anyShard();
          sink.hang(giver);
          grow();
          Future<?> left = request(bus.removeShard(giver));
          pause(60);
          sink.heal();
          settle(left);
        });
  }

  @Test
  void receiverRemoved() throws Exception {
    check(
        () -> {
          sink.hang(anyShard());
          int receiver = grow();
          pause(20);
          Future<?> left = request(bus.removeShard(receiver));
          pause(40);
          sink.heal();
          settle(left);
        });
  }

  /** Verticles of givers and receivers stop, with batches that are not answered, or are. */
  @Test
  void killed() throws Exception {
    check(
        () -> {
          sink.hang(anyShard());
          int receiver = grow();
          kill();
          pause(20);
          kill();
          sink.heal();
          kill();
          settle(request(bus.removeShard(receiver)));
        });
  }

  @Test
  void killedWithASuspendedBatch() throws Exception {
    options.getDelivery().setTimeout(Duration.ofMillis(20));
    check(
        () -> {
          int shard = anyShard();
          sink.hang(shard);
          pause(40);
          kill();
          pause(20);
          request(bus.scaleUp(1));
          kill();
          sink.heal();
          pause(10);
          settle(request(bus.removeShard(shard)));
        });
  }

  @Test
  void dropOldest() throws Exception {
    options.setBackpressure(BackpressureMode.DROP_OLDEST).setRingCapacity(1024);
    check(this::anything);
  }

  @Test
  void sample() throws Exception {
    options.setBackpressure(BackpressureMode.sample(3)).setRingCapacity(1024);
    check(this::anything);
  }

  @Test
  void deadLetters() throws Exception {
    poison = true;
    check(this::anything);
  }

  @Test
  void flushes() throws Exception {
    check(
        () -> {
          requests.add(bus.flush());
          anything();
          requests.add(bus.flush());
        });
  }

  @Test
  void closeInTheMiddle() throws Exception {
    long end = System.nanoTime() + MILLIS * 500_000;
    check(
        () -> {
          if (System.nanoTime() < end) {
            anything();
          } else {
            sink.heal();
            requests.add(bus.close());
            pause(20);
          }
        });
  }

  /** The consumer's side is held while slots move. */
  @Test
  void consumerHeld() throws Exception {
    check(
        () -> {
          int held = anyShard();
          CompletableFuture<Void> holding =
              CompletableFuture.runAsync(
                  () ->
                      bus.shards()
                          .withShard(
                              held,
                              shard -> {
                                pause(20);
                                return null;
                              }));
          anything();
          bus.shards().collectMetrics();
          holding.get();
        });
  }

  // ---------------------------------------------------------------- steps

  private void anything() throws Exception {
    switch (dice.nextInt(7)) {
      case 0, 1 -> request(bus.scaleUp(1 + dice.nextInt(2)));
      case 2 -> request(bus.scaleDown(1));
      case 3 -> request(bus.removeShard(anyShard()));
      case 4 -> kill();
      case 5 -> sink.hang(anyShard());
      default -> sink.slow(anyShard());
    }
    pause(dice.nextInt(30));
    if (dice.nextInt(3) == 0) {
      sink.heal();
    }
  }

  private int anyShard() {
    List<Integer> ids = bus.shards().mapper().orElseThrow().allShardIds();
    return ids.get(dice.nextInt(ids.size()));
  }

  /** Adds a shard, after taking one away if there is no room. */
  private int grow() throws Exception {
    while (true) {
      try {
        return await(bus.scaleUp(1)).get(0);
      } catch (ExecutionException e) {
        assertThat(e.getCause()).isInstanceOf(ScalingException.class);
        sink.heal();
        await(bus.scaleDown(1));
      }
    }
  }

  /** That there are too many shards or too few, or that one is gone already, is no wonder. */
  private Future<?> request(Future<?> scaling) {
    Future<?> request =
        scaling.recover(
            e -> e instanceof ScalingException ? Future.succeededFuture() : Future.failedFuture(e));
    requests.add(request);
    return request;
  }

  private void kill() {
    List<String> victims = new ArrayList<>(vertx.deploymentIDs());
    victims.removeAll(spared);
    if (!victims.isEmpty()) {
      requests.add(vertx.undeploy(victims.get(dice.nextInt(victims.size()))).otherwiseEmpty());
    }
  }

  private static void pause(int millis) {
    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(millis));
  }

  private static void settle(Future<?> request) throws Exception {
    await(request);
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  // ---------------------------------------------------------------- the check

  private void check(Step step) throws Exception {
    vertx = Vertx.vertx();
    try {
      sink = new KeyOrderSink(checker, seed, 30, poison);
      bus = await(ShardBus.start(vertx, options, sink));
      Gateway gateway = await(Gateway.start(vertx, bus, new GatewayOptions().setPort(0)));
      makeShardsKillable();
      addProducers(gateway.port());
      try {
        producers.forEach(Thread::start);
        long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(MILLIS);
        while (System.nanoTime() < end) {
          step.act();
        }
      } finally {
        sink.heal();
        for (KeyedProducer producer : producers) {
          producer.end();
        }
      }
      for (Future<?> request : requests) {
        await(request);
      }
      await(gateway.close());
      await(bus.close());
    } catch (Exception | AssertionError e) {
      throw new AssertionError(title() + ", then " + bus.stats(), e);
    } finally {
      await(vertx.close());
    }
    assertThat(checker.confirmed()).isPositive();
    assertThat(checker.faults(bus.stats().total().accepted(), bus.stats().total().evicted()))
        .as(title())
        .isEmpty();
  }

  private String title() {
    return String.format(Locale.ROOT, "%s -Dkeyorder.seed=%d", scenario, seed);
  }

  /**
   * The verticles there are at first cannot be told from routers: other shards take their place.
   */
  private void makeShardsKillable() throws Exception {
    spared = vertx.deploymentIDs();
    if (bus.shards().mapper().isEmpty()) {
      return;
    }
    List<Integer> first = bus.shards().mapper().orElseThrow().allShardIds();
    await(bus.scaleUp(first.size()));
    for (int id : first) {
      await(bus.removeShard(id));
    }
  }

  private void addProducers(int port) throws Exception {
    EventBusPublisher publisher =
        EventBusPublisher.create(
            vertx, new EventBusPublisherOptions().setTimeout(Duration.ofSeconds(2)));
    var stream = bus.writeStream();
    List<KeyedWay> ways =
        List.of(
            KeyedWay.single(bus, checker),
            KeyedWay.batch(bus, checker),
            KeyedWay.futures(bus::ingestAwait, checker),
            KeyedWay.futures(stream::write, checker),
            KeyedWay.futures(publisher::write, checker),
            KeyedWay.webSocket(vertx, port, checker));
    for (KeyedWay way : ways) {
      int number = producers.size();
      producers.add(
          new KeyedProducer("producer " + number, checker, way, seed * 7 + number, producers));
    }
    for (int key = 0; key < KEYS; key++) {
      producers.get(key % producers.size()).own(key);
    }
  }
}
