package io.shardbus;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.RawEvent;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.shard.ScalingPolicy;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A bus whose sink hangs for one shard and answers at once for the others. */
class HungSinkTest {

  private static final Duration WINDOW = Duration.ofMillis(100);
  private static final Buffer PAYLOAD = Buffer.buffer("{}");

  private final RecordingSink sink = new RecordingSink();
  private final Promise<Void> healed = Promise.promise();
  private Vertx vertx;
  private ShardBus bus;
  private volatile boolean hangs;

  @BeforeEach
  void start() throws Exception {
    vertx = Vertx.vertx(new VertxOptions().setEventLoopPoolSize(8));
    sink.behave(batch -> hangs && batch.shard() == 0 ? healed.future() : Future.succeededFuture());
    bus =
        await(
            ShardBus.start(
                vertx,
                new ShardBusOptions()
                    .setShards(4)
                    .setScaling(
                        ScalingPolicy.defaults(4).setAutoScale(false).setMetricsWindow(WINDOW)),
                sink));
    // 4,000 events per second without keys
    vertx.setPeriodic(
        5,
        id -> {
          for (int i = 0; i < 20; i++) {
            bus.ingest(RawEvent.ofHash(PAYLOAD, ThreadLocalRandom.current().nextLong()));
          }
        });
  }

  @AfterEach
  void stop() throws Exception {
    healed.tryComplete();
    await(vertx.close());
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(20, TimeUnit.SECONDS);
  }

  /** Of 20,000 new hashes. */
  private double shareOfHung() {
    return new Random(1)
            .longs(20_000)
            .filter(hash -> bus.shards().selectShardByHash(hash) == 0)
            .count()
        / 20_000.0;
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 20_000})
  void shardWhoseSinkHangs_losesItsShareAndGetsItBack(int before) {
    Awaitility.await().until(() -> sink.count() > 2_000);
    hangs = true;
    for (int i = 0; i < before; i++) { // fills the batch that hangs, and the next
      bus.ingest(RawEvent.ofHash(PAYLOAD, 0));
    }
    List<String> shares = new ArrayList<>();
    Awaitility.await()
        .pollInterval(WINDOW)
        .until(
            () -> {
              shares.add(String.format(Locale.ROOT, "%.1f", 100 * shareOfHung()));
              return shareOfHung() < 0.02;
            });
    assertThat(sink.count()).isLessThan(bus.stats().total().accepted());
    hangs = false;
    healed.complete();
    Awaitility.await()
        .pollInterval(WINDOW)
        .until(
            () -> {
              shares.add(String.format(Locale.ROOT, "%.1f", 100 * shareOfHung()));
              return shareOfHung() > 0.15;
            });
    System.out.println("share of shard 0 every 100 ms, in %: " + shares);
    assertThat(sink.faults()).isEmpty();
  }
}
