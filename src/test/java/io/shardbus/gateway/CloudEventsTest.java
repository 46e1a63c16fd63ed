package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.RawEvent;
import io.shardbus.gateway.TestGateway.Answer;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** CloudEvents 1.0 over HTTP, in and out. */
@Tag("once")
class CloudEventsTest {

  private static final String ONE = "application/cloudevents+json";
  private static final String BATCH = "application/cloudevents-batch+json";
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

  private List<JsonObject> stored() throws Exception {
    TestGateway.await(server.bus.flush());
    JsonArray events =
        server.get(EVENTS + "?order=timestamp&limit=1000").json().getJsonArray("events");
    return events.stream().map(JsonObject.class::cast).toList();
  }

  private JsonObject only() throws Exception {
    assertThat(stored()).hasSize(1);
    return stored().get(0);
  }

  private Answer out() throws Exception {
    TestGateway.await(server.bus.flush());
    Answer answer = server.get(EVENTS + "?order=timestamp&limit=1000", "Accept", BATCH);
    assertThat(answer.status()).isEqualTo(200);
    assertThat(answer.header("Content-Type")).isEqualTo(BATCH);
    return answer;
  }

  private JsonObject onlyOut() throws Exception {
    JsonArray all = new JsonArray(out().body());
    assertThat(all).hasSize(1);
    return all.getJsonObject(0);
  }

  private Answer binary(Buffer body, String... headers) throws Exception {
    Map<String, String> all =
        new HashMap<>(
            Map.of("ce-specversion", "1.0", "ce-id", "1", "ce-source", "/s", "ce-type", "t"));
    all.putAll(TestGateway.map(headers));
    all.values().removeIf(String::isEmpty);
    return server.send(HttpMethod.POST, EVENTS, all, body);
  }

  private static JsonObject event(String members) {
    JsonObject event =
        new JsonObject("{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"}");
    return event.mergeIn(new JsonObject(members));
  }

  @Test
  void binary_keepsAttributesAndBody() throws Exception {
    Answer answer =
        binary(
            Buffer.buffer("{\"n\": 1}"),
            "Content-Type",
            "application/json; charset=utf-8",
            "ce-subject",
            "Euro%20%E2%82%AC%20%f0%9f%98%80 100%",
            "ce-quoted",
            "\"a \\\"b\\\"\"",
            "ce-partitionkey",
            "k",
            "traceparent",
            "00-1-2-03",
            "x-other",
            "no");
    assertThat(answer.status()).as(answer.body()).isEqualTo(202);
    JsonObject event = only();
    assertThat(event.getString("id")).isEqualTo("/s 1");
    assertThat(event.getString("key")).isEqualTo("k");
    assertThat(event.getJsonObject("event")).isEqualTo(new JsonObject().put("n", 1));
    assertThat(event.getJsonObject("headers"))
        .isEqualTo(
            new JsonObject()
                .put("ce-specversion", "1.0")
                .put("ce-id", "1")
                .put("ce-source", "/s")
                .put("ce-type", "t")
                .put("ce-subject", "Euro € 😀 100%")
                .put("ce-quoted", "a \"b\"")
                .put("ce-partitionkey", "k")
                .put("content-type", "application/json; charset=utf-8")
                .put("traceparent", "00-1-2-03"));
    assertThat(onlyOut())
        .isEqualTo(
            event(
                    "{\"subject\":\"Euro € 😀 100%\",\"quoted\":\"a"
                        + " \\\"b\\\"\",\"partitionkey\":\"k\"}")
                .put("traceparent", "00-1-2-03")
                .put("datacontenttype", "application/json; charset=utf-8")
                .put("data", new JsonObject().put("n", 1)));
  }

  @Test
  void binary_takesAnyData() throws Exception {
    byte[] bytes = {0, (byte) 0xff};
    binary(Buffer.buffer(bytes), "Content-Type", "image/png");
    binary(Buffer.buffer("1\n2\n"), "ce-id", "2", "Content-Type", "application/x-ndjson");
    binary(Buffer.buffer(), "ce-id", "3", "Content-Type", "application/json");
    binary(Buffer.buffer("<a/>"), "ce-id", "4");
    assertThat(stored()).hasSize(4);
    JsonArray all = new JsonArray(out().body());
    assertThat(all.getJsonObject(0).getBinary("data_base64")).isEqualTo(bytes);
    assertThat(all.getJsonObject(1).getString("data")).isEqualTo("1\n2\n");
    assertThat(all.getJsonObject(2).fieldNames()).doesNotContain("data", "data_base64");
    assertThat(all.getJsonObject(3).getBinary("data_base64"))
        .isEqualTo("<a/>".getBytes(StandardCharsets.UTF_8));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "ce-id|''|id",
        "ce-source|''|source",
        "ce-type|''|type",
        "ce-specversion|''|specversion",
        "ce-specversion|0.3|1.0",
        "ce-source|a%20b|source",
        "ce-my_ext|1|my_ext",
        "ce-datacontenttype|text/plain|Content-Type",
        "ce-subject|%C0%A0|ce-subject",
        "ce-subject|%ED%A0%80|ce-subject",
        "ce-subject|%0A|ce-subject",
        "ce-subject|\"a|ce-subject",
        "ce-subject|\u00ff|ce-subject",
        "Idempotency-Key|1|Idempotency-Key",
      })
  void binary_wrongHeadersAreNamed(String header, String value, String says) throws Exception {
    Answer answer = binary(Buffer.buffer("1"), "Content-Type", "application/json", header, value);
    assertThat(answer.status()).as(answer.body()).isEqualTo(400);
    assertThat(answer.detail()).contains(says);
    assertThat(stored()).isEmpty();
  }

  @Test
  void binary_dataThatIsSaidToBeJsonIsChecked() throws Exception {
    Answer answer = binary(Buffer.buffer("{"), "Content-Type", "application/vnd.x+json");
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.detail()).contains("not JSON");
  }

  @Test
  void structured_keepsAttributesAndBytesOfData() throws Exception {
    String data = "{ \"n\" : 1.50 }";
    String body =
        "{\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\",\"specversion\":\"1.0\",\"subject\":null,"
            + "\"count\":-3,\"ok\":true,\"data\":"
            + data
            + "}";
    Answer answer =
        server.post(EVENTS, ONE + "; charset=UTF-8", body, "ce-id", "other", "tracestate", "a=1");
    assertThat(answer.status()).as(answer.body()).isEqualTo(202);
    assertThat(server.get(EVENTS).body()).contains("\"event\":" + data);
    assertThat(only().getString("id")).isEqualTo("/s 1");
    assertThat(only().getJsonObject("headers"))
        .isEqualTo(
            new JsonObject()
                .put("ce-id", "1")
                .put("ce-source", "/s")
                .put("ce-type", "t")
                .put("ce-specversion", "1.0")
                .put("ce-count", "-3")
                .put("ce-ok", "true")
                .put("tracestate", "a=1"));
    assertThat(out().body()).contains("\"data\":" + data);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{}|`text`|``",
        "{\"data\":\"x\"}|event|`x`",
        "{\"data\":null}|event|",
        "{\"data\":[1]}|event|[1]",
        "{\"data\":\"x y\",\"datacontenttype\":\"text/plain\"}|text|x y",
        "{\"data\":{},\"datacontenttype\":\"application/xml\"}|event|{}",
        "{\"data_base64\":\"/w==\"}|base64|/w==",
        "{\"data_base64\":\"eyJuIjoxfQ==\"}|event|{\"n\":1}",
        "{\"data\":\"7\",\"datacontenttype\":\"application/problem+json; a=b\"}|event|7",
      })
  void structured_dataBecomesThePayload(String members, String as, String value) throws Exception {
    Answer answer = server.post(EVENTS, ONE, event(members).encode());
    assertThat(answer.status()).as(answer.body()).isEqualTo(202);
    assertThat(only().containsKey(as)).as(only().encode()).isTrue();
    Object got = only().getValue(as);
    assertThat(got == null ? null : got.toString()).isEqualTo(value);
    JsonObject before = event(members);
    JsonObject after = onlyOut();
    if (members.contains("eyJ")) { // it is JSON
      before.remove("data_base64");
      before.put("data", new JsonObject("{\"n\":1}"));
    }
    if (members.contains("xml")) { // of a type that is not JSON
      before.put("data", "{}");
    }
    assertThat(after).isEqualTo(before);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{\"id\":null}|id",
        "{\"id\":\"\"}|id",
        "{\"id\":[]}|id",
        "{\"count\":1.5}|count",
        "{\"specversion\":\"1.1\"}|specversion",
        "{\"Sub\":\"x\"}|Sub",
        "{\"data\":1,\"data_base64\":\"\"}|only one",
        "{\"data_base64\":\"*\"}|Base64",
        "{\"data_base64\":1}|data_base64",
        "{\"subject\":\"\\u0000\"}|ce-subject",
      })
  void structured_wrongEventsAreNamed(String members, String says) throws Exception {
    Answer answer = server.post(EVENTS, ONE, event(members).encode());
    assertThat(answer.status()).as(answer.body()).isEqualTo(400);
    assertThat(answer.detail()).contains(says);
  }

  @Test
  void longIds_areHashed() throws Exception {
    String id = "x".repeat(300);
    for (String duplicate : List.of("false", "true")) {
      Answer answer = server.post(EVENTS, ONE, event("{\"id\":\"" + id + "\"}").encode());
      assertThat(answer.json().getBoolean("duplicate", false)).asString().isEqualTo(duplicate);
    }
    assertThat(only().getString("id")).startsWith("sha-256:").hasSize(72);
    assertThat(onlyOut().getString("id")).isEqualTo(id);
  }

  @Test
  void keys_areGivenInThreeWays() throws Exception {
    String data = event("{\"data\":{\"u\":7},\"partitionkey\":\"p\"}").encode();
    server.post(EVENTS, ONE, data);
    server.post(EVENTS + "?key=k", ONE, data.replace("\"1\"", "\"2\""));
    server.post(EVENTS + "?keyPath=u", ONE, data.replace("\"1\"", "\"3\""));
    assertThat(stored()).extracting(e -> e.getString("key")).containsExactly("p", "k", "7");
    assertThat(stored())
        .extracting(e -> e.getJsonObject("headers").getString("ce-partitionkey"))
        .containsExactly("p", "k", "7");
    assertThat(new JsonArray(out().body()))
        .extracting(e -> ((JsonObject) e).getString("partitionkey"))
        .containsExactly("p", "k", "7");
    Answer answer = server.post(EVENTS + "?idPath=u", ONE, data);
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.detail()).contains("idPath");
  }

  /** An attribute must not be empty. */
  @Test
  void emptyKey_isNoAttribute() throws Exception {
    String data = event("{\"partitionkey\":\"p\"}").encode();
    server.post(EVENTS + "?key=", ONE, data);
    assertThat(only().getString("key")).isEmpty();
    assertThat(onlyOut().fieldNames()).doesNotContain("partitionkey");
  }

  @Test
  void keyOfAnEventThatCameOtherwise_goesOut() throws Exception {
    RawEvent.Builder event = RawEvent.builder(Buffer.buffer("1")).key("k");
    event("{}").forEach(attribute -> event.header("ce-" + attribute.getKey(), "1.0"));
    TestGateway.await(server.bus.ingestAwait(event.build()));
    assertThat(onlyOut().getString("partitionkey")).isEqualTo("k");
  }

  /** It would stand beside the data itself. */
  @Test
  void attributeNamedData_isRefusedOrLeftOut() throws Exception {
    String envelope = "application/vnd.shardbus.events+ndjson";
    Answer binary =
        server.post(
            EVENTS,
            "application/json",
            "1",
            "ce-specversion",
            "1.0",
            "ce-id",
            "1",
            "ce-source",
            "/a",
            "ce-type",
            "t",
            "ce-data",
            "x");
    assertThat(binary.status()).isEqualTo(400);
    assertThat(binary.detail()).contains("data must have another name");
    String headers =
        "{'ce-specversion':'1.0','ce-id':'1','ce-source':'/a','ce-type':'t','ce-data':'x',"
            + "'ce-data_base64':'x','ce-datacontenttype':'x/y','datacontenttype':'x/y'}";
    String line = "{\"event\":1,\"headers\":" + headers.replace('\'', '"') + "}";
    assertThat(server.post(EVENTS + "?ack=delivered", envelope, line).status()).isEqualTo(202);
    assertThat(server.get(EVENTS, "Accept", BATCH).body().strip())
        .isEqualTo(
            "[{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/a\",\"type\":\"t\","
                + "\"data\":1}]");
  }

  /** A pattern that went back and forth in it would take hours, on an event loop. */
  @Test
  void longContentType_isReadAtOnce() throws Exception {
    JsonObject event = event("{\"data\":\"x\"}").put("datacontenttype", "/".repeat(1_000_000));
    Answer answer = server.post(EVENTS, "application/cloudevents+json", event.encode());
    assertThat(answer.status()).isEqualTo(400);
    assertThat(answer.detail()).contains("headers");
  }

  @Test
  void batch_isTakenEventByEvent() throws Exception {
    JsonArray batch =
        new JsonArray()
            .add(event("{\"data\":1}"))
            .add(event("{\"id\":\"2\",\"data\":2}"))
            .add(event("{\"type\":\"\"}"))
            .add(event("{\"data\":3}"));
    Answer answer = server.post(EVENTS + "?ack=delivered", BATCH, batch.encodePrettily());
    assertThat(answer.status()).as(answer.body()).isEqualTo(202);
    assertThat(answer.json().getInteger("delivered")).isEqualTo(3);
    assertThat(answer.json().getInteger("duplicates")).isEqualTo(1);
    assertThat(answer.json().getJsonArray("errors"))
        .isEqualTo(
            new JsonArray()
                .add(
                    new JsonObject()
                        .put("event", 3)
                        .put("error", "not a CloudEvent: the attribute type is missing or empty")));
    assertThat(stored()).hasSize(2);
  }

  @Test
  void batch_canBeEmptyButNotBroken() throws Exception {
    assertThat(server.post(EVENTS, BATCH, "[]").json())
        .isEqualTo(new JsonObject().put("accepted", 0).put("rejected", 0));
    for (String broken : List.of("", "{}", "[" + event("{}").encode())) {
      Answer answer = server.post(EVENTS, BATCH, broken);
      assertThat(answer.status()).as(broken).isEqualTo(400);
      assertThat(answer.detail()).contains("JSON array");
      assertThat(answer.json().getString("reason")).isEqualTo("invalid");
    }
    assertThat(stored()).isEmpty();
  }

  @Test
  void batch_canBeLarge() throws Exception {
    JsonArray batch = new JsonArray();
    for (int i = 0; i < 20_000; i++) {
      batch.add(event("{\"id\":\"" + i + "\",\"data\":\"" + "x".repeat(100) + "\"}"));
    }
    Answer answer = server.post(EVENTS, BATCH, batch.encode());
    assertThat(answer.json().getInteger("accepted")).as(answer.body()).isEqualTo(20_000);
  }

  @Test
  void otherFormats_areNotSupported() throws Exception {
    Answer answer = server.post(EVENTS, "application/cloudevents+avro", "x", "ce-id", "1");
    assertThat(answer.status()).isEqualTo(415);
    assertThat(answer.detail()).contains(ONE).contains(BATCH);
  }

  @Test
  void otherEvents_getAttributesOfTheBus() throws Exception {
    RawEvent event =
        RawEvent.builder(Buffer.buffer("7"))
            .key("k")
            .id("mine")
            .header("traceparent", "t")
            .header("x-a", "left out")
            .header("source", "not this")
            .build();
    TestGateway.await(server.bus.ingestAwait(event));
    TestGateway.await(server.bus.ingestAwait(RawEvent.of("no json")));
    JsonObject read = stored().get(0);
    JsonObject other = stored().get(1);
    String producer = read.getString("producer");
    JsonArray all = new JsonArray(out().body());
    assertThat(all.getJsonObject(0))
        .isEqualTo(
            new JsonObject()
                .put("specversion", "1.0")
                .put("id", "mine")
                .put("source", "/shardbus/" + producer)
                .put("type", "io.shardbus.event")
                .put("time", read.getString("time"))
                .put("partitionkey", "k")
                .put("traceparent", "t")
                .put("data", 7));
    assertThat(all.getJsonObject(1).containsKey("data_base64")).isTrue();
    assertThat(all.getJsonObject(1).getString("id"))
        .isEqualTo(
            String.join(
                ":",
                producer,
                other.getLong("epoch").toString(),
                other.getInteger("shard").toString(),
                other.getLong("sequence").toString()));
  }
}
