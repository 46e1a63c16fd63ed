package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.event.EventTime;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.shard.BackpressureMode;
import io.shardbus.shard.ScalingPolicy;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkException;
import io.shardbus.sink.SinkOptions;
import io.shardbus.sink.Sinks;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.lang.reflect.Proxy;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class GatewayTest {

  private Vertx vertx;
  private ShardBus bus;
  private Gateway gateway;
  private HttpClient http;

  @BeforeEach
  void setUp() {
    vertx = Vertx.vertx();
    http = vertx.createHttpClient();
  }

  @AfterEach
  void tearDown() throws Exception {
    await(vertx.close());
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
  }

  private void start(ShardBusOptions options, Sink sink, GatewayOptions gatewayOptions)
      throws Exception {
    bus = await(ShardBus.start(vertx, options, sink));
    gateway = await(Gateway.start(vertx, bus, gatewayOptions.setPort(0)));
  }

  private void start() throws Exception {
    start(
        new ShardBusOptions()
            .setShards(2)
            .setScaling(ScalingPolicy.defaults(4).setAutoScale(false)),
        Sinks.create(new SinkOptions("memory")),
        new GatewayOptions());
  }

  /** Its events could not wait for room with those of the bus's other callers. */
  @Test
  void start_refusesAWrappedBus() throws Exception {
    start();
    ShardBus wrapper =
        (ShardBus)
            Proxy.newProxyInstance(
                ShardBus.class.getClassLoader(),
                new Class<?>[] {ShardBus.class},
                (proxy, method, arguments) -> method.invoke(bus, arguments));
    assertThatThrownBy(() -> Gateway.start(vertx, wrapper, new GatewayOptions().setPort(0)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage("bus: must be as ShardBus.start made it");
  }

  private record Answer(int status, String type, String body) {
    JsonObject json() {
      return new JsonObject(body);
    }
  }

  private Answer send(HttpMethod method, String uri, String type, Buffer body) throws Exception {
    Future<Answer> answer =
        http.request(method, gateway.port(), "127.0.0.1", uri)
            .compose(
                request -> {
                  if (type != null) {
                    request.putHeader("Content-Type", type);
                  }
                  // Asked for before it is sent, so that no part of it comes too early.
                  Future<Answer> answered = request.response().compose(this::answer);
                  return (body == null ? request.send() : request.send(body))
                      .compose(sent -> answered);
                });
    return await(answer);
  }

  private Future<Answer> answer(HttpClientResponse response) {
    return response
        .body()
        .map(
            body ->
                new Answer(
                    response.statusCode(), response.getHeader("Content-Type"), body.toString()));
  }

  private Answer post(String uri, String type, String body) throws Exception {
    return send(HttpMethod.POST, uri, type, Buffer.buffer(body));
  }

  @Test
  void answers_endTheLine() throws Exception {
    start();
    for (String type : List.of("application/json", "application/x-ndjson", "text/none")) {
      assertThat(post("/v1/events", type, "1").body()).endsWith("}\n");
    }
  }

  private Answer get(String uri) throws Exception {
    return send(HttpMethod.GET, uri, null, null);
  }

  private JsonArray storedEvents(int limit) throws Exception {
    await(bus.flush());
    return get("/v1/events?order=timestamp&limit=" + limit).json().getJsonArray("events");
  }

  // ------------------------------------------------------------------ POST /v1/events

  @Test
  void oneEvent_isTakenAndReadBack() throws Exception {
    start();
    String json = "{ \"a\" : 1.0, \"é\": [true,null] }";
    for (String ack : List.of("none", "accepted", "delivered")) {
      Answer answer = post("/v1/events?key=k&ack=" + ack, "application/json", json);
      assertThat(answer.status()).isEqualTo(202);
      assertThat(answer.json().getInteger("shard")).isBetween(0, 1);
      assertThat(EventTime.parse(answer.json().getString("time")))
          .isGreaterThan(1_700_000_000_000_000_000L);
    }
    await(bus.flush());
    Answer page = get("/v1/events");
    assertThat(page.body()).contains("\"event\":" + json);
    assertThat(page.json().getJsonArray("events")).hasSize(3);
    JsonObject first = page.json().getJsonArray("events").getJsonObject(0);
    assertThat(first.getString("key")).isEqualTo("k");
    assertThat(first.getLong("sequence")).isZero();
    assertThat(page.json().getBoolean("more")).isFalse();
  }

  @Test
  void keyPath_isReadFromEachEvent() throws Exception {
    start();
    Answer answer =
        post(
            "/v1/events?keyPath=user.id",
            "application/x-ndjson",
            "{\"user\":{\"id\":\"u1\"}}\n{\"user\":{\"id\":7}}\n{\"user\":{}}\n[]\n");
    assertThat(answer.status()).isEqualTo(202);
    assertThat(answer.json().getInteger("accepted")).isEqualTo(2);
    assertThat(answer.json().getInteger("rejected")).isEqualTo(2);
    assertThat(answer.json().getJsonArray("errors").getJsonObject(0).getInteger("line"))
        .isEqualTo(3);
    JsonArray events = storedEvents(10);
    assertThat(events.getJsonObject(0).getString("key")).isEqualTo("u1");
    assertThat(events.getJsonObject(1).getString("key")).isEqualTo("7");
  }

  @Test
  void ndjson_isTakenHoweverItIsCut() throws Exception {
    start();
    String body = "{\"n\":0}\r\n\n\"é\"\n[1,2]\nbad\n3";
    Buffer bytes = Buffer.buffer(body);
    for (int cut = 1; cut < bytes.length(); cut++) {
      int at = cut;
      Future<Answer> answer =
          http.request(HttpMethod.POST, gateway.port(), "127.0.0.1", "/v1/events?ack=delivered")
              .compose(
                  request -> {
                    request.setChunked(true).putHeader("Content-Type", "application/x-ndjson");
                    Future<Answer> answered = request.response().compose(this::answer);
                    return request
                        .write(bytes.getBuffer(0, at))
                        .compose(done -> request.end(bytes.getBuffer(at, bytes.length())))
                        .compose(done -> answered);
                  });
      JsonObject json = await(answer).json();
      assertThat(json.getInteger("accepted")).isEqualTo(4);
      assertThat(json.getInteger("delivered")).isEqualTo(4);
      assertThat(json.getJsonObject("reasons").getInteger("invalid")).isEqualTo(1);
      // As an editor counts them: blank ones too.
      assertThat(json.getJsonArray("errors").getJsonObject(0).getInteger("line")).isEqualTo(5);
    }
    assertThat(storedEvents(1000)).hasSize(4 * (bytes.length() - 1));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "/v1/events|application/json|{\"a\":|400|byte 5",
        "/v1/events|application/json|''|400|empty",
        "/v1/events|application/x-ndjson|''|400|empty",
        "/v1/events|text/plain|{}|415|application/x-ndjson",
        "/v1/events|''|{}|415|application/json",
        "/v1/events?ack=maybe|application/json|{}|400|none, accepted or delivered",
        "/v1/events?key=a&keyPath=b|application/json|{}|400|only one",
        "/v1/events?keyPath=a.b|application/json|{}|400|keyPath a.b",
        "/v1/events?key=a%FF|application/json|{}|400|UTF-8",
        "/v1/events?key=%ED%A0%80|application/json|{}|400|UTF-8",
        "/v1/events?keyPath=k|application/json|{\"k\":\"\\ud800\"}|400|surrogate",
        "/nowhere|application/json|{}|404|/nowhere",
        "/v1/%zz|application/json|{}|400|broken escape",
        "/v1/stats|application/json|{}|405|POST",
        "/v1/shards|application/json|{\"count\":0}|400|count",
        "/v1/shards|application/json|[]|400|count",
        "/v1/shards|application/json|{\"count\":9}|409|maxShards",
        "/v1/events|application/json; charset=utf16|{}|415|utf16"
      })
  void badRequests_areExplained(String uri, String type, String body, int status, String says)
      throws Exception {
    start();
    Answer answer = post(uri, type, body);
    assertThat(answer.status()).isEqualTo(status);
    assertThat(answer.type()).isEqualTo("application/problem+json");
    assertThat(answer.json().getInteger("status")).isEqualTo(status);
    assertThat(answer.json().getString("detail")).contains(says);
    assertThat(answer.body()).doesNotContain("Exception");
  }

  /** As all words of the API. */
  @Test
  void refusedScaling_namesItsReasonInLowerCase() throws Exception {
    start();
    Answer answer = post("/v1/shards", "application/json", "{\"count\":9}");
    assertThat(answer.json().getString("reason")).isEqualTo("at_max_shards");
  }

  @Test
  void tooLarge_isRefusedEarly() throws Exception {
    start();
    Buffer large = Buffer.buffer("\"" + "x".repeat(17 << 20) + "\"");
    assertThat(send(HttpMethod.POST, "/v1/events", "application/json", large).status())
        .isEqualTo(413);
    assertThat(send(HttpMethod.POST, "/v1/events", "application/x-ndjson", large).status())
        .isEqualTo(413);
    assertThat(post("/v1/events", "application/json", "1").status()).isEqualTo(202);
  }

  @Test
  void fullBus_isAnsweredByItsMode() throws Exception {
    RecordingSink stalled = new RecordingSink().hang();
    ShardBusOptions options =
        new ShardBusOptions()
            .setShards(1)
            .setRingCapacity(1024)
            .setBackpressure(BackpressureMode.FAIL_PRODUCER);
    options.getBatch().setMinSize(1).setMaxSize(1);
    start(options, stalled, new GatewayOptions().setBackpressureTimeout(Duration.ofSeconds(1)));
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < 5_000; i++) {
      lines.append(i).append('\n');
    }
    Answer answer = post("/v1/events", "application/x-ndjson", lines.toString());
    assertThat(answer.status()).isEqualTo(429);
    long accepted = answer.json().getLong("accepted");
    assertThat(accepted).isBetween(1_024L, 1_030L);
    Answer one = post("/v1/events", "application/json", "1");
    assertThat(one.status()).isEqualTo(429);
    for (Answer refused : List.of(answer, one)) {
      assertThat(refused.json().getString("reason")).isEqualTo("backpressure");
    }
    assertThat(get("/health/ready").status()).isEqualTo(503);
    stalled.heal();
    await(bus.flush());
    assertThat(stalled.count()).isEqualTo(accepted);
    assertThat(get("/health/ready").status()).isEqualTo(200);
  }

  @Test
  void closedBus_isUnavailable() throws Exception {
    start();
    await(bus.close());
    assertThat(post("/v1/events", "application/json", "1").status()).isEqualTo(503);
    assertThat(post("/v1/events", "application/x-ndjson", "1\n2\n").status()).isEqualTo(503);
  }

  // ------------------------------------------------------------------ admin

  @Test
  void shards_areAddedAndRemoved() throws Exception {
    start();
    Answer added = post("/v1/shards", "application/json", "{\"count\":2}");
    assertThat(added.status()).isEqualTo(201);
    assertThat(added.json().getJsonArray("shards")).containsExactly(2, 3);
    assertThat(get("/v1/shards").json().getJsonArray("shards")).hasSize(4);
    assertThat(send(HttpMethod.DELETE, "/v1/shards/2", null, null).status()).isEqualTo(204);
    assertThat(send(HttpMethod.DELETE, "/v1/shards/2", null, null).status()).isEqualTo(404);
    assertThat(send(HttpMethod.DELETE, "/v1/shards/x", null, null).status()).isEqualTo(404);
    JsonObject scaling = get("/v1/stats").json().getJsonObject("scaling");
    assertThat(scaling.getInteger("removed")).isEqualTo(1);
    assertThat(scaling.getString("limitedBy")).isEqualTo("none");
    assertThat(scaling.getString("limitReason")).isEmpty();
    assertThat(scaling.getJsonArray("recent").getJsonObject(0).getString("reason")).isEmpty();
    assertThat(get("/health/live").json().getString("status")).isEqualTo("live");
    assertThat(get("/").body()).contains("Shardbus");
  }

  @Test
  void listening_isRefusedWithAReason() throws Exception {
    start();
    try (ServerSocket taken = new ServerSocket(0, 1, java.net.InetAddress.getLoopbackAddress())) {
      assertThatThrownBy(
              () ->
                  await(
                      Gateway.start(
                          vertx, bus, new GatewayOptions().setPort(taken.getLocalPort()))))
          .cause()
          .hasMessageContaining("cannot listen on 127.0.0.1:" + taken.getLocalPort());
    }
    assertThatThrownBy(
            () ->
                await(
                    Gateway.start(vertx, bus, new GatewayOptions().setPort(0).setHost("0.0.0.0"))))
        .cause()
        .hasMessageContaining("insecure");
    assertThatThrownBy(
            () ->
                await(
                    Gateway.start(
                        vertx, bus, new GatewayOptions().setHost("no.such.host.invalid"))))
        .cause()
        .hasMessageContaining("no.such.host.invalid");
  }

  @Test
  void deadLetters_areListedReplayedAndRemoved() throws Exception {
    AtomicBoolean picky = new AtomicBoolean(true);
    RecordingSink sink = new RecordingSink();
    sink.behave(
        batch ->
            picky.get()
                ? Future.failedFuture(SinkException.permanentFailure("no \"such\" event"))
                : Future.succeededFuture());
    start(new ShardBusOptions().setShards(1), sink, new GatewayOptions());
    post("/v1/events?key=k", "application/x-ndjson", "{\"n\":1}\n{\"n\":2}\n{\"n\":3}\n");
    await(bus.flush());
    JsonObject list = send(HttpMethod.GET, "/v1/dead-letters?limit=2", null, null).json();
    assertThat(list.getInteger("count")).isEqualTo(3);
    assertThat(list.getJsonArray("deadLetters")).hasSize(2);
    JsonObject first = list.getJsonArray("deadLetters").getJsonObject(0);
    assertThat(first.getString("cause")).isEqualTo("no \"such\" event");
    assertThat(first.getJsonObject("of").getJsonObject("event"))
        .isEqualTo(new JsonObject("{\"n\":1}"));
    assertThat(first.getJsonObject("of").getString("key")).isEqualTo("k");
    long id = first.getLong("id");
    JsonObject rest = send(HttpMethod.GET, "/v1/dead-letters?after=" + id, null, null).json();
    assertThat(rest.getJsonArray("deadLetters")).hasSize(2);

    assertThat(send(HttpMethod.DELETE, "/v1/dead-letters/" + id, null, null).status())
        .isEqualTo(204);
    assertThat(send(HttpMethod.DELETE, "/v1/dead-letters/" + id, null, null).status())
        .isEqualTo(404);
    for (String bad : List.of("after=x", "after=-1", "limit=0", "limit=1001")) {
      Answer refused = send(HttpMethod.GET, "/v1/dead-letters?" + bad, null, null);
      assertThat(refused.status()).as(bad).isEqualTo(400);
      assertThat(refused.json().getString("detail")).contains(bad.substring(0, 5));
    }
    for (String bad : List.of("[1]", "{\"id\":1}", "{\"ids\":\"x\"}", "{\"ids\":[\"x\"]}", "{")) {
      assertThat(post("/v1/dead-letters/replay", "application/json", bad).status())
          .as(bad)
          .isEqualTo(400);
    }
    assertThat(bus.stats().deadLettersKept()).isEqualTo(2);
    picky.set(false);
    Answer replayed = post("/v1/dead-letters/replay", "application/json", "{}");
    assertThat(replayed.json())
        .isEqualTo(new JsonObject().put("delivered", 2).put("deadLettered", 0).put("kept", 0));
    assertThat(sink.all())
        .extracting(e -> e.payload().toString())
        .contains("{\"n\":2}", "{\"n\":3}");
    assertThat(send(HttpMethod.GET, "/v1/dead-letters", null, null).json().getInteger("count"))
        .isZero();
    picky.set(true);
    post("/v1/events", "application/x-ndjson", "4\n5\n");
    await(bus.flush());
    assertThat(send(HttpMethod.DELETE, "/v1/dead-letters/", null, null).status()).isEqualTo(404);
    Buffer one = Buffer.buffer("{\"ids\":[4]}");
    assertThat(send(HttpMethod.DELETE, "/v1/dead-letters", "application/json", one).status())
        .isEqualTo(400);
    assertThat(send(HttpMethod.DELETE, "/v1/dead-letters?id=4", null, null).status())
        .isEqualTo(400);
    for (int left : new int[] {2, 0}) {
      assertThat(send(HttpMethod.DELETE, "/v1/dead-letters", null, null).json())
          .isEqualTo(new JsonObject().put("removed", left));
    }
    assertThat(bus.stats().deadLettersKept()).isZero();
  }
}
