package io.shardbus;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.delivery.DeadLetterStore;
import io.shardbus.delivery.WaitingRoom;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.shardbus.shard.BackpressureMode;
import io.shardbus.shard.ShardManager;
import io.shardbus.sink.DeadLetter;
import io.shardbus.sink.DeadLetters;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
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

  private static DeadLetter letter(int number) {
    return new DeadLetter(
        new ProducerId("p", 1),
        new ShardEvent(0, number, number, Buffer.buffer("event " + number), null),
        "no",
        1,
        0);
  }
}
