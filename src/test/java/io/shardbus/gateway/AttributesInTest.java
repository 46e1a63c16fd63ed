package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.event.EventTime;
import io.shardbus.gateway.TestGateway.Answer;
import io.vertx.core.http.WebSocket;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Ids and headers on their way in over HTTP and WebSocket. */
class AttributesInTest {

  private static final String JSON = "application/json";
  private static final String NDJSON = "application/x-ndjson";
  private static final String EVENTS = "/v1/events";
  private static final String TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

  private TestGateway server;

  private void start(GatewayOptions options) throws Exception {
    server = new TestGateway(options);
  }

  @AfterEach
  void tearDown() throws Exception {
    if (server != null) {
      server.close();
    }
  }

  private List<JsonObject> stored() throws Exception {
    TestGateway.await(server.bus.flush());
    JsonArray events =
        server.get(EVENTS + "?order=timestamp&limit=1000").json().getJsonArray("events");
    return events.stream().map(JsonObject.class::cast).toList();
  }

  @ParameterizedTest
  @ValueSource(strings = {"accepted", "delivered"})
  void idempotencyKey_takesTheEventOnce(String ack) throws Exception {
    start(new GatewayOptions());
    String uri = EVENTS + "?ack=" + ack;
    JsonObject first = server.post(uri, JSON, "{\"n\":1}", "Idempotency-Key", "a-1").json();
    Answer again = server.post(uri, JSON, "{\"n\":2}", "Idempotency-Key", "\"a-1\"");
    assertThat(first.containsKey("duplicate")).isFalse();
    assertThat(EventTime.parse(first.getString("time"))).isPositive();
    assertThat(again.status()).isEqualTo(202);
    assertThat(again.json()).isEqualTo(first.copy().put("duplicate", true));
    assertThat(stored()).hasSize(1);
    assertThat(stored().get(0).getString("id")).isEqualTo("a-1");
    assertThat(stored().get(0).getJsonObject("event").getInteger("n")).isOne();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''|application/json|\"open|Idempotency-Key",
        "''|application/json|''|Idempotency-Key",
        "''|application/json|\u00ff|Idempotency-Key",
        "''|application/x-ndjson|a|idPath",
        "?idPath=id|application/json|a|idPath",
        "?idPath=a[|application/json||idPath",
        "?idPath=nothing|application/json||idPath nothing",
      })
  void badIds_areNamed(String query, String type, String key, String says) throws Exception {
    start(new GatewayOptions());
    String[] headers = key == null ? new String[0] : new String[] {"Idempotency-Key", key};
    Answer answer = server.post(EVENTS + query, type, "{\"id\":1}", headers);
    assertThat(answer.status()).as(answer.body()).isEqualTo(400);
    assertThat(answer.detail()).contains(says);
    assertThat(stored()).isEmpty();
  }

  @Test
  void longId_isNamed() throws Exception {
    start(new GatewayOptions());
    Answer answer = server.post(EVENTS, JSON, "1", "Idempotency-Key", "x".repeat(257));
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.detail()).contains("Idempotency-Key").contains("257").contains("256");
  }

  @ParameterizedTest
  @ValueSource(strings = {"accepted", "delivered"})
  void idPath_countsRepeats(String ack) throws Exception {
    start(new GatewayOptions());
    String lines =
        "{\"k\":1,\"id\":\"a\"}\n{\"k\":1,\"id\":7}\n{\"k\":2,\"id\":\"a\"}\n{\"k\":3}\n";
    Answer answer =
        server.post(EVENTS + "?idPath=id&keyPath=k&ack=" + ack, NDJSON, lines, "tracestate", "x=1");
    assertThat(answer.status()).isEqualTo(202);
    assertThat(answer.json().getInteger("accepted")).isEqualTo(3);
    assertThat(answer.json().getInteger("duplicates")).isEqualTo(1);
    assertThat(answer.json().getJsonArray("errors").encode()).contains("idPath id");
    assertThat(stored()).extracting(e -> e.getString("id")).containsExactlyInAnyOrder("a", "7");
    assertThat(stored()).extracting(e -> e.getString("key")).containsExactly("1", "1");
    assertThat(stored())
        .allSatisfy(
            e ->
                assertThat(e.getJsonObject("headers").getMap()).containsEntry("tracestate", "x=1"));
  }

  @Test
  void keptHeaders_travelWithEachEvent() throws Exception {
    start(new GatewayOptions().setKeepHeaders("X-Tenant, x-b3-*, traceparent"));
    server.post(
        EVENTS,
        JSON,
        "1",
        "x-tenant",
        "t1",
        "X-B3-Sampled",
        "1",
        "traceparent",
        TRACE,
        "x-other",
        "no");
    assertThat(stored().get(0).getJsonObject("headers"))
        .isEqualTo(
            new JsonObject()
                .put("x-tenant", "t1")
                .put("x-b3-sampled", "1")
                .put("traceparent", TRACE));
  }

  @Test
  void noHeaders_areKeptIfNoneAreNamed() throws Exception {
    start(new GatewayOptions().setKeepHeaders(""));
    server.post(EVENTS, JSON, "1", "traceparent", TRACE);
    assertThat(stored().get(0).getJsonObject("headers")).isEmpty();
  }

  @Test
  void badHeaders_areNamed() throws Exception {
    start(new GatewayOptions());
    Answer notText = server.post(EVENTS, JSON, "1", "tracestate", "\u00ff");
    assertThat(notText.status()).isEqualTo(400);
    assertThat(notText.detail()).contains("tracestate").contains("UTF-8");
    Answer tooLarge = server.post(EVENTS, NDJSON, "1", "tracestate", "x".repeat(9_000));
    assertThat(tooLarge.status()).isEqualTo(400);
    assertThat(tooLarge.detail()).contains("headers").contains("8192");
  }

  @ParameterizedTest
  @ValueSource(strings = {"a b", "a**", ",", "*", "authorization", "Cook*", "p*"})
  void wrongNames_areRefusedAtTheStart(String names) {
    assertThatThrownBy(() -> new GatewayOptions().setKeepHeaders(names))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("keepHeaders");
  }

  @Test
  void webSocket_takesIdsAndKeepsHeaders() throws Exception {
    start(new GatewayOptions());
    WebSocket socket =
        server.connect(
            "/v1/ingest?idPath=id&ack=delivered",
            List.of(Gateway.SUBPROTOCOL),
            "traceparent",
            TRACE);
    BlockingQueue<String> answers = new LinkedBlockingQueue<>();
    socket.textMessageHandler(answers::add);
    TestGateway.await(
        socket.writeTextMessage("{\"id\":\"a\"}\n{\"id\":\"b\"}\n{\"id\":\"a\"}\n1\n"));
    JsonObject last = new JsonObject();
    while (last.getInteger("acked", 0) < 3) {
      String answer = answers.poll(30, TimeUnit.SECONDS);
      assertThat(answer).isNotNull();
      last = new JsonObject(answer);
    }
    assertThat(last.getInteger("duplicates")).isEqualTo(1);
    assertThat(last.getJsonObject("rejected").getInteger("invalid")).isEqualTo(1);
    assertThat(stored()).hasSize(2);
    assertThat(stored())
        .allSatisfy(
            e -> assertThat(e.getJsonObject("headers").getString("traceparent")).isEqualTo(TRACE));
    TestGateway.await(socket.close());
  }

  @Test
  void webSocket_hasNoIdempotencyKey() throws Exception {
    start(new GatewayOptions());
    assertThatThrownBy(
            () ->
                server.connect("/v1/ingest", List.of(Gateway.SUBPROTOCOL), "Idempotency-Key", "a"))
        .hasMessageContaining("400");
  }
}
