package io.shardbus.gateway;

import static io.shardbus.gateway.TestGateway.await;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.shardbus.ShardBusOptions;
import io.shardbus.event.RawEvent;
import io.shardbus.metrics.BusMetrics;
import io.shardbus.sink.SinkOptions;
import io.shardbus.sink.Sinks;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.json.JsonObject;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What is stored, and what readers missed of it. */
class StorageTest {

  private static final int KEPT = 100;

  private TestGateway server;

  @BeforeEach
  void start() throws Exception {
    server =
        new TestGateway(
            new ShardBusOptions().setShards(1),
            Sinks.create(
                new SinkOptions("memory").setConfig(new JsonObject().put("maxEvents", KEPT))),
            new GatewayOptions(),
            new HttpClientOptions());
  }

  @AfterEach
  void stop() throws Exception {
    server.close();
  }

  private void deliver(int count) throws Exception {
    for (int i = 0; i < count; i++) {
      server.bus.ingest(RawEvent.of("{\"n\":1}"));
    }
    await(server.bus.flush());
  }

  private JsonObject page(String query) throws Exception {
    return server.get("/v1/events" + query).json();
  }

  @Test
  void stats_tellWhatIsStored() throws Exception {
    JsonObject empty = server.get("/v1/stats").json().getJsonObject("storage");
    assertThat(empty)
        .isEqualTo(
            new JsonObject()
                .put("bytes", 0)
                .putNull("oldest")
                .putNull("newest")
                .putNull("freeBytes"));
    deliver(KEPT);
    JsonObject full = server.get("/v1/stats").json().getJsonObject("storage");
    assertThat(full.getLong("bytes")).isEqualTo((long) KEPT * "{\"n\":1}".length());
    SimpleMeterRegistry meters = new SimpleMeterRegistry();
    new BusMetrics(server.bus).bindTo(meters);
    assertThat(meters.get("shardbus.sink.stored.bytes").gauge().value()).isEqualTo(700);
    assertThat(meters.get("shardbus.sink.free.bytes").gauge().value()).isNaN();
    double now = System.currentTimeMillis() / 1e3;
    for (String time : List.of("oldest", "newest")) {
      assertThat(meters.get("shardbus.sink." + time + ".timestamp.seconds").gauge().value())
          .isBetween(now - 60, now);
    }
    JsonObject all = page("?limit=1000");
    int last = all.getJsonArray("events").size() - 1;
    assertThat(full.getString("oldest"))
        .isEqualTo(all.getJsonArray("events").getJsonObject(0).getString("time"));
    assertThat(full.getString("newest"))
        .isEqualTo(all.getJsonArray("events").getJsonObject(last).getString("time"));
  }

  @Test
  void pages_tellWhatAReaderMissed() throws Exception {
    deliver(KEPT);
    JsonObject first = page("?limit=10");
    assertThat(first.containsKey("missed")).isFalse();
    deliver(60);
    String behind = "?limit=10&cursor=" + first.getString("cursor");
    TestGateway.Answer answer = server.get("/v1/events" + behind);
    assertThat(answer.json().getLong("missed")).isEqualTo(50);
    assertThat(answer.header("Shardbus-Missed")).isEqualTo("50");
    String next = "/v1/events?cursor=" + answer.json().getString("cursor");
    assertThat(server.get(next).header("Shardbus-Missed")).isNull();
  }

  @Test
  void tails_tellWhatAReaderMissed() throws Exception {
    deliver(KEPT);
    String cursor = page("?limit=10").getString("cursor");
    deliver(60);
    String tail = "/v1/tail?until=-0s&cursor=" + cursor;
    assertThat(server.get(tail).body()).containsOnlyOnce("event: missed\ndata: 50\n\n");
    assertThatThrownBy(() -> server.get(tail, "Accept", MediaTypes.ENVELOPES))
        .hasMessageContaining("closed");
  }
}
