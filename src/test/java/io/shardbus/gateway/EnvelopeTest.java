package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.RawEvent;
import io.shardbus.gateway.TestGateway.Answer;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.Json;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Envelope lines: what reading gives can be sent. */
@Tag("once")
class EnvelopeTest {

  private static final String ENVELOPES = "application/vnd.shardbus.events+ndjson";
  private static final String EVENTS = "/v1/events";

  private TestGateway server;

  @BeforeEach
  void setUp() throws Exception {
    server = new TestGateway(new GatewayOptions());
  }

  @AfterEach
  void tearDown() throws Exception {
    server.close();
  }

  private String lines() throws Exception {
    TestGateway.await(server.bus.flush());
    Answer answer = server.get(EVENTS + "?order=timestamp&limit=1000", "Accept", ENVELOPES);
    assertThat(answer.status()).isEqualTo(200);
    return answer.body();
  }

  private String only() throws Exception {
    List<String> lines = lines().lines().toList();
    assertThat(lines).hasSize(1);
    return lines.get(0);
  }

  private static JsonObject own(String line) {
    JsonObject json = new JsonObject(line);
    List.of("producer", "epoch", "shard", "sequence", "time").forEach(json::remove);
    return json;
  }

  @Test
  void line_hasKeyIdHeadersAndTheBytesOfTheEvent() throws Exception {
    String event = "{ \"n\" : 1.50, \"u\":\"\\u00e9\" , \"n\":1e400}";
    String line =
        "{\"key\":\"k\\n\",\"id\":\"i\\\"\",\"headers\":{\"a\":\"ä\",\"B\":\"\"},\"event\": "
            + event
            + " }\n";
    Answer answer = server.post(EVENTS, ENVELOPES, line);
    assertThat(answer.json()).isEqualTo(new JsonObject().put("accepted", 1).put("rejected", 0));
    assertThat(only()).contains("\"event\":" + event + "}");
    JsonObject own = own(only());
    assertThat(own.getString("key")).isEqualTo("k\n");
    assertThat(own.getString("id")).isEqualTo("i\"");
    assertThat(own.getJsonObject("headers")).isEqualTo(new JsonObject("{\"a\":\"ä\",\"b\":\"\"}"));
  }

  @Test
  void readEvents_canBeSent() throws Exception {
    String deep = "[".repeat(500) + "]".repeat(500);
    List<RawEvent> events =
        List.of(
            RawEvent.of("null"),
            RawEvent.of("\"half \\ud800\""),
            RawEvent.of(" {\"spaced\":\n1}\r\n"),
            RawEvent.of(deep),
            RawEvent.of(""),
            RawEvent.of("text with \u0001 and \"quotes\""),
            RawEvent.of(new byte[] {0, (byte) 0xff}),
            RawEvent.builder(Buffer.buffer("1")).key("k").id("i").header("h", "%\"").build());
    for (RawEvent event : events) {
      TestGateway.await(server.bus.ingestAwait(event));
    }
    String first = lines();
    assertThat(first.lines()).hasSize(events.size());
    TestGateway source = server;
    server = new TestGateway(new GatewayOptions());
    source.close();
    Answer answer = server.post(EVENTS + "?ack=delivered", ENVELOPES, first);
    assertThat(answer.json().getInteger("delivered")).as(answer.body()).isEqualTo(events.size());
    assertThat(lines().lines().map(EnvelopeTest::own))
        .containsExactlyElementsOf(first.lines().map(EnvelopeTest::own).toList());
    JsonArray page =
        server.get(EVENTS + "?order=timestamp&limit=1000").json().getJsonArray("events");
    assertThat(page.getJsonObject(2).getJsonObject("event").getInteger("spaced")).isOne();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"event\":1,\"foo\":2}|foo",
        "{\"key\":\"k\"}|exactly one",
        "{\"event\":1,\"text\":\"1\"}|exactly one",
        "{\"event\":1,\"key\":7}|key",
        "{\"event\":1,\"id\":\"\"}|id",
        "{\"event\":1,\"id\":[]}|id",
        "{\"event\":1,\"headers\":[]}|headers",
        "{\"event\":1,\"headers\":{\"a\":1}}|\"a\" must be a string",
        "{\"event\":1,\"headers\":{\"a\":null}}|header a",
        "{\"event\":1,\"headers\":{\"a b\":\"1\"}}|a b",
        "{\"event\":1,\"headers\":{\"a\":\"\\u0000\"}}|header a",
        "{\"event\":1,\"key\":\"\\ud800\"}|surrogate",
        "{\"text\":\"\\udfff\"}|surrogate",
        "{\"text\":1}|text",
        "{\"text\":null}|text",
        "{\"base64\":\"?\"}|Base64",
        "{\"event\":}|not JSON",
        "[1]|object",
      })
  void wrongLine_isRefused(String line, String says) throws Exception {
    Answer answer = server.post(EVENTS, ENVELOPES, line + "\n{\"event\":1}\n");
    assertThat(answer.status()).as(answer.body()).isEqualTo(202);
    assertThat(answer.json().getInteger("accepted")).isEqualTo(1);
    assertThat(answer.json().getJsonArray("errors").getJsonObject(0).getInteger("line")).isOne();
    assertThat(answer.json().getJsonArray("errors").getJsonObject(0).getString("error"))
        .contains(says);
  }

  @Test
  void lastOfSeveralMembers_counts() throws Exception {
    server.post(EVENTS, ENVELOPES, "{\"event\":1,\"key\":\"a\",\"event\":2,\"key\":\"b\"}");
    assertThat(own(only()).getInteger("event")).isEqualTo(2);
    assertThat(own(only()).getString("key")).isEqualTo("b");
  }

  @ParameterizedTest
  @ValueSource(strings = {"key=a", "keyPath=a", "idPath=a"})
  void parameters_areNotForLinesThatSayIt(String query) throws Exception {
    Answer answer = server.post(EVENTS + "?" + query, ENVELOPES, "{\"event\":1}");
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.detail()).contains(query.substring(0, query.indexOf('=')));
  }

  @Test
  void largeEvents_fitWhateverJsonMakesOfThem() throws Exception {
    int most = 1 << 20;
    server.bus.shards().changeMaxEventBytes(most);
    String text = "\u0001".repeat(most - 1);
    String line = new JsonObject().put("text", text).encode();
    assertThat(line.length()).isGreaterThan(5 * most);
    Answer answer = server.post(EVENTS, ENVELOPES, line);
    assertThat(answer.json().getInteger("accepted")).as(answer.body()).isEqualTo(1);
    answer =
        server.post(EVENTS, ENVELOPES, new JsonObject().put("base64", new byte[most]).encode());
    assertThat(answer.json().getInteger("accepted")).as(answer.body()).isEqualTo(1);
    Answer tooLarge = server.post(EVENTS, ENVELOPES, "{\"text\":" + Json.encode(text + "..") + "}");
    assertThat(tooLarge.status()).isEqualTo(413);
  }

  @Test
  void longKey_isRefused() throws Exception {
    String line = new JsonObject().put("key", "ä".repeat(2049)).put("event", 1).encode();
    Answer answer = server.post(EVENTS, ENVELOPES, line);
    assertThat(answer.json().getJsonArray("errors").encode()).contains("gateway.maxKeyBytes");
  }
}
