package io.shardbus.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.shardbus.sink.eventbus.EventBusConsumer;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.ThreadingModel;
import io.vertx.core.VerticleBase;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Which consumer gets the batches of a shard, as consumers come, go and hang. */
@Tag("once")
class EventBusConsumersTest extends EventBusSinkFixture {

  @Test
  void events_comeOnceAndInOrderAndShardsStick() throws Exception {
    join("a", 2);
    join("b", 2);
    join("c", 1);
    get(writeShards(vertx, sink, 9, 50));
    received.assertOnceInOrder(9, 500);
    AtomicInteger[] owned = {new AtomicInteger(), new AtomicInteger(), new AtomicInteger()};
    for (int shard = 0; shard < 9; shard++) {
      assertThat(received.consumers(shard)).hasSize(1);
      owned[received.consumers(shard).iterator().next().charAt(0) - 'a'].incrementAndGet();
    }
    assertThat(owned).allSatisfy(count -> assertThat(count).hasValue(3));
  }

  @Test
  void consumerThatJoins_getsItsShare() throws Exception {
    join("a", 8);
    get(writeShards(vertx, sink, 8, 1));
    join("b", 8);
    await()
        .until(
            () -> {
              get(writeUntilTaken(vertx, sink, batch(100, 0, 1)));
              get(writeUntilTaken(vertx, sink, batch(101, 0, 1)));
              return received.consumers(100).contains("b") || received.consumers(101).contains("b");
            });
    for (int shard = 0; shard < 8; shard++) {
      get(sink.write(batch(shard, 10, 10)));
    }
    received.assertOnceInOrder(8, 20);
    long moved = 0;
    for (int shard = 0; shard < 8; shard++) {
      moved += received.consumers(shard).contains("b") ? 1 : 0;
    }
    assertThat(moved).isBetween(3L, 5L);
  }

  @Test
  void credits_boundTheBatchesInFlight() throws Exception {
    Sink second = open(vertx, new JsonObject());
    AtomicInteger inFlight = new AtomicInteger();
    AtomicInteger most = new AtomicInteger();
    get(
        EventBusConsumer.start(
            vertx,
            ADDRESS,
            3,
            batch -> {
              most.accumulateAndGet(inFlight.incrementAndGet(), Math::max);
              return vertx
                  .timer(5, TimeUnit.MILLISECONDS)
                  .compose(
                      done -> {
                        inFlight.decrementAndGet();
                        return received.take("slow", batch);
                      });
            }));
    List<Future<?>> all = new ArrayList<>();
    for (int shard = 0; shard < 12; shard++) {
      all.add(writeAll(vertx, shard < 6 ? sink : second, shard, 10));
    }
    get(Future.all(all));
    received.assertOnceInOrder(12, 100);
    assertThat(most).hasValue(3);
    get(second.close());
  }

  @Test
  void noConsumer_isTransientUntilOneComes() throws Exception {
    SinkException none = failure(sink.write(batch(0, 0, 10)));
    assertThat(none.kind()).isEqualTo(SinkException.Kind.TRANSIENT);
    assertThat(none).hasMessage("no consumer at address orders");
    Future<?> writing = writeShards(vertx, sink, 2, 5);
    EventBusConsumer consumer = join("a", 1);
    get(writing);
    received.assertOnceInOrder(2, 50);
    get(consumer.stop());
    assertThat(failure(sink.write(batch(0, 50, 10))).kind())
        .isEqualTo(SinkException.Kind.TRANSIENT);
  }

  @Test
  void silentConsumer_losesItsBatchesToAnother() throws Exception {
    List<Object> got = joinMute("mute");
    Future<?> writing = writeShards(vertx, sink, 4, 20);
    await().until(() -> got.size() == 4);
    join("a", 1);
    get(writing);
    received.assertOnceInOrder(4, 200);
    assertThat(got).hasSize(4);
  }

  @Test
  void consumerThatCannotBeReached_isPassedOver() throws Exception {
    vertx
        .eventBus()
        .publish(
            ADDRESS,
            new JsonObject().put("type", "hello").put("member", "ghost").put("credits", 10));
    join("a", 1);
    get(writeShards(vertx, sink, 4, 20));
    received.assertOnceInOrder(4, 200);
  }

  @Test
  void consumerThatTakesTooLong_losesTheShard() throws Exception {
    get(sink.close());
    sink = open(vertx, new JsonObject().put("requestTimeout", "2s"));
    List<Object> got = joinMute("mute");
    Future<Void> writing = writeAll(vertx, sink, 0, 20);
    await().until(() -> !got.isEmpty());
    join("a", 1);
    get(writing);
    received.assertOnceInOrder(1, 200);
  }

  /** As the one that owns the fewest it would get back what was taken from it. */
  @Test
  void consumerThatHangs_getsNoShardBack() throws Exception {
    get(sink.close());
    sink = open(vertx, new JsonObject().put("requestTimeout", "4s"));
    Promise<Void> hang = Promise.promise();
    AtomicInteger given = new AtomicInteger();
    get(
        EventBusConsumer.start(
            vertx,
            ADDRESS,
            2,
            batch -> {
              given.incrementAndGet();
              return hang.future();
            }));
    join("a", 4);
    get(writeShards(vertx, sink, 4, 20));
    // Each shard that was with it has lost one request's time, and no more.
    assertThat(given.get()).isBetween(1, 4);
    received.assertOnceInOrder(4, 200);
    hang.complete();
    await()
        .atMost(30, TimeUnit.SECONDS)
        .until(
            () -> {
              for (int shard = 10; shard < 14; shard++) {
                get(writeUntilTaken(vertx, sink, batch(shard, given.get() * 1_000, 1)));
              }
              return given.get() > 4; // it answers again, and has its share
            });
  }

  @Test
  void consumerThatStops_finishesWhatItHas() throws Exception {
    Promise<Void> go = Promise.promise();
    AtomicInteger running = new AtomicInteger();
    EventBusConsumer leaving =
        get(
            EventBusConsumer.start(
                vertx,
                ADDRESS,
                2,
                batch -> {
                  running.incrementAndGet();
                  return go.future().compose(done -> received.take("leaving", batch));
                }));
    Future<?> writing = writeShards(vertx, sink, 4, 10);
    await().until(() -> running.get() == 2);
    Future<Void> stopped = leaving.stop();
    join("a", 4);
    await().until(() -> received.sequences(0).size() + received.sequences(3).size() >= 100);
    assertThat(stopped.isComplete()).isFalse();
    go.complete();
    get(stopped);
    get(writing);
    received.assertOnceInOrder(4, 100);
    assertThat(running).hasValue(2);
  }

  /** A verticle whose consumer never answers. */
  private static final class Stuck extends VerticleBase {

    private final AtomicInteger running;

    Stuck(AtomicInteger running) {
      this.running = running;
    }

    @Override
    public Future<?> start() {
      return EventBusConsumer.start(
          vertx,
          ADDRESS,
          10,
          batch -> {
            running.incrementAndGet();
            return Promise.<Void>promise().future();
          });
    }
  }

  @Test
  void consumerWhoseVerticleGoes_handsBackAtOnce() throws Exception {
    AtomicInteger running = new AtomicInteger();
    String deployment = get(vertx.deployVerticle(new Stuck(running)));
    Future<?> writing = writeShards(vertx, sink, 4, 10);
    await().until(() -> running.get() == 4);
    join("a", 1);
    get(vertx.undeploy(deployment));
    get(writing);
    received.assertFirstTimesInOrder(4, 100);
  }

  @Test
  void handler_runsOnTheContextOfItsVerticle() throws Exception {
    Set<String> threads = ConcurrentHashMap.newKeySet();
    get(
        vertx.deployVerticle(
            new VerticleBase() {
              @Override
              public Future<?> start() {
                return EventBusConsumer.start(
                    vertx,
                    ADDRESS,
                    4,
                    batch -> {
                      threads.add(Thread.currentThread().getName());
                      return received.take("worker", batch);
                    });
              }
            },
            new DeploymentOptions().setThreadingModel(ThreadingModel.WORKER)));
    get(writeShards(vertx, sink, 4, 10));
    received.assertOnceInOrder(4, 100);
    assertThat(threads).allSatisfy(name -> assertThat(name).contains("worker"));
  }
}
