package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.event.EventTime;
import io.shardbus.event.RawEvent;
import io.shardbus.shard.BackpressureMode;
import io.shardbus.shard.ScalingPolicy;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkException;
import io.shardbus.sink.SinkOptions;
import io.shardbus.sink.Sinks;
import io.shardbus.testing.RecordingSink;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.RequestOptions;
import io.vertx.core.http.WebSocket;
import io.vertx.core.http.WebSocketClient;
import io.vertx.core.http.WebSocketConnectOptions;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.lang.reflect.Proxy;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.awaitility.Awaitility;
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
  private WebSocketClient webSockets;

  @BeforeEach
  void setUp() {
    vertx = Vertx.vertx();
    http = vertx.createHttpClient();
    webSockets = vertx.createWebSocketClient();
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
        "/v1/shards|application/json|{\"count\":9}|409|maxShards"
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
    Promise<Void> gate = Promise.promise();
    RecordingSink stalled = new RecordingSink().behave(batch -> gate.future());
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
    gate.complete();
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

  // ------------------------------------------------------------------ WebSocket

  private record Client(WebSocket socket, BlockingQueue<JsonObject> frames) {
    /** The first frame that says that everything up to here is settled. */
    JsonObject settled(long events) throws Exception {
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
      while (System.nanoTime() < deadline) {
        JsonObject frame = frames.poll(5, TimeUnit.SECONDS);
        if (frame == null) {
          continue;
        }
        long rejected =
            frame.getJsonObject("rejected", new JsonObject()).stream()
                .mapToLong(e -> ((Number) e.getValue()).longValue())
                .sum();
        if (frame.getLong("acked", 0L) + rejected == events) {
          return frame;
        }
      }
      throw new AssertionError("not settled: " + events);
    }
  }

  private Client connect(String uri) throws Exception {
    BlockingQueue<JsonObject> frames = new LinkedBlockingQueue<>();
    WebSocket socket =
        await(
            webSockets.connect(
                new WebSocketConnectOptions()
                    .setHost("127.0.0.1")
                    .setPort(gateway.port())
                    .setURI(uri)
                    .addSubProtocol(Gateway.SUBPROTOCOL)));
    socket.textMessageHandler(text -> frames.add(new JsonObject(text)));
    return new Client(socket, frames);
  }

  @ParameterizedTest
  @CsvSource({"accepted", "delivered"})
  void webSocket_acknowledgesCumulatively(String ack) throws Exception {
    start();
    Client client = connect("/v1/ingest?ack=" + ack);
    client.socket().writeTextMessage("{\"a\":1}");
    client.socket().writeBinaryMessage(Buffer.buffer("1\n2\r\n\n3"));
    client.socket().writeTextMessage("{\n  \"pretty\": true\n}");
    client.socket().writeTextMessage("1\nbad\n3");
    JsonObject frame = client.settled(8);
    assertThat(frame.getLong("acked")).isEqualTo(7);
    assertThat(frame.getJsonObject("rejected").getInteger("invalid")).isEqualTo(1);
    assertThat(storedEvents(100)).hasSize(7);
    assertThat(client.socket().subProtocol()).isEqualTo(Gateway.SUBPROTOCOL);
  }

  @Test
  void webSocket_refusesKeysThatAreNoText() throws Exception {
    start();
    Client client = connect("/v1/ingest?ack=accepted&keyPath=k");
    client.socket().writeTextMessage("{\"k\":\"\\ud800\"}\n{\"k\":\"\\ud83d\\ude00\"}");
    JsonObject frame = client.settled(2);
    assertThat(frame.getLong("acked")).isEqualTo(1);
    assertThat(frame.getJsonObject("rejected")).isEqualTo(new JsonObject().put("invalid", 1));
    assertThat(frame.getJsonArray("errors").getJsonObject(0).getString("error"))
        .contains("half of a surrogate pair");
    assertThat(storedEvents(10).getJsonObject(0).getString("key")).isEqualTo("\uD83D\uDE00");
  }

  @Test
  void webSocket_withAckIsSlowedAndLosesNothing() throws Exception {
    Promise<Void> gate = Promise.promise();
    RecordingSink stalled = new RecordingSink().behave(batch -> gate.future());
    ShardBusOptions options = new ShardBusOptions().setShards(1).setRingCapacity(1024);
    options.getBatch().setMinSize(1).setMaxSize(10);
    start(options, stalled, new GatewayOptions());
    Client client = connect("/v1/ingest?ack=delivered");
    int total = 20_000;
    for (int i = 0; i < total; i++) {
      client.socket().writeTextMessage(Integer.toString(i));
    }
    Awaitility.await().until(() -> bus.shards().totalPendingInRings() == 1024);
    assertThat(client.frames()).isEmpty();
    gate.complete();
    assertThat(client.settled(total).getLong("acked")).isEqualTo(total);
    assertThat(stalled.ofShard(0)).hasSize(total);
    for (int i = 0; i < total; i++) {
      assertThat(stalled.ofShard(0).get(i).payload().toString()).isEqualTo(Integer.toString(i));
    }
    assertThat(bus.stats().total().backpressure()).isZero();
    assertThat(stalled.faults()).isEmpty();
  }

  /** {@code acked + rejected} is about the first events, without a gap. */
  @Test
  void webSocket_tellsOfRefusalsInTheOrderOfTheEvents() throws Exception {
    Promise<Void> gate = Promise.promise();
    RecordingSink stalled = new RecordingSink().behave(batch -> gate.future());
    ShardBusOptions options = new ShardBusOptions().setShards(1).setRingCapacity(1024);
    options.setMaxEventBytes(100);
    start(options, stalled, new GatewayOptions());
    Client client = connect("/v1/ingest?ack=delivered");
    Client other = connect("/v1/ingest?ack=delivered");
    client.socket().writeTextMessage("1\nbad");
    for (int i = 0; i < 1_000; i++) {
      client.socket().writeTextMessage("bad");
    }
    client.socket().writeTextMessage("\"" + "x".repeat(200) + "\"");
    client.socket().writeTextMessage("2");
    Awaitility.await().until(() -> bus.stats().total().accepted() == 2);
    other.socket().writeTextMessage("bad");
    assertThat(other.settled(1).getJsonObject("rejected").getInteger("invalid")).isEqualTo(1);
    assertThat(client.frames()).isEmpty();
    gate.complete();
    JsonObject last = client.settled(1_004);
    assertThat(last.getLong("acked")).isEqualTo(2);
    assertThat(last.getJsonObject("rejected"))
        .isEqualTo(new JsonObject().put("invalid", 1_001).put("too_large", 1));
  }

  @Test
  void webSocket_withoutAckIsAnsweredByTheMode() throws Exception {
    Promise<Void> gate = Promise.promise();
    RecordingSink stalled = new RecordingSink().behave(batch -> gate.future());
    ShardBusOptions options = new ShardBusOptions().setShards(1).setRingCapacity(1024);
    options.getBatch().setMinSize(1).setMaxSize(10);
    start(options, stalled, new GatewayOptions());
    Client client = connect("/v1/ingest");
    for (int i = 0; i < 5_000; i++) {
      client.socket().writeTextMessage(Integer.toString(i));
    }
    Awaitility.await().until(() -> bus.stats().offered() == 5_000);
    long accepted = bus.stats().total().accepted();
    assertThat(client.frames().poll(10, TimeUnit.SECONDS).getJsonObject("rejected")).isNotNull();
    gate.complete();
    await(bus.flush());
    assertThat(stalled.count()).isEqualTo(accepted).isLessThan(2_000);
  }

  @Test
  void webSocket_badConnectionsAreRefused() throws Exception {
    start();
    for (String uri :
        List.of(
            "/v1/other",
            "/v1/ingest?ack=maybe",
            "/v1/ingest?ack=&key=a&keyPath=b",
            "/v1/ingest?key=%ED%A0%80")) {
      assertThatThrownBy(() -> connect(uri))
          .as(uri)
          .cause()
          .isInstanceOf(io.vertx.core.http.UpgradeRejectedException.class);
    }
    for (String uri : List.of("/v1/ingest", "/v1/ingest/", "/v1//ingest", "/v1/x/../%69ngest/")) {
      assertThatThrownBy(
              () ->
                  await(
                      webSockets.connect(
                          new WebSocketConnectOptions()
                              .setHost("127.0.0.1")
                              .setPort(gateway.port())
                              .setURI(uri)
                              .addHeader("Origin", "http://evil.example"))))
          .as(uri)
          .cause()
          .hasMessageContaining("403");
    }
    Client client = connect("/v1/ingest?ack=accepted");
    Promise<Void> closed = Promise.promise();
    client.socket().closeHandler(closed::complete);
    client
        .socket()
        .writeFrame(
            io.vertx.core.http.WebSocketFrame.binaryFrame(Buffer.buffer(new byte[2 << 20]), true));
    await(closed.future());
    assertThat(post("/v1/events", "application/json", "1").status()).isEqualTo(202);
  }

  @Test
  void close_saysGoodbye() throws Exception {
    start();
    Client client = connect("/v1/ingest");
    Promise<Void> closed = Promise.promise();
    client.socket().closeHandler(closed::complete);
    await(gateway.close());
    await(closed.future());
    assertThat(client.socket().closeStatusCode()).isEqualTo((short) 1001);
  }

  @Test
  void close_waitsForWhatIsToBeAcknowledged() throws Exception {
    Promise<Void> gate = Promise.promise();
    RecordingSink slow = new RecordingSink().behave(batch -> gate.future());
    start(new ShardBusOptions().setShards(1), slow, new GatewayOptions());
    Client client = connect("/v1/ingest?ack=delivered");
    Promise<Void> closed = Promise.promise();
    client.socket().closeHandler(closed::complete);
    client.socket().writeTextMessage("1\n2\nbad");
    Awaitility.await().until(() -> bus.stats().total().accepted() == 2);
    Future<Void> stopped;
    try (Socket idle = new Socket(InetAddress.getLoopbackAddress(), gateway.port())) {
      idle.setSoTimeout(30_000);
      Awaitility.await().until(() -> gateway.connections() == 2);
      stopped = gateway.close();
      // By the time it is closed, every connection knows.
      assertThat(idle.getInputStream().read()).isEqualTo(-1);
    }
    // Too late to be taken, so never acknowledged.
    client.socket().writeTextMessage("3");
    assertThat(client.socket().isClosed()).isFalse();
    gate.complete();
    assertThatThrownBy(() -> connect("/v1/ingest")).isNotNull();
    assertThat(client.settled(3).getLong("acked")).isEqualTo(2);
    await(closed.future());
    assertThat(client.socket().closeStatusCode()).isEqualTo((short) 1001);
    await(stopped);
  }

  // ------------------------------------------------------------------ reading

  @Test
  void pages_areWalkedByCursor() throws Exception {
    start();
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < 1_000; i++) {
      lines.append(i).append('\n');
    }
    post("/v1/events?ack=delivered", "application/x-ndjson", lines.toString());
    List<String> seen = new ArrayList<>();
    String cursor = "";
    JsonObject page;
    do {
      page = get("/v1/events?limit=77" + cursor).json();
      page.getJsonArray("events")
          .forEach(e -> seen.add(((JsonObject) e).getValue("event").toString()));
      cursor = "&cursor=" + page.getString("cursor");
    } while (page.getBoolean("more"));
    assertThat(seen).hasSize(1_000).doesNotHaveDuplicates();
    for (String bad : List.of("limit=0", "limit=x", "limit=10001", "cursor=zzz", "order=up")) {
      assertThat(get("/v1/events?" + bad).status()).as(bad).isEqualTo(400);
    }
  }

  @Test
  void payloads_thatAreNotJsonAreTextOrBase64() throws Exception {
    start();
    bus.ingest(RawEvent.of("plain é"));
    bus.ingest(RawEvent.of(new byte[] {(byte) 0xFF, 0}));
    JsonArray events = storedEvents(10);
    assertThat(events.getJsonObject(0).getString("text")).isEqualTo("plain é");
    assertThat(events.getJsonObject(1).getString("base64")).isEqualTo("/wA=");
  }

  @Test
  void sinkThatCannotBeRead_isNotImplemented() throws Exception {
    start(new ShardBusOptions().setShards(1), new RecordingSink(), new GatewayOptions());
    assertThat(get("/v1/events").status()).isEqualTo(501);
    assertThat(get("/v1/tail").status()).isEqualTo(501);
  }

  private Future<HttpClientResponse> openTail(String uri) {
    return http.request(
            new RequestOptions().setPort(gateway.port()).setHost("127.0.0.1").setURI(uri))
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
    start();
    String before = get("/v1/events").json().getString("cursor");
    List<String> seen = new java.util.concurrent.CopyOnWriteArrayList<>();
    StringBuilder all = new StringBuilder();
    for (int i = 0; i < 300; i++) {
      post("/v1/events", "application/json", Integer.toString(i));
      if (i == 100) {
        HttpClientResponse tail = await(openTail("/v1/tail?cursor=" + before));
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
    assertThat(await(openTail("/v1/tail?cursor=zzz")).statusCode()).isEqualTo(400);
  }

  /** A tail to which nothing comes is not idle. */
  @Test
  void tail_outlivesTheIdleTimeout() throws Exception {
    start(
        new ShardBusOptions().setShards(1),
        Sinks.create(new SinkOptions("memory")),
        TestGateway.idleAfter(2));
    HttpClientResponse tail = await(openTail("/v1/tail"));
    AtomicBoolean ended = new AtomicBoolean();
    tail.request().connection().closeHandler(closed -> ended.set(true));
    tail.resume();
    Awaitility.await().during(Duration.ofSeconds(4)).until(() -> !ended.get());
  }

  @Test
  void tail_keepsEventsThatSpanLines() throws Exception {
    start();
    Promise<String> got = Promise.promise();
    HttpClientResponse tail = await(openTail("/v1/tail"));
    Buffer all = Buffer.buffer();
    tail.handler(
        chunk -> {
          all.appendBuffer(chunk);
          if (all.toString().contains("}}\n\n")) {
            got.tryComplete(all.toString());
          }
        });
    tail.resume();
    post("/v1/events", "application/json", "{\n\"a\":1}");
    assertThat(await(got.future())).contains("\"event\":{\ndata: \"a\":1}}\n\n").contains("id: ");
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

  private static String encoded(String filter) {
    return URLEncoder.encode(filter, StandardCharsets.UTF_8);
  }

  @Test
  void filter_choosesWhatIsRead() throws Exception {
    start();
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < 100; i++) {
      lines.append("{\"n\":").append(i).append(",\"even\":").append(i % 2 == 0).append("}\n");
    }
    post("/v1/events?ack=delivered", "application/x-ndjson", lines.toString());
    String filter = encoded("@.n >= 90 && !(@.even == true)");
    JsonObject page =
        send(HttpMethod.GET, "/v1/events?order=timestamp&filter=" + filter, null, null).json();
    assertThat(page.getJsonArray("events"))
        .extracting(e -> ((JsonObject) e).getJsonObject("event").getInteger("n"))
        .containsExactlyInAnyOrder(91, 93, 95, 97, 99);
    // What no double can hold, and lists of lists, are data like any other.
    post("/v1/events?ack=delivered&key=k", "application/x-ndjson", "{\"n\":1e400}\n{\"n\":[2]}");
    for (String one :
        List.of("@.n > 99", "@.n in [[1],[2]]", "$key == 'k' && $time > '2020' && @.n == [2.0]")) {
      Answer answer = send(HttpMethod.GET, "/v1/events?filter=" + encoded(one), null, null);
      assertThat(answer.status()).isEqualTo(200);
      assertThat(answer.json().getJsonArray("events")).as(one).hasSize(1);
    }
    for (String path : List.of("/v1/events", "/v1/tail")) {
      Answer bad = send(HttpMethod.GET, path + "?filter=" + encoded("@.n =="), null, null);
      assertThat(bad.status()).isEqualTo(400);
      assertThat(bad.json().getString("detail"))
          .contains("filter: at the end: a value is expected; allowed are");
    }
  }
}
