package io.shardbus.gateway;

import static io.shardbus.gateway.TestGateway.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.shardbus.ShardBusOptions;
import io.shardbus.event.RawEvent;
import io.shardbus.gateway.TestGateway.Answer;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.shard.ScalingPolicy;
import io.vertx.core.Promise;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("once")
class HistoryTest {

  private static final long START = 1_800_000_000_000L;
  private static final long PERIOD = History.PERIOD_MILLIS;

  private TestGateway server;
  private History history;
  private long wall = START;
  private long nanos;

  @BeforeEach
  void setUp() throws Exception {
    server =
        new TestGateway(
            new ShardBusOptions()
                .setShards(2)
                .setRingCapacity(1024)
                .setScaling(ScalingPolicy.defaults(100).setAutoScale(false)),
            new RecordingSink(),
            new GatewayOptions(),
            new HttpClientOptions());
    server.bus.ingest(RawEvent.of("before"));
    await(server.bus.flush());
    history = new History(server.bus, () -> wall, () -> nanos);
    server.bus.observe(history);
  }

  @AfterEach
  void tearDown() throws Exception {
    server.close();
  }

  private void sample(long wallMillis, long millis) {
    wall += wallMillis;
    nanos += TimeUnit.MILLISECONDS.toNanos(millis);
    history.sample();
  }

  private void sample() {
    sample(PERIOD, PERIOD);
  }

  private JsonArray series(String shard, String name) {
    return history.json(shard).getJsonObject("series").getJsonArray(name);
  }

  private JsonArray times() {
    return history.json(null).getJsonArray("times");
  }

  @Test
  void server_hasSamplesByItself() throws Exception {
    assertThat(server.get("/v1/history").json().getJsonArray("shards")).containsExactly(0, 1);
    Awaitility.await()
        .atMost(Duration.ofSeconds(30))
        .until(() -> server.get("/v1/history").json().getJsonArray("times").size() > 0);
    JsonObject stats = server.get("/v1/stats").json().getJsonObject("server");
    assertThat(stats.getLong("heapBytes")).isPositive();
    assertThat(stats.getLong("heapMaxBytes")).isEqualTo(Runtime.getRuntime().maxMemory());
  }

  @Test
  void rates_areOfTheTimeBetweenSamples() throws Exception {
    for (int i = 0; i < 100; i++) {
      server.bus.ingest(RawEvent.of("{\"n\":" + i + "}"));
    }
    server.bus.ingest(RawEvent.of(new byte[17 << 20]));
    await(server.bus.flush());
    sample();
    sample();
    server.bus.ingest(RawEvent.of("1"));
    await(server.bus.flush());
    sample(2 * PERIOD, 2 * PERIOD);
    assertThat(series(null, "accepted")).containsExactly(20L, 0L, 0.1);
    assertThat(series(null, "delivered")).containsExactly(20L, 0L, 0.1);
    assertThat(series(null, "refused")).containsExactly(0.2, 0L, 0L);
    assertThat(series(null, "activeShards")).containsExactly(2L, 2L, 2L);
    assertThat(series(null, "storedBytes")).containsExactly(null, null, null);
    assertThat(series(null, "p50Millis").getValue(1)).isNull();
    assertThat(series(null, "p999Millis").getFloat(0)).isPositive();
    assertThat(series("0", "accepted").getFloat(0) + series("1", "accepted").getFloat(0))
        .isEqualTo(20);
    assertThat(times()).containsExactly(START + PERIOD, START + 2 * PERIOD, START + 4 * PERIOD);
  }

  @Test
  void lag_isWhatTheSinkHasNotConfirmed() throws Exception {
    Promise<Void> gate = Promise.promise();
    TestGateway stalled = TestGateway.stalled(gate.future(), new GatewayOptions());
    History own = new History(stalled.bus, () -> wall, () -> nanos);
    stalled.bus.ingest(RawEvent.of("1"));
    stalled.bus.ingest(RawEvent.of("2"));
    nanos += 1;
    own.sample();
    gate.complete();
    await(stalled.bus.flush());
    wall++;
    own.sample();
    assertThat(own.json(null).getJsonObject("series").getJsonArray("lag")).containsExactly(2L, 0L);
    stalled.close();
  }

  @Test
  void moreThanAnHour_forgetsTheOldest() throws Exception {
    for (int i = 0; i < History.SAMPLES + 5; i++) {
      sample();
    }
    assertThat(times()).hasSize(History.SAMPLES);
    assertThat(times().getLong(0)).isEqualTo(START + 6 * PERIOD);
    assertThat(times().getLong(History.SAMPLES - 1)).isEqualTo(wall);
    assertThat(series(null, "accepted")).hasSize(History.SAMPLES);
  }

  @Test
  void clockThatIsSetForward_leavesAGap() throws Exception {
    sample();
    sample(PERIOD + 3_600_000, PERIOD);
    assertThat(times().getLong(1) - times().getLong(0)).isEqualTo(PERIOD + 3_600_000);
  }

  @Test
  void clockThatIsSetBack_keepsTheAgeOfSamples() throws Exception {
    sample();
    sample();
    sample(PERIOD - 3_600_000, PERIOD);
    assertThat(times()).containsExactly(wall - 2 * PERIOD, wall - PERIOD, wall);
  }

  @Test
  void shardThatLeft_keepsItsSamplesForAnHour() throws Exception {
    sample();
    await(server.bus.removeShard(0));
    sample();
    assertThat(series("0", "lag")).containsExactly(0L, null);
    assertThat(series(null, "activeShards")).containsExactly(2L, 1L);
    for (int i = 0; i < History.SAMPLES; i++) {
      sample();
    }
    assertThat(history.json(null).getJsonArray("shards")).containsExactly(1);
    assertThat(history.json("0")).isNull();
  }

  @Test
  void shardsBeyondTheLimit_areLeftOutAndSaid() throws Exception {
    await(server.bus.scaleUp(70));
    sample();
    assertThat(history.json(null).getJsonArray("shards")).hasSize(History.MOST_SHARDS);
    assertThat(history.json(null).getInteger("shardsLeftOut")).isEqualTo(72 - History.MOST_SHARDS);
    assertThat(series(null, "activeShards")).containsExactly(72L);
  }

  @Test
  void unknownShard_isNotFound() throws Exception {
    for (String shard : new String[] {"7", "x", "", "-1", "999999999999"}) {
      Answer answer = server.get("/v1/history?shard=" + shard);
      assertThat(answer.status()).as(shard).isEqualTo(404);
      assertThat(answer.detail()).isEqualTo("shard: there is no history of shard " + shard);
    }
    assertThat(server.get("/v1/history?shards=1").status()).isEqualTo(400);
  }

  @Test
  void quantiles_areWithinASixteenth() {
    Latencies latencies = new Latencies();
    for (int i = 1; i <= 10_000; i++) {
      latencies.record(TimeUnit.MICROSECONDS.toNanos(i));
    }
    long[] counts = Latencies.none();
    latencies.moveTo(counts);
    for (double q : new double[] {0.001, 0.5, 0.9, 0.99, 0.999}) {
      assertThat((double) Latencies.quantile(q, counts))
          .isCloseTo(q * 10, within(q * 10 / 16 + 1e-3));
    }
    latencies.moveTo(counts);
    latencies.record(Long.MAX_VALUE);
    latencies.record(-1);
    long[] extremes = Latencies.none();
    latencies.moveTo(extremes);
    assertThat(Latencies.quantile(0, extremes)).isLessThan(0.001f);
    assertThat(Latencies.quantile(1, extremes)).isBetween(60_000f, 200_000f);
    assertThat(Latencies.quantile(0.5, Latencies.none())).isNaN();
  }
}
