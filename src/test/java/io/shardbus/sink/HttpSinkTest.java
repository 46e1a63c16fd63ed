package io.shardbus.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.catchThrowable;

import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.event.Batch;
import io.shardbus.event.Headers;
import io.shardbus.event.ProducerId;
import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.shardbus.testing.Certificates;
import io.shardbus.testing.Ports;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.VertxOptions;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.dns.AddressResolverOptions;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.http.HttpServerRequest;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.core.net.PfxOptions;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HttpSinkTest {

  /** Writes each request into a file, as a JSON line, and answers 204. */
  private static final String PYTHON =
      """
      import http.server, json, sys
      class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = 'HTTP/1.1'
        def do_POST(self):
          body = self.rfile.read(int(self.headers['Content-Length']))
          with open(sys.argv[2], 'a') as out:
            out.write(json.dumps({'path': self.path, 'body': body.decode(),
                'type': self.headers['Content-Type']}) + '\\n')
          self.send_response(204)
          self.end_headers()
      http.server.ThreadingHTTPServer(('127.0.0.1', int(sys.argv[1])), Handler).serve_forever()
      """;

  private record Request(String path, Map<String, String> headers, String body) {}

  private final List<Request> requests = new CopyOnWriteArrayList<>();
  private volatile Consumer<HttpServerRequest> answers = request -> request.response().end();

  @TempDir private Path dir;
  private Vertx vertx;
  private Sink sink;
  private int port;

  @BeforeEach
  void setUp() throws Exception {
    vertx =
        Vertx.vertx(
            new VertxOptions()
                .setAddressResolverOptions(
                    new AddressResolverOptions()
                        .setHostsValue(Buffer.buffer("127.0.0.1 some_host\n127.0.0.1 localhost"))));
    port = serve(new HttpServerOptions());
  }

  private int serve(HttpServerOptions options) throws Exception {
    return await(
            vertx
                .createHttpServer(options)
                .requestHandler(
                    request ->
                        request
                            .body()
                            .onSuccess(
                                body -> {
                                  Map<String, String> headers = new java.util.TreeMap<>();
                                  request
                                      .headers()
                                      .forEach(
                                          h ->
                                              headers.put(
                                                  h.getKey().toLowerCase(Locale.ROOT),
                                                  h.getValue()));
                                  requests.add(
                                      new Request(request.uri(), headers, body.toString()));
                                  answers.accept(request);
                                }))
                .listen(0, "127.0.0.1"))
        .actualPort();
  }

  @AfterEach
  void tearDown() throws Exception {
    if (sink != null) {
      await(sink.close());
    }
    await(vertx.close());
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private JsonObject config() {
    return new JsonObject().put("url", "http://127.0.0.1:" + port + "/in?a=b");
  }

  private void open(JsonObject config) throws Exception {
    sink = Sinks.create(new SinkOptions("http").setConfig(config));
    await(sink.open(new SinkContext(vertx, new ProducerId("p", 1), null)));
  }

  private static Batch batch(String... payloads) {
    List<ShardEvent> events = new ArrayList<>();
    for (int i = 0; i < payloads.length; i++) {
      events.add(new ShardEvent(3, 10 + i, 1_000 + i, Buffer.buffer(payloads[i]), "k"));
    }
    return new Batch(3, 10, events, new ProducerId("p", 1));
  }

  private SinkException failure(Batch batch) {
    Throwable failure = catchThrowable(() -> await(sink.write(batch)));
    assertThat(failure).isInstanceOf(ExecutionException.class);
    return (SinkException) failure.getCause();
  }

  private void answer(int status) {
    answers = request -> request.response().setStatusCode(status).end("because");
  }

  @Test
  void lines_areEventsOnALineEach() throws Exception {
    open(config().put("token", "t0ken").put("headers", new JsonObject().put("X-Api-Key", "k3y")));
    await(sink.write(batch("{\"a\":1}", "{\n \"b\":\r\n2}", "3")));
    Request request = requests.get(0);
    assertThat(request.path()).isEqualTo("/in?a=b");
    assertThat(request.body()).isEqualTo("{\"a\":1}\n{  \"b\":  2}\n3\n");
    assertThat(request.headers())
        .containsEntry("content-type", "application/x-ndjson")
        .containsEntry("authorization", "Bearer t0ken")
        .containsEntry("x-api-key", "k3y")
        .containsEntry("idempotency-key", "p:1:3:10-12");
  }

  @Test
  void array_isOneJsonArray() throws Exception {
    open(config().put("body", "array").put("user", "u").put("password", "p"));
    await(sink.write(batch("{\"a\":\n1}", "3")));
    assertThat(new JsonArray(requests.get(0).body()))
        .isEqualTo(new JsonArray().add(new JsonObject().put("a", 1)).add(3));
    assertThat(requests.get(0).headers())
        .containsEntry("content-type", "application/json")
        .containsEntry("authorization", "Basic dTpw");
  }

  @Test
  void arrayOfEnvelopes_hasWhatBelongsToTheEvents() throws Exception {
    open(config().put("body", "array").put("envelope", true));
    await(sink.write(batch("no json", "3")));
    JsonObject first = new JsonArray(requests.get(0).body()).getJsonObject(0);
    assertThat(first.getString("text")).isEqualTo("no json");
    assertThat(first.getString("key")).isEqualTo("k");
    assertThat(first.getLong("sequence")).isEqualTo(10);
  }

  @Test
  void single_hasAttributesInHeaders() throws Exception {
    open(config().put("body", "single"));
    ShardEvent event =
        new ShardEvent(
            3,
            7,
            0,
            Buffer.buffer("bytes"),
            "é",
            "id 1",
            Headers.of(Map.of("traceparent", "00-1", "host", "evil", "ce-type", "t")));
    await(sink.write(new Batch(3, 7, List.of(event), new ProducerId("p", 1))));
    assertThat(requests.get(0).body()).isEqualTo("bytes");
    assertThat(requests.get(0).headers())
        .containsEntry("content-type", "application/octet-stream")
        .containsEntry("idempotency-key", "id%201")
        .containsEntry("shardbus-key", "%C3%A9")
        .containsEntry("shardbus-shard", "3")
        .containsEntry("shardbus-sequence", "7")
        .containsEntry("shardbus-header-host", "evil")
        .containsEntry("traceparent", "00-1")
        .containsEntry("ce-type", "t")
        .containsEntry("host", "127.0.0.1:" + port);
  }

  @Test
  void eventsThatAreNoJson_failAloneForGood() throws Exception {
    open(config());
    SinkException failure = failure(batch("1", "no json", "3", ""));
    assertThat(failure.isForGood()).isTrue();
    assertThat(failure.failed().stream()).containsExactly(1, 3);
    assertThat(failure).hasMessageContaining("envelope");
    assertThat(requests.get(0).body()).isEqualTo("1\n3\n");
    assertThat(failure(batch("no json")).kind()).isEqualTo(SinkException.Kind.PERMANENT);
    assertThat(requests).hasSize(1);
  }

  @ParameterizedTest
  @ValueSource(ints = {302, 401, 403, 407, 408, 425, 429, 500, 501, 503, 599})
  void statusThatMayPass_isTriedAgain(int status) throws Exception {
    open(config());
    answer(status);
    SinkException failure = failure(batch("1"));
    assertThat(failure.kind()).isEqualTo(SinkException.Kind.TRANSIENT);
    assertThat(failure)
        .hasMessage("http at 127.0.0.1:" + port + ": it answered " + status + ": because");
    answer(200);
    await(sink.write(batch("1")));
  }

  @ParameterizedTest
  @ValueSource(ints = {400, 404, 409, 413, 422})
  void otherClientErrors_areForGood(int status) throws Exception {
    open(config());
    answer(status);
    assertThat(failure(batch("1")).kind()).isEqualTo(SinkException.Kind.PERMANENT);
  }

  @Test
  void singleRefusals_blameOnlyTheirEvents() throws Exception {
    open(config().put("body", "single"));
    answers =
        request ->
            request
                .response()
                .setStatusCode(requests.get(requests.size() - 1).body().equals("bad") ? 400 : 200)
                .end();
    SinkException refused = failure(batch("1", "bad", "3"));
    assertThat(refused.isForGood()).isTrue();
    assertThat(refused.failed().stream()).containsExactly(1);
    assertThat(requests).hasSize(3);
    answers =
        request ->
            request
                .response()
                .setStatusCode(requests.get(requests.size() - 1).body().equals("3") ? 503 : 200)
                .end();
    SinkException later = failure(batch("1", "2", "3", "4"));
    assertThat(later.isForGood()).isFalse();
    assertThat(later.failed().stream()).containsExactly(2, 3);
  }

  @Test
  void retryAfter_isRespected() throws Exception {
    open(config());
    answers = request -> request.response().setStatusCode(429).putHeader("Retry-After", "1").end();
    assertThat(failure(batch("1")).kind()).isEqualTo(SinkException.Kind.TRANSIENT);
    answer(200);
    long begin = System.nanoTime();
    await(sink.write(batch("1")));
    // The server's wish is a lower bound; the machine may take longer.
    assertThat(System.nanoTime() - begin).isGreaterThan(Duration.ofMillis(900).toNanos());
    assertThat(requests).hasSize(2);
  }

  /** The later of two times counts, whichever answer comes last. */
  @Test
  void shorterRetryAfter_doesNotEndALongerOne() throws Exception {
    open(config().put("timeout", "2s"));
    List<HttpServerRequest> open = new CopyOnWriteArrayList<>();
    answers = open::add;
    Future<Void> first = sink.write(batch("1"));
    Future<Void> second = sink.write(batch("2"));
    Awaitility.await().until(() -> open.size() == 2);
    for (String seconds : List.of("100", "1")) {
      open.remove(0).response().setStatusCode(503).putHeader("Retry-After", seconds).end();
      Awaitility.await().until(() -> first.failed() || second.failed());
    }
    Awaitility.await().until(() -> first.failed() && second.failed());
    answer(200);
    assertThat(failure(batch("3"))).hasMessageContaining("Retry-After");
    assertThat(requests).hasSize(2);
  }

  @Test
  void retryAfterThatIsTooFar_failsWithoutARequest() throws Exception {
    open(config().put("timeout", "100ms"));
    String date =
        DateTimeFormatter.RFC_1123_DATE_TIME.format(
            Instant.now().plusSeconds(3_000).atOffset(ZoneOffset.UTC));
    answers = request -> request.response().setStatusCode(503).putHeader("Retry-After", date).end();
    failure(batch("1"));
    SinkException failure = failure(batch("1"));
    assertThat(failure.kind()).isEqualTo(SinkException.Kind.TRANSIENT);
    assertThat(failure).hasMessageContaining("Retry-After");
    assertThat(requests).hasSize(1);
  }

  @Test
  void silentServer_failsInTime() throws Exception {
    open(config().put("timeout", "200ms"));
    answers = request -> {};
    SinkException failure = failure(batch("1"));
    assertThat(failure.kind()).isEqualTo(SinkException.Kind.TRANSIENT);
    assertThat(failure).hasMessageContaining("127.0.0.1:" + port);
    answer(200);
    await(sink.write(batch("1")));
  }

  /** An answer that never ends must not keep its connection. */
  @Test
  void answerThatDoesNotEnd_isLeft() throws Exception {
    open(config().put("timeout", "300ms").put("connections", 1));
    answers =
        request -> {
          request.response().setChunked(true);
          vertx.setPeriodic(20, timer -> request.response().write("x"));
        };
    assertThat(failure(batch("1")).kind()).isEqualTo(SinkException.Kind.TRANSIENT);
    answer(200);
    await(sink.write(batch("1")));
  }

  @Test
  void deadServer_failsForAWhile() throws Exception {
    open(new JsonObject().put("url", "http://127.0.0.1:" + Ports.free()));
    assertThat(failure(batch("1")).kind()).isEqualTo(SinkException.Kind.TRANSIENT);
  }

  @Test
  void hostWithUnderscore_isFound() throws Exception {
    open(new JsonObject().put("url", "http://some_host:" + port + "/x"));
    await(sink.write(batch("1")));
    assertThat(requests.get(0).headers()).containsEntry("host", "some_host:" + port);
  }

  @Test
  void tls_trustsWhatTheStoreTrusts() throws Exception {
    Certificates certificates = Certificates.make(dir, "localhost");
    int secure =
        serve(
            new HttpServerOptions()
                .setSsl(true)
                .setKeyCertOptions(
                    new PfxOptions().setPath(certificates.store()).setPassword("changeit"))
                .setTrustOptions(
                    new PfxOptions().setPath(certificates.store()).setPassword("changeit"))
                .setClientAuth(io.vertx.core.http.ClientAuth.REQUEST));
    JsonObject config = new JsonObject().put("url", "https://localhost:" + secure);
    open(config);
    assertThat(failure(batch("1")).kind()).isEqualTo(SinkException.Kind.TRANSIENT);
    await(sink.close());
    for (JsonObject tls :
        List.of(
            new JsonObject().put("trustStore", certificates.pem()),
            new JsonObject()
                .put("trustStore", certificates.store())
                .put("trustStorePassword", "changeit"),
            new JsonObject()
                .put("trustStore", certificates.pem())
                .put("keyStore", certificates.store())
                .put("keyStorePassword", "changeit"))) {
      open(config.copy().put("tls", tls));
      await(sink.write(batch("1")));
      await(sink.close());
    }
    assertThat(requests).hasSize(3);
    assertThat(
            catchThrowable(
                () ->
                    open(
                        config
                            .copy()
                            .put(
                                "tls",
                                new JsonObject()
                                    .put("trustStore", certificates.store())
                                    .put("trustStorePassword", "wr0ng")))))
        .hasMessageNotContaining("wr0ng")
        .isInstanceOf(ExecutionException.class);
  }

  @Test
  void badOptions_areNamed() {
    for (var bad :
        Map.of(
                "{}", "url: is required",
                "{\"url\":\"ftp://x\"}", "url: must be like",
                "{\"url\":\"http://u:p@x\"}", "url: must be like",
                "{\"url\":\"http://x\",\"token\":\"a\",\"user\":\"b\"}", "token: not allowed",
                "{\"url\":\"http://x\",\"body\":\"xml\"}", "[ndjson, array, single]",
                "{\"url\":\"http://x\",\"headers\":{\"Host\":\"a\"}}", "\"Host\"",
                "{\"url\":\"http://x\",\"headers\":{\"A\":\"a\\nb\"}}", "headers: A must be",
                "{\"url\":\"http://x\",\"tls\":{\"trustStore\":\"/no\"}}",
                    "tls.trustStore: the file /no cannot be read")
            .entrySet()) {
      assertThatIllegalArgumentException()
          .as(bad.getKey())
          .isThrownBy(
              () -> Sinks.create(new SinkOptions("http").setConfig(new JsonObject(bad.getKey()))))
          .withMessageContaining(bad.getValue());
    }
  }

  @Test
  @Tag("backend")
  void pythonServer_getsAllEventsInOrder() throws Exception {
    int other = Ports.free();
    Path received = dir.resolve("received");
    ServerProcess python =
        new ServerProcess(
            other, dir, "python3", "-c", PYTHON, Integer.toString(other), received.toString());
    python.start();
    try {
      ShardBus bus =
          await(
              ShardBus.start(
                  vertx,
                  new ShardBusOptions()
                      .setShards(1)
                      .setSink(
                          new SinkOptions("http")
                              .setConfig(
                                  new JsonObject().put("url", "http://127.0.0.1:" + other)))));
      for (int i = 0; i < 5_000; i++) {
        bus.ingest(RawEvent.of("" + i));
      }
      await(bus.close());
      List<String> events =
          Files.readAllLines(received).stream()
              .map(JsonObject::new)
              .flatMap(request -> request.getString("body").lines())
              .toList();
      assertThat(events).isEqualTo(IntStream.range(0, 5_000).mapToObj(Integer::toString).toList());
    } finally {
      python.kill();
    }
  }
}
