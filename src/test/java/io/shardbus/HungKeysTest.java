package io.shardbus;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.IngestResult;
import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.shard.ScalingPolicy;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLong;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A bus whose sink hangs for one shard: its keys wait, and those of the others are delivered. */
@Tag("slow")
class HungKeysTest {

  private static final int KEYS = 400;
  private static final int ROUNDS = 50;

  private final RecordingSink sink = new RecordingSink();
  private final Promise<Void> healed = Promise.promise();
  private final AtomicIntegerArray pushed = new AtomicIntegerArray(KEYS);
  private final AtomicIntegerArray refused = new AtomicIntegerArray(KEYS);
  private final AtomicIntegerArray delivered = new AtomicIntegerArray(KEYS);
  private final AtomicLong withoutKeyToOthers = new AtomicLong();
  private final AtomicLong deliveredWithoutKey = new AtomicLong();
  private final Vertx vertx = Vertx.vertx();
  private ShardBus bus;
  private volatile boolean hangs;

  @AfterEach
  void stop() throws Exception {
    healed.tryComplete();
    await(vertx.close());
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(20, TimeUnit.SECONDS);
  }

  private static RawEvent keyed(int key) {
    return RawEvent.of(Buffer.buffer(4).appendInt(key), "key " + key);
  }

  /** An event of each key, and as many without. */
  private void pushRound() {
    for (int key = 0; key < KEYS; key++) {
      pushed.incrementAndGet(key);
      if (!bus.ingest(keyed(key)).accepted()) {
        refused.incrementAndGet(key);
      }
      IngestResult result = bus.ingest(RawEvent.of(Buffer.buffer(4).appendInt(KEYS + key)));
      if (result.accepted() && result.shard() != 0) {
        withoutKeyToOthers.incrementAndGet();
      }
    }
  }

  private void count(ShardEvent event) {
    int key = event.payload().getInt(0);
    if (key < KEYS) {
      delivered.incrementAndGet(key);
    } else if (event.shard() != 0) {
      deliveredWithoutKey.incrementAndGet();
    }
  }

  @Test
  void keysOfOtherShards_areAllDeliveredWhileOneHangs() throws Exception {
    sink.behave(
        batch -> {
          Future<Void> answer =
              hangs && batch.shard() == 0 ? healed.future() : Future.succeededFuture();
          return answer.onSuccess(done -> batch.events().forEach(this::count));
        });
    bus =
        await(
            ShardBus.start(
                vertx,
                new ShardBusOptions()
                    .setShards(4)
                    .setRingCapacity(2048)
                    .setScaling(
                        ScalingPolicy.defaults(4)
                            .setAutoScale(false)
                            .setMetricsWindow(Duration.ofMillis(50))),
                sink));
    pushRound();
    boolean[] ofHung = new boolean[KEYS];
    int others = 0;
    for (int key = 0; key < KEYS; key++) {
      ofHung[key] = bus.shards().selectShard(keyed(key)) == 0;
      others += ofHung[key] ? 0 : 1;
    }
    assertThat(others).isBetween(KEYS / 2, KEYS - 1);
    hangs = true;
    for (int round = 0; round < ROUNDS; round++) {
      pushRound();
      Awaitility.await("what does not hang is delivered meanwhile")
          .until(
              () -> {
                for (int key = 0; key < KEYS; key++) {
                  if (!ofHung[key] && delivered.get(key) < pushed.get(key)) {
                    return false;
                  }
                }
                return deliveredWithoutKey.get() == withoutKeyToOthers.get();
              });
    }
    int hungDelivered = 0;
    for (int key = 0; key < KEYS; key++) {
      if (ofHung[key]) {
        hungDelivered += delivered.get(key);
      } else {
        assertThat(refused.get(key)).as("refused of key %s", key).isZero();
      }
    }
    System.out.println(
        "while shard 0 hung: "
            + others * ROUNDS
            + " events of other keys and "
            + deliveredWithoutKey.get()
            + " without delivered, of its own keys "
            + hungDelivered);
    hangs = false;
    healed.complete();
    Awaitility.await("its own keys go on")
        .until(
            () -> {
              for (int key = 0; key < KEYS; key++) {
                if (delivered.get(key) != pushed.get(key) - refused.get(key)) {
                  return false;
                }
              }
              return true;
            });
    assertThat(sink.faults()).isEmpty();
  }
}
