package io.shardbus;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.shardbus.event.Batch;
import io.shardbus.event.RawEvent;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.metrics.BusMetrics;
import io.shardbus.shard.ScalingHistory;
import io.shardbus.shard.ScalingLimit;
import io.shardbus.shard.ScalingPolicy;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import java.time.Duration;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** A bus that begins with one shard, under more load than one shard can drain. */
@Tag("slow")
class ScalingBusTest {

  private static final int LOW = 10_000;
  private static final int HIGH = 60_000;

  /** Events a second that the sink takes from a shard. */
  private static final int A_SHARD = 20_000;

  private static final int NEEDED =
      (int) Math.ceil(HIGH / (new ScalingPolicy().getTargetUtilization() * A_SHARD));

  private static final long SECOND = TimeUnit.SECONDS.toNanos(1);

  /** A thread that did not run for longer does not catch up: that would be another load. */
  private static final long MOST_BEHIND_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

  private final RecordingSink sink = new RecordingSink().behave(this::throttled);
  private final Map<Integer, Long> freeAt = new ConcurrentHashMap<>();
  private Vertx vertx;
  private ShardBus bus;
  private long offered;

  /** Of all events; empty for none. */
  private String key = "";

  @BeforeEach
  void setUp() throws Exception {
    vertx = Vertx.vertx();
    bus =
        await(
            ShardBus.start(
                vertx,
                new ShardBusOptions()
                    .setShards(1)
                    .setRingCapacity(65_536) // 1.6 s of what one shard cannot drain
                    .setScaling(new ScalingPolicy().setMaxShards(8)),
                sink));
  }

  @AfterEach
  void tearDown() throws Exception {
    await(vertx.close());
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  /** Answers so late that a shard cannot write more. A timer that was late is made up for. */
  private Future<Void> throttled(Batch batch) {
    long now = System.nanoTime();
    long begin =
        Math.max(now - MOST_BEHIND_NANOS, freeAt.getOrDefault(batch.shard(), Long.MIN_VALUE));
    long end = begin + batch.size() * SECOND / A_SHARD;
    freeAt.put(batch.shard(), end);
    long millis = TimeUnit.NANOSECONDS.toMillis(end - now);
    if (millis < 1) {
      return Future.succeededFuture();
    }
    Promise<Void> answer = Promise.promise();
    vertx.setTimer(millis, id -> answer.complete());
    return answer.future();
  }

  @Test
  void step_addsTheShardsThatItNeedsBeforeARingIsFull() throws Exception {
    long began = System.nanoTime();
    offer(LOW, () -> System.nanoTime() - began > SECOND);
    long rose = System.nanoTime();
    offer(HIGH, () -> bus.shards().numShards() >= NEEDED || System.nanoTime() - rose > 30 * SECOND);
    long reached = System.nanoTime();
    offer(HIGH, () -> System.nanoTime() - reached > 2 * SECOND);
    await(bus.flush());
    BusStats stats = bus.stats();
    assertThat(stats.total().backpressure()).as("refused of " + offered).isZero();
    assertThat(bus.shards().numShards()).isGreaterThanOrEqualTo(NEEDED);
    assertThat(bus.scalings().recent())
        .isNotEmpty()
        .allSatisfy(entry -> assertThat(entry.reason()).isNotEmpty())
        .extracting(ScalingHistory.Entry::cause)
        .containsOnly(ScalingHistory.Cause.AUTOMATIC);
    assertThat(stats.offered()).isEqualTo(offered);
    assertThat(sink.count()).as("delivered").isEqualTo(offered);
    assertThat(sink.faults()).isEmpty();
  }

  @Test
  void loadThatNeedsMoreShardsThanAllowed_isSaid() throws Exception {
    bus.changeScalingPolicy(bus.scalingPolicy().setMaxShards(2));
    awaitLimit(ScalingLimit.MAX_SHARDS, "maxShards is 2");
    assertThat(bus.shards().numShards()).isEqualTo(2);
  }

  @Test
  void loadOfOneKey_isSaid() throws Exception {
    key = "the only one";
    awaitLimit(ScalingLimit.HOT_KEY, "one key");
  }

  /** Offers the high load until the limit is seen, then none until it is gone. */
  private void awaitLimit(ScalingLimit limit, String reason) throws Exception {
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    new BusMetrics(bus).bindTo(registry);
    Gauge gauge =
        registry
            .get("shardbus.scaling.limited")
            .tag("reason", limit.name().toLowerCase(Locale.ROOT))
            .gauge();
    long began = System.nanoTime();
    offer(
        HIGH,
        () -> {
          BusStats.Scaling scaling = bus.stats().scaling();
          return (scaling.limit() == limit
                  && scaling.limitReason().contains(reason)
                  && gauge.value() == 1)
              || System.nanoTime() - began > 30 * SECOND;
        });
    assertThat(System.nanoTime() - began).as("until it was said").isLessThan(30 * SECOND);
    Awaitility.await()
        .atMost(Duration.ofSeconds(30))
        .until(() -> bus.stats().scaling().limit() == ScalingLimit.NONE && gauge.value() == 0);
    assertThat(bus.stats().scaling().limitReason()).isEmpty();
  }

  private void offer(int perSecond, BooleanSupplier enough) {
    long due = System.nanoTime();
    while (!enough.getAsBoolean()) {
      long now = System.nanoTime();
      for (due = Math.max(due, now - MOST_BEHIND_NANOS); due < now; due += SECOND / perSecond) {
        Buffer payload = Buffer.buffer("event " + offered);
        bus.ingest(key.isEmpty() ? RawEvent.of(payload) : RawEvent.of(payload, key));
        offered++;
      }
      LockSupport.parkNanos(200_000);
    }
  }
}
