package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.ShardBusOptions;
import io.shardbus.event.RawEvent;
import io.shardbus.gateway.TestGateway.Answer;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkException;
import io.shardbus.sink.SinkOptions;
import io.shardbus.sink.Sinks;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.json.JsonObject;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.Statement;
import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HealthTest {

  private TestGateway server;

  @AfterEach
  void tearDown() throws Exception {
    server.close();
  }

  private static ShardBusOptions options() {
    ShardBusOptions options = new ShardBusOptions().setShards(1).setRingCapacity(1024);
    options.getBatch().setMinSize(1).setMaxSize(1);
    return options;
  }

  private void start(RecordingSink sink) throws Exception {
    ShardBusOptions options = options();
    options
        .getDelivery()
        .setInitialBackoff(Duration.ofMillis(1))
        .setMaxBackoff(Duration.ofMillis(5))
        .setTimeout(Duration.ofMillis(50));
    start(options, sink);
  }

  private void start(ShardBusOptions options, Sink sink) throws Exception {
    server = new TestGateway(options, sink, new GatewayOptions(), new HttpClientOptions());
    assertReady();
  }

  private void assertReady() throws Exception {
    Answer ready = server.get("/health/ready");
    assertThat(ready.status()).isEqualTo(200);
    assertThat(ready.json().encode()).isEqualTo("{\"status\":\"ready\"}");
  }

  private void awaitNotReady(String because) {
    awaitNotReady(because, () -> {});
  }

  private void awaitNotReady(String because, Runnable first) {
    Awaitility.await()
        .atMost(Duration.ofSeconds(20))
        .untilAsserted(
            () -> {
              first.run();
              Answer ready = server.get("/health/ready");
              assertThat(ready.status()).isEqualTo(503);
              assertThat(ready.header("Content-Type")).isEqualTo("application/json");
              assertThat(ready.json().getString("reason")).isEqualTo(because);
              assertThat(server.get("/health/live").status()).isEqualTo(200);
            });
  }

  @Test
  void sinkThatFails_isNotReadyUntilItIsBack() throws Exception {
    boolean[] broken = {true};
    start(
        new RecordingSink()
            .behave(
                batch ->
                    broken[0]
                        ? Future.failedFuture(SinkException.transientFailure("hush"))
                        : Future.succeededFuture()));
    server.post("/v1/events", "application/json", "1");
    awaitNotReady("the sink recording keeps failing for the shards 0");
    broken[0] = false;
    TestGateway.await(server.bus.flush());
    assertReady();
  }

  @Test
  void sinkThatDoesNotAnswer_isNotReady() throws Exception {
    Promise<Void> never = Promise.promise();
    start(new RecordingSink().behave(batch -> never.future()));
    server.post("/v1/events", "application/json", "1");
    awaitNotReady("the sink recording keeps failing for the shards 0");
    never.complete();
  }

  /** The second are few: full is the limit in bytes, which leaves room for small ones. */
  @ParameterizedTest
  @ValueSource(ints = {10, 300_000})
  void fullRings_areNotReadyUntilThereIsRoom(int bytes) throws Exception {
    Promise<Void> gate = Promise.promise();
    start(
        options().setMaxEventBytes(1 << 20).setMaxRingBytes(1 << 20),
        new RecordingSink().behave(batch -> gate.future()));
    RawEvent event = RawEvent.of(new byte[bytes]);
    // Again and again: the shard still takes a batch or two.
    awaitNotReady(
        "all rings are full",
        () -> {
          for (int taken = 0; server.bus.ingest(event).accepted(); taken++) {
            assertThat(taken).isLessThan(10_000);
          }
        });
    gate.complete();
    TestGateway.await(server.bus.flush());
    assertReady();
  }

  /** Events go on, so the server is ready. */
  @Test
  void damageInTheLog_isTold(@TempDir Path dir) throws Exception {
    JsonObject config = new JsonObject().put("dir", dir.toString());
    start(options(), Sinks.create(new SinkOptions("log").setConfig(config)));
    for (int i = 0; i < 3; i++) {
      TestGateway.await(server.bus.deliver(RawEvent.of("" + i)));
    }
    try (Connection file =
            DriverManager.getConnection(
                "jdbc:sqlite:" + dir.resolve("writer-0-0000000000000000001.db"));
        Statement statement = file.createStatement()) {
      statement.execute("UPDATE blocks SET block = zeroblob(60) WHERE last = 2");
    }
    assertReady(); // nobody has read it
    assertThat(server.get("/v1/events").json().getJsonArray("events")).hasSize(2);
    Answer ready = server.get("/health/ready");
    assertThat(ready.status()).isEqualTo(200);
    assertThat(ready.json().encode()).isEqualTo("{\"status\":\"ready\",\"damaged\":1}");
  }

  @Test
  void closedBus_isNotReady() throws Exception {
    start(new RecordingSink());
    TestGateway.await(server.bus.close());
    awaitNotReady("the bus is closed");
  }
}
