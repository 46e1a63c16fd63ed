package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.ShardBusOptions;
import io.shardbus.event.EventTime;
import io.shardbus.event.Headers;
import io.shardbus.event.RawEvent;
import io.shardbus.gateway.TestGateway.Answer;
import io.shardbus.junit5.RecordingSink;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** How events are chosen and written when they are read. */
@Tag("once")
class ReadsTest {

  private static final String ENVELOPES = "application/vnd.shardbus.events+ndjson";

  private TestGateway server;

  @BeforeEach
  void setUp() throws Exception {
    server = new TestGateway(new GatewayOptions());
  }

  @AfterEach
  void tearDown() throws Exception {
    server.close();
  }

  private void take(RawEvent... events) throws Exception {
    for (RawEvent event : events) {
      TestGateway.await(server.bus.ingestAwait(event));
    }
    TestGateway.await(server.bus.flush());
  }

  private List<JsonObject> read(String query) throws Exception {
    JsonArray events =
        server.get("/v1/events?order=timestamp&" + query).json().getJsonArray("events");
    return events.stream().map(JsonObject.class::cast).toList();
  }

  private static String encoded(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }

  @Test
  void events_sayWhoseAndWhen() throws Exception {
    Map<String, String> headers = Map.of("trace", "\"1\"");
    take(
        RawEvent.builder(Buffer.buffer("{\"n\":1}"))
            .key("k")
            .id("i")
            .headers(Headers.of(headers))
            .build());
    JsonObject event = read("").get(0);
    assertThat(event.fieldNames())
        .containsExactly(
            "producer", "epoch", "shard", "sequence", "time", "key", "id", "headers", "event");
    assertThat(event.getString("producer")).isNotBlank();
    assertThat(event.getString("time")).hasSize(30);
    assertThat(EventTime.parse(event.getString("time"))).isPositive();
    assertThat(event.getString("key")).isEqualTo("k");
    assertThat(event.getString("id")).isEqualTo("i");
    assertThat(event.getJsonObject("headers").getMap()).isEqualTo(headers);
    take(RawEvent.of("2"));
    event = read("").get(1);
    assertThat(event.getValue("id")).isNull();
    assertThat(event.getJsonObject("headers")).isEmpty();
  }

  @Test
  void parameters_chooseEvents() throws Exception {
    take(
        RawEvent.of(Buffer.buffer("1"), "a"),
        RawEvent.of(Buffer.buffer("2"), "b"),
        RawEvent.of(Buffer.buffer("3"), "a"));
    List<JsonObject> all = read("");
    assertThat(read("key=a")).extracting(e -> e.getInteger("event")).containsExactly(1, 3);
    int shard = all.get(1).getInteger("shard");
    assertThat(read("shard=" + shard))
        .isEqualTo(all.stream().filter(e -> e.getInteger("shard") == shard).toList());
    String second = all.get(1).getString("time");
    assertThat(read("since=" + second)).isEqualTo(all.subList(1, 3));
    assertThat(read("until=" + second)).isEqualTo(all.subList(0, 1));
    assertThat(read("since=-1h&until=-0s")).isEqualTo(all);
    assertThat(read("until=-1h")).isEmpty();
    assertThat(read("since=" + second.replace("Z", "+00:00"))).hasSize(2);
  }

  @ParameterizedTest
  @CsvSource({
    "since=yesterday,since",
    "since=-15,since",
    "until=-999999999999d,until",
    "until=15m,until",
    "shard=x,shard",
    "shard=65535,shard"
  })
  void wrongParameters_areNamed(String query, String name) throws Exception {
    for (String path : List.of("/v1/events?", "/v1/tail?")) {
      Answer answer = server.get(path + query);
      assertThat(answer.status()).isEqualTo(400);
      assertThat(answer.detail()).startsWith(name + ": ");
    }
  }

  @Test
  void lines_areWrittenIfTheClientWantsThem() throws Exception {
    take(RawEvent.of("1"), RawEvent.of("no json"), RawEvent.of(new byte[] {(byte) 0xff}));
    Answer first = server.get("/v1/events?order=timestamp&limit=2", "Accept", ENVELOPES);
    assertThat(first.header("Content-Type")).isEqualTo(ENVELOPES);
    assertThat(first.header("Shardbus-More")).isEqualTo("true");
    String cursor = encoded(first.header("Shardbus-Cursor"));
    Answer rest = server.get("/v1/events?cursor=" + cursor, "Accept", ENVELOPES);
    assertThat(rest.header("Shardbus-More")).isEqualTo("false");
    assertThat((first.body() + rest.body()).lines())
        .hasSize(3)
        .anySatisfy(line -> assertThat(line).endsWith(",\"event\":1}"))
        .anySatisfy(line -> assertThat(line).endsWith(",\"text\":\"no json\"}"))
        .anySatisfy(line -> assertThat(line).endsWith(",\"base64\":\"/w==\"}"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "*/*|application/json",
        "text/html|application/json",
        "application/vnd.shardbus.events+ndjson;q=0.5,"
            + " */*;q=0.1|application/vnd.shardbus.events+ndjson",
        "application/vnd.shardbus.events+ndjson;q=0.5, application/json|application/json",
        "APPLICATION/vnd.shardbus.events+ndjson|application/vnd.shardbus.events+ndjson",
      })
  void accept_decides(String accept, String type) throws Exception {
    assertThat(server.get("/v1/events", "Accept", accept).header("Content-Type")).isEqualTo(type);
  }

  private HttpClientResponse tail(String query, String accept) throws Exception {
    return TestGateway.await(openTail("/v1/tail?" + query, accept));
  }

  private static String all(HttpClientResponse response) throws Exception {
    Future<Buffer> body = response.body();
    response.resume();
    return TestGateway.await(body).toString();
  }

  @Test
  void tail_endsAfterUntil() throws Exception {
    take(RawEvent.of(Buffer.buffer("1"), "a"), RawEvent.of(Buffer.buffer("2"), "b"));
    String lines = all(tail("since=-1h&until=-0s&key=b", ENVELOPES));
    assertThat(lines.strip().lines())
        .hasSize(1)
        .allSatisfy(e -> assertThat(e).contains("\"event\":2"));
    String messages = all(tail("from=start&until=-0s", "text/event-stream"));
    assertThat(messages)
        .contains("\"event\":1")
        .contains("\"event\":2")
        .endsWith("event: end\ndata:\n\n");
  }

  @Test
  void tail_endsWhenUntilHasCome() throws Exception {
    TestGateway slow = server;
    server = new TestGateway(TestGateway.idleAfter(2));
    slow.close();
    String until =
        EventTime.text(EventTime.parse(java.time.Instant.now().toString()) + 500_000_000L);
    HttpClientResponse response = tail("until=" + until, ENVELOPES);
    take(RawEvent.of("1"));
    assertThat(all(response)).contains("\"event\":1");
  }

  @Test
  void tail_writesLines() throws Exception {
    Buffer got = Buffer.buffer();
    HttpClientResponse response = tail("key=a", ENVELOPES);
    assertThat(response.getHeader("Content-Type")).isEqualTo(ENVELOPES);
    response.handler(got::appendBuffer).resume();
    take(RawEvent.of(Buffer.buffer("1"), "b"), RawEvent.of(Buffer.buffer("2"), "a"));
    Awaitility.await()
        .untilAsserted(
            () ->
                assertThat(got.toString().strip().lines())
                    .hasSize(1)
                    .allSatisfy(line -> assertThat(line).endsWith(",\"event\":2}")));
    response.request().connection().close();
  }

  @Test
  void pages_areWalkedByCursor() throws Exception {
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < 1_000; i++) {
      lines.append(i).append('\n');
    }
    server.post("/v1/events?ack=delivered", "application/x-ndjson", lines.toString());
    List<String> seen = new ArrayList<>();
    String cursor = "";
    JsonObject page;
    do {
      page = server.get("/v1/events?limit=77" + cursor).json();
      page.getJsonArray("events")
          .forEach(e -> seen.add(((JsonObject) e).getValue("event").toString()));
      cursor = "&cursor=" + page.getString("cursor");
    } while (page.getBoolean("more"));
    assertThat(seen).hasSize(1_000).doesNotHaveDuplicates();
    for (String bad : List.of("limit=0", "limit=x", "limit=10001", "cursor=zzz", "order=up")) {
      assertThat(server.get("/v1/events?" + bad).status()).as(bad).isEqualTo(400);
    }
  }

  @Test
  void payloads_thatAreNotJsonAreTextOrBase64() throws Exception {
    take(RawEvent.of("plain é"), RawEvent.of(new byte[] {(byte) 0xFF, 0}));
    assertThat(read("").get(0).getString("text")).isEqualTo("plain é");
    assertThat(read("").get(1).getString("base64")).isEqualTo("/wA=");
  }

  @Test
  void sinkThatCannotBeRead_isNotImplemented() throws Exception {
    server.close();
    server =
        new TestGateway(
            new ShardBusOptions().setShards(1),
            new RecordingSink(),
            new GatewayOptions(),
            new HttpClientOptions());
    assertThat(server.get("/v1/events").status()).isEqualTo(501);
    assertThat(server.get("/v1/tail").status()).isEqualTo(501);
  }

  private Future<HttpClientResponse> openTail(String uri, String accept) {
    return server
        .http
        .request(
            new RequestOptions()
                .setPort(server.gateway.port())
                .setHost("127.0.0.1")
                .setURI(uri)
                .putHeader("Accept", accept))
        .compose(
            request -> {
              // Asked for before it is sent, so that nothing comes before the pause.
              Future<HttpClientResponse> response =
                  request.response().onSuccess(HttpClientResponse::pause);
              return request.send().compose(sent -> response);
            });
  }

  @Test
  void tail_hasNoSeamBetweenOldAndNew() throws Exception {
    String before = server.get("/v1/events").json().getString("cursor");
    List<String> seen = new java.util.concurrent.CopyOnWriteArrayList<>();
    StringBuilder all = new StringBuilder();
    for (int i = 0; i < 300; i++) {
      server.post("/v1/events", "application/json", Integer.toString(i));
      if (i == 100) {
        HttpClientResponse tail =
            TestGateway.await(openTail("/v1/tail?cursor=" + before, "text/event-stream"));
        assertThat(tail.getHeader("Content-Type")).isEqualTo("text/event-stream");
        tail.handler(
            chunk -> {
              all.append(chunk);
              int end;
              while ((end = all.indexOf("\n\n")) >= 0) {
                String message = all.substring(0, end);
                all.delete(0, end + 2);
                if (message.startsWith("data: {")) {
                  seen.add(new JsonObject(message.substring(6)).getValue("event").toString());
                }
              }
            });
        tail.resume();
      }
    }
    Awaitility.await().until(() -> seen.size() >= 300);
    assertThat(seen).hasSize(300).doesNotHaveDuplicates();
    assertThat(TestGateway.await(openTail("/v1/tail?cursor=zzz", "text/event-stream")).statusCode())
        .isEqualTo(400);
  }

  /** A tail to which nothing comes is not idle. */
  @Test
  void tail_outlivesTheIdleTimeout() throws Exception {
    server.close();
    server = new TestGateway(TestGateway.idleAfter(2));
    HttpClientResponse tail = TestGateway.await(openTail("/v1/tail", "text/event-stream"));
    AtomicBoolean ended = new AtomicBoolean();
    tail.request().connection().closeHandler(closed -> ended.set(true));
    tail.resume();
    Awaitility.await().during(Duration.ofSeconds(4)).until(() -> !ended.get());
  }

  @Test
  void tail_keepsEventsThatSpanLines() throws Exception {
    Promise<String> got = Promise.promise();
    HttpClientResponse tail = TestGateway.await(openTail("/v1/tail", "text/event-stream"));
    Buffer all = Buffer.buffer();
    tail.handler(
        chunk -> {
          all.appendBuffer(chunk);
          if (all.toString().contains("}}\n\n")) {
            got.tryComplete(all.toString());
          }
        });
    tail.resume();
    server.post("/v1/events", "application/json", "{\n\"a\":1}");
    assertThat(TestGateway.await(got.future()))
        .contains("\"event\":{\ndata: \"a\":1}}\n\n")
        .contains("id: ");
  }

  @Test
  void filter_choosesWhatIsRead() throws Exception {
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < 100; i++) {
      lines.append("{\"n\":").append(i).append(",\"even\":").append(i % 2 == 0).append("}\n");
    }
    server.post("/v1/events?ack=delivered", "application/x-ndjson", lines.toString());
    String filter = encoded("@.n >= 90 && !(@.even == true)");
    JsonObject page = server.get("/v1/events?order=timestamp&filter=" + filter).json();
    assertThat(page.getJsonArray("events"))
        .extracting(e -> ((JsonObject) e).getJsonObject("event").getInteger("n"))
        .containsExactlyInAnyOrder(91, 93, 95, 97, 99);
    // What no double can hold, and lists of lists, are data like any other.
    server.post(
        "/v1/events?ack=delivered&key=k", "application/x-ndjson", "{\"n\":1e400}\n{\"n\":[2]}");
    for (String one :
        List.of("@.n > 99", "@.n in [[1],[2]]", "$key == 'k' && $time > '2020' && @.n == [2.0]")) {
      Answer answer = server.get("/v1/events?filter=" + encoded(one));
      assertThat(answer.status()).isEqualTo(200);
      assertThat(answer.json().getJsonArray("events")).as(one).hasSize(1);
    }
    for (String path : List.of("/v1/events", "/v1/tail")) {
      Answer bad = server.get(path + "?filter=" + encoded("@.n =="));
      assertThat(bad.status()).isEqualTo(400);
      assertThat(bad.json().getString("detail"))
          .contains("filter: at the end: a value is expected; allowed are");
    }
  }
}
