package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.ShardBusOptions;
import io.shardbus.event.RawEvent;
import io.shardbus.gateway.WayIn.Sent;
import io.shardbus.sink.SinkOptions;
import io.shardbus.sink.Sinks;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.EnumSet;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** How deep events may be, at each way in. */
class JsonDepthTest {

  private TestGateway server;

  private void start(ShardBusOptions options) throws Exception {
    server =
        new TestGateway(
            options.setShards(1),
            Sinks.create(new SinkOptions("memory")),
            new GatewayOptions(),
            new HttpClientOptions());
  }

  @AfterEach
  void tearDown() throws Exception {
    if (server != null) {
      server.close();
    }
  }

  private static String nested(int levels) {
    return "[".repeat(levels) + "]".repeat(levels);
  }

  private JsonArray page(String accept) throws Exception {
    TestGateway.await(server.bus.flush());
    String body = server.get("/v1/events?limit=1000", "Accept", accept).body();
    return accept.equals(MediaTypes.JSON)
        ? new JsonObject(body).getJsonArray("events")
        : new JsonArray(body);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 20, 64, 500, 600})
  void limitOfTheBus_holdsAtEachWayIn(int most) throws Exception {
    start(new ShardBusOptions().setMaxJsonDepth(most));
    // These take bytes, whatever they are.
    EnumSet<WayIn> opaque =
        EnumSet.of(
            WayIn.BUS_BUFFER,
            WayIn.BUS_STRING,
            WayIn.BUS_RAW_EVENT,
            WayIn.BUS_LINES,
            WayIn.PUBLISHER,
            WayIn.EMBEDDED);
    for (WayIn way : WayIn.values()) {
      assertThat(way.send(server, Sent.json(nested(most)))).as("%s", way).isNull();
      String refusal = way.send(server, Sent.json(nested(most + 1)));
      if (opaque.contains(way)) {
        assertThat(refusal).as("%s", way).isNull();
      } else {
        int before =
            switch (way) {
              case ENVELOPES, WEB_SOCKET_ENVELOPES -> "{\"event\":".length();
              case CLOUD_EVENT, CLOUD_EVENTS -> "{\"data\":".length();
              default -> 0;
            };
        assertThat(refusal)
            .as("%s", way)
            .isEqualTo(
                "nested too deeply at byte %d: bus.maxJsonDepth allows %d levels",
                before + most, most);
      }
    }
    // What was taken can be read.
    int repeated = 2; // the three CloudEvents have the same id
    int taken = WayIn.values().length + opaque.size() - repeated;
    assertThat(page(MediaTypes.JSON)).hasSize(taken);
    assertThat(page(MediaTypes.CLOUD_EVENTS)).hasSize(taken);
  }

  @Test
  void valueThatOverflowsTheStack_isRefused() throws Exception {
    start(new ShardBusOptions());
    JsonArray deep = new JsonArray();
    for (int i = 0; i < 900; i++) {
      deep = new JsonArray().add(deep);
    }
    assertThat(WayIn.request(server, deep, Sent.json("[]"))).contains("nested too deeply");
  }

  @Test
  void default_is500() throws Exception {
    start(new ShardBusOptions());
    assertThat(WayIn.HTTP.send(server, Sent.json(nested(500)))).isNull();
    assertThat(WayIn.HTTP.send(server, Sent.json(nested(501)))).contains("500 levels");
  }

  /** They come as bytes, which are not checked, or from a bus with another limit. */
  @Test
  void deeperEvents_leaveThePageReadable() throws Exception {
    start(new ShardBusOptions().setMaxJsonDepth(10));
    for (int levels : new int[] {600, 601, 100_000}) {
      TestGateway.await(server.bus.deliver(RawEvent.of(nested(levels))));
    }
    JsonArray events = page(MediaTypes.JSON);
    assertThat(events.getJsonObject(0).getJsonArray("event")).isEqualTo(new JsonArray(nested(600)));
    assertThat(events.getJsonObject(1).getString("text")).isEqualTo(nested(601));
    assertThat(events.getJsonObject(2).getString("text")).isEqualTo(nested(100_000));
    assertThat(page(MediaTypes.CLOUD_EVENTS)).hasSize(3);
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 601, -1})
  void range_isChecked(int levels) {
    assertThatThrownBy(() -> new ShardBusOptions().setMaxJsonDepth(levels))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("maxJsonDepth")
        .hasMessageContaining("1 to 600");
  }
}
