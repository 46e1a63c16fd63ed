package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.ShardBusOptions;
import io.shardbus.gateway.TestGateway.Answer;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.shard.ScalingPolicy;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.UpgradeRejectedException;
import io.vertx.core.http.WebSocket;
import io.vertx.core.json.JsonObject;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.LoggerFactory;

/** What an operator changes while the server runs. */
class SettingsTest {

  private static final String JSON = "application/json";

  private final RecordingSink sink = new RecordingSink();
  private TestGateway server;

  @BeforeEach
  void setUp() throws Exception {
    server =
        new TestGateway(
            new ShardBusOptions()
                .setShards(1)
                .setScaling(
                    ScalingPolicy.defaults(4)
                        .setAutoScale(false)
                        .setMetricsWindow(Duration.ofHours(1))),
            sink,
            new GatewayOptions(),
            new HttpClientOptions());
  }

  @AfterEach
  void tearDown() throws Exception {
    server.close();
  }

  private Answer patch(String uri, String body) throws Exception {
    return server.send(HttpMethod.PATCH, uri, Map.of(), Buffer.buffer(body));
  }

  private int post(String event) throws Exception {
    return server.post("/v1/events", JSON, event).status();
  }

  @Test
  void largestEvent_changesForConnectionsThatAreOpen() throws Exception {
    String event = "\"" + "x".repeat(98) + "\"";
    AtomicReference<JsonObject> last = new AtomicReference<>(new JsonObject());
    WebSocket socket = server.connect("/v1/ingest?ack=delivered", List.of());
    socket.textMessageHandler(text -> last.set(new JsonObject(text)));
    socket.writeTextMessage(event);
    Awaitility.await().until(() -> last.get().getLong("acked", 0L) == 1);
    assertThat(patch("/v1/limits", "{\"maxEventBytes\":99}").json().getInteger("maxEventBytes"))
        .isEqualTo(99);
    socket.writeTextMessage(event);
    Awaitility.await().until(() -> last.get().containsKey("rejected"));
    assertThat(post(event)).isEqualTo(413);
    assertThat(patch("/v1/limits", "{\"maxEventBytes\":100}").status()).isEqualTo(200);
    socket.writeTextMessage(event + "\n" + event);
    Awaitility.await().until(() -> last.get().getLong("acked") == 3);
    assertThat(post(event)).isEqualTo(202);
    Awaitility.await().until(() -> sink.count() == 4);
  }

  @Test
  void rate_changesForConnectionsThatAreOpen() throws Exception {
    assertThat(post("1")).isEqualTo(202);
    patch("/v1/limits", "{\"maxEventsPerSecondPerClient\":1}");
    assertThat(post("2")).isEqualTo(202);
    // Again if the last took longer than a second.
    Awaitility.await().until(() -> post("3") == 429);
    patch("/v1/limits", "{\"maxEventsPerSecondPerClient\":0}");
    assertThat(post("4")).isEqualTo(202);
  }

  @Test
  void connections_areRefusedByTheNewLimit() throws Exception {
    patch("/v1/limits", "{\"maxConnectionsPerClient\":1}");
    // The second connection of this address: the first is the one that was just used.
    assertThatThrownBy(() -> server.connect("/v1/ingest", List.of()))
        .cause()
        .isInstanceOfSatisfying(
            UpgradeRejectedException.class, e -> assertThat(e.getStatus()).isEqualTo(503));
    patch("/v1/limits", "{\"maxConnectionsPerClient\":0}");
    assertThat(server.connect("/v1/ingest", List.of()).isClosed()).isFalse();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "/v1/limits|{'port':1}|\"port\" cannot be changed here: allowed are [maxEventBytes,",
        "/v1/limits|{'maxConnections':7,'maxEventBytes':'x'}|must be a whole number of bytes",
        "/v1/limits|{'maxConnections':7,'maxEventBytes':0}|maxEventBytes: 0 must be at least 1",
        "/v1/limits|{'maxConnections':7,'backpressureTimeout':'2h'}|backpressureTimeout",
        "/v1/limits|{'maxConnections':7,'backpressureTimeout':'5m'}|must be below idleTimeout",
        "/v1/limits|{'maxConnections':0}|maxConnections: 0 must be",
        "/v1/limits|{'maxConnections':null}|maxConnections",
        "/v1/limits|7|the body must be a JSON object",
        "/v1/policy|{'maxShards':3,'metricsWindow':'1ns'}|metricsWindow",
        "/v1/policy|{'maxShards':3,'minShards':4}|must be at least minShards, which is 4",
        "/v1/policy|{'maxShards':0}|maxShards: 0 must be 1 to 65535",
        "/v1/policy|{'maxShards':33}|maxShards: 33 must be at most 32 until the next start",
        "/v1/policy|{'shards':3}|unknown option \"shards\": allowed are autoScale,",
        "/v1/log-level|{'level':'loud'}|level: loud is unknown: allowed are trace, debug,",
        "/v1/log-level|{}|the body must be {\"level\"",
      })
  void badChange_changesNothingAndSaysWhatIsAllowed(String uri, String body, String says)
      throws Exception {
    String before = server.get(uri).body();
    Answer answer = patch(uri, body.replace('\'', '"'));
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.detail()).contains(says);
    assertThat(server.get(uri).body()).isEqualTo(before);
  }

  @Test
  void policy_isFollowedAtOnceUnderLoad() throws Exception {
    Answer answer =
        patch(
            "/v1/policy",
            "{\"autoScale\":true,\"minShards\":3,\"metricsWindow\":\"50ms\",\"cooldown\":\"0s\"}");
    assertThat(answer.json().getString("metricsWindow")).isEqualTo("50ms");
    int sent = 0;
    while (server.bus.shards().numShards() < 3) {
      assertThat(post(Integer.toString(sent++))).isEqualTo(202);
    }
    patch("/v1/policy", "{\"minShards\":1,\"maxShards\":2,\"scaleDownDelay\":\"0s\"}");
    while (server.bus.shards().numShards() > 1) {
      assertThat(post(Integer.toString(sent++))).isEqualTo(202);
    }
    TestGateway.await(server.bus.flush());
    assertThat(sink.count()).isEqualTo(sent);
    assertThat(sink.faults()).isEmpty();
  }

  @Test
  void logLevel_isInForceAtOnce() throws Exception {
    String before = server.get("/v1/log-level").json().getString("level");
    var logger = LoggerFactory.getLogger(Gateway.class);
    try {
      patch("/v1/log-level", "{\"level\":\"error\"}");
      assertThat(logger.isWarnEnabled()).isFalse();
      patch("/v1/log-level", "{\"level\":\"debug\"}");
      assertThat(logger.isDebugEnabled()).isTrue();
    } finally {
      patch("/v1/log-level", "{\"level\":\"" + before + "\"}");
    }
  }
}
