package io.shardbus;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.delivery.DeadLetterStore;
import io.shardbus.delivery.WaitingRoom;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.shardbus.shard.AllocationFaults;
import io.shardbus.shard.AllocationFaults.Seam;
import io.shardbus.shard.BackpressureMode;
import io.shardbus.shard.ShardManager;
import io.shardbus.sink.DeadLetter;
import io.shardbus.sink.DeadLetters;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import java.time.Duration;
import java.util.BitSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class DeadLetterReplayTest {

  private final Vertx vertx = Vertx.vertx();

  @AfterEach
  void tearDown() throws Exception {
    await(vertx.close());
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(20, TimeUnit.SECONDS);
  }

  /** There may be millions of them. */
  @Test
  void replayOfManyPages_needsNoDeepStack() throws Exception {
    ShardManager manager = new ShardManager(1, 1024, BackpressureMode.FAIL_PRODUCER);
    DeadLetterStore letters = await(DeadLetterStore.open(null));
    await(letters.add(IntStream.range(0, 10_000).mapToObj(DeadLetterReplayTest::letter).toList()));
    Future<DeadLetters.ReplayResult> replay =
        new DeadLetterReplay(letters, new WaitingRoom(vertx, manager)).all();
    AtomicInteger depth = new AtomicInteger();
    replay.onComplete(end -> depth.set(new Throwable().getStackTrace().length));
    Awaitility.await()
        .pollInterval(Duration.ofMillis(1))
        .until(
            () -> {
              manager.withShard(0, shard -> shard.popBatch(1024));
              return depth.get() > 0;
            });
    assertThat(await(replay)).isEqualTo(new DeadLetters.ReplayResult(10_000, 0, 0));
    assertThat(letters.kept()).isZero();
    assertThat(depth).hasValueLessThan(200);
    await(letters.close());
  }

  /** Memory runs out at each place in turn: the replay ends, and the next one does its work. */
  @Test
  void replayThatThrows_leavesTheWayFree() throws Exception {
    var round =
        new AllocationFaults(DeadLetterReplay.class.getName()).rounds(TestRound.class, vertx);
    BitSet places = new BitSet();
    for (int i = 0; i < 2; i++) { // the first loads classes
      round.accept("", new int[] {-1, 0});
      places.or(Seam.end());
    }
    assertThat(places.cardinality()).isGreaterThan(5);
    for (int place : places.stream().toArray()) {
      round.accept("", new int[] {place, 1});
    }
  }

  static final class TestRound implements BiConsumer<String, int[]> {

    private final Vertx vertx;

    TestRound(Vertx vertx) {
      this.vertx = vertx;
    }

    @Override
    public void accept(String name, int[] at) {
      ShardManager manager = new ShardManager(1, 1024, BackpressureMode.FAIL_PRODUCER);
      DeadLetterStore letters = DeadLetterStore.open(null).await();
      letters.add(IntStream.range(0, 250).mapToObj(DeadLetterReplayTest::letter).toList()).await();
      DeadLetterReplay replay = new DeadLetterReplay(letters, new WaitingRoom(vertx, manager));
      Seam.begin(at[0], at[1]);
      Future<DeadLetters.ReplayResult> first;
      try {
        first = replay.all();
      } catch (OutOfMemoryError e) {
        first = Future.failedFuture(e);
      }
      awaitEnd(manager, first, at);
      Seam.end();
      Future<DeadLetters.ReplayResult> second = replay.all();
      awaitEnd(manager, second, at);
      assertThat(second.succeeded()).as("place %d: %s", at[0], second.cause()).isTrue();
      assertThat(letters.kept()).isZero();
      letters.close().await();
    }

    private static void awaitEnd(ShardManager manager, Future<?> replay, int[] at) {
      Awaitility.await("place " + at[0])
          .pollInterval(Duration.ofMillis(1))
          .until(
              () -> {
                manager.withShard(0, shard -> shard.popBatch(1024));
                return replay.isComplete();
              });
    }
  }

  private static DeadLetter letter(int number) {
    return new DeadLetter(
        new ProducerId("p", 1),
        new ShardEvent(0, number, number, Buffer.buffer("event " + number), null),
        "no",
        1,
        0);
  }
}
