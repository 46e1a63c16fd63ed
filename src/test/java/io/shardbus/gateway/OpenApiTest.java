package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.ShardBusOptions;
import io.shardbus.event.Intercepted;
import io.shardbus.gateway.TestGateway.Answer;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.shard.ScalingPolicy;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkException;
import io.shardbus.sink.SinkOptions;
import io.shardbus.sink.Sinks;
import io.shardbus.testing.Program;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.Json;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.web.Route;
import io.vertx.json.schema.Draft;
import io.vertx.json.schema.JsonSchema;
import io.vertx.json.schema.JsonSchemaOptions;
import io.vertx.json.schema.OutputFormat;
import io.vertx.json.schema.OutputUnit;
import io.vertx.json.schema.Validator;
import java.net.InetAddress;
import java.net.Socket;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Holds the description against a server that runs: neither may say what the other does not. */
@Tag("once")
class OpenApiTest {

  private static final String JSON = "application/json";
  private static final String NDJSON = "application/x-ndjson";
  private static final String ENVELOPES = "application/vnd.shardbus.events+ndjson";
  private static final String BATCH = "application/cloudevents-batch+json";
  private static final String[] ALL = {"Authorization", "Bearer all"};

  /** They take a replay that does not end by itself, and clients that are slow. */
  private static final Set<String> NOT_DRIVEN =
      Set.of(
          "POST /v1/dead-letters/replay 409",
          "POST /v1/dead-letters/replay 408",
          "DELETE /v1/dead-letters 408",
          "POST /v1/shards 408",
          "PATCH /v1/limits 408",
          "PATCH /v1/policy 408",
          "PATCH /v1/log-level 408",
          "POST /v1/events 408");

  @TempDir Path dir;
  private JsonObject description;
  private TestGateway server;
  private final List<TestGateway> servers = new ArrayList<>();
  private final Set<String> answered = new TreeSet<>();

  @BeforeEach
  void setUp() throws Exception {
    start(Sinks.create(new SinkOptions("memory")), new GatewayOptions());
    description = server.get("/openapi.json").json();
  }

  @AfterEach
  void tearDown() throws Exception {
    for (TestGateway each : servers) {
      each.close();
    }
  }

  private void start(Sink sink, GatewayOptions options) throws Exception {
    Path tokens =
        Files.writeString(dir.resolve("tokens"), "ingest,read,admin all\nread r\ningest i\n");
    server =
        new TestGateway(
            new ShardBusOptions()
                .setShards(1)
                .setMaxEventBytes(1_000)
                .setScaling(ScalingPolicy.defaults(3).setAutoScale(false)),
            sink,
            options.setTokensFile(tokens.toString()),
            new HttpClientOptions());
    servers.add(server);
  }

  // ------------------------------------------------------------------ the description

  private List<String> operations() {
    return description.getJsonObject("paths").stream()
        .flatMap(
            path ->
                ((JsonObject) path.getValue())
                    .fieldNames().stream()
                        .map(
                            method ->
                                method.toUpperCase(java.util.Locale.ROOT) + " " + path.getKey()))
        .toList();
  }

  private JsonObject operation(String operation) {
    String[] parts = operation.split(" ", -1);
    return description
        .getJsonObject("paths")
        .getJsonObject(parts[1])
        .getJsonObject(parts[0].toLowerCase(java.util.Locale.ROOT));
  }

  @Test
  void everyRoute_isDescribed() {
    Set<String> routes =
        server.gateway.routes().stream()
            .filter(route -> route.getPath() != null && route.methods() != null)
            .filter(route -> !route.getPath().startsWith("/console"))
            .map(OpenApiTest::name)
            .collect(Collectors.toCollection(TreeSet::new));
    assertThat(routes).isNotEmpty().isEqualTo(new TreeSet<>(operations()));
  }

  private static String name(Route route) {
    HttpMethod method =
        route.methods().stream()
            .filter(each -> !each.equals(HttpMethod.HEAD))
            .findFirst()
            .orElseThrow();
    return method + " " + route.getPath().replaceAll(":([a-zA-Z]+)", "{$1}");
  }

  @Test
  void operations_haveNamesTextsAndRoles() {
    Set<String> ids = new TreeSet<>();
    for (String name : operations()) {
      JsonObject operation = operation(name);
      assertThat(ids.add(operation.getString("operationId"))).as(name).isTrue();
      assertThat(operation.getString("summary")).as(name).endsWith(".");
      assertThat(operation.getJsonArray("security")).as(name).isNotNull();
      for (var status : operation.getJsonObject("responses")) {
        assertThat(((JsonObject) status.getValue()).getString("description")).isNotBlank();
      }
    }
  }

  // ------------------------------------------------------------------ its answers

  private Answer drive(
      String operation, String uri, int status, String type, String body, String... headers)
      throws Exception {
    Map<String, String> all = new java.util.HashMap<>(TestGateway.map(headers));
    if (type != null) {
      all.put("Content-Type", type);
    }
    String method = operation.split(" ", -1)[0];
    Answer answer =
        server.send(
            HttpMethod.valueOf(method), uri, all, body == null ? null : Buffer.buffer(body));
    assertThat(answer.status()).as("%s %s: %s", method, uri, answer.body()).isEqualTo(status);
    check(operation, answer);
    return answer;
  }

  private void check(String operation, Answer answer) {
    String what = operation + " " + answer.status();
    answered.add(what);
    JsonObject responses = operation(operation).getJsonObject("responses");
    JsonObject response = responses.getJsonObject(Integer.toString(answer.status()));
    assertThat(response).as(what).isNotNull();
    JsonObject content = response.getJsonObject("content");
    if (content == null) {
      assertThat(answer.body()).as(what).isEmpty();
      return;
    }
    assertThat(answer.body()).as("%s, %s", what, answer.headers()).isNotEmpty();
    String type = answer.header("Content-Type").split(";", -1)[0];
    assertThat(content.fieldNames()).as(what).contains(type);
    if (type.endsWith("/json") || type.endsWith("+json")) {
      assertValid(what, content.getJsonObject(type).getJsonObject("schema"), answer.body());
    }
  }

  private void assertValid(String what, JsonObject schema, String body) {
    JsonObject whole = schema.copy().put("components", description.getJsonObject("components"));
    OutputUnit result =
        Validator.create(
                JsonSchema.of(whole),
                new JsonSchemaOptions()
                    .setBaseUri("https://shardbus.example/")
                    .setDraft(Draft.DRAFT202012)
                    .setOutputFormat(OutputFormat.Basic))
            .validate(Json.decodeValue(body));
    assertThat(result.getValid()).as("%s: %s: %s", what, body, result.getErrors()).isTrue();
  }

  @Test
  void everyAnswer_isGivenAsDescribed() throws Exception {
    good();
    bad();
    withoutRights();
    limited();
    refusingSink();
    closedBus();
    stalledSink();
    fixed();
    crowded();
    Set<String> described = new TreeSet<>();
    for (String operation : operations()) {
      for (String status : operation(operation).getJsonObject("responses").fieldNames()) {
        described.add(operation + " " + status);
      }
    }
    described.removeAll(NOT_DRIVEN);
    assertThat(answered).isEqualTo(described);
  }

  private void good() throws Exception {
    drive("GET /", "/", 200, null, null);
    drive("GET /openapi.json", "/openapi.json", 200, null, null);
    drive("GET /health/live", "/health/live", 200, null, null);
    drive("GET /health/ready", "/health/ready", 200, null, null);
    drive("POST /v1/events", "/v1/events?key=k", 202, JSON, "{\"user\":{\"id\":1}}", ALL);
    drive("POST /v1/events", "/v1/events?ack=delivered", 202, NDJSON, "1\nbad\n2", ALL);
    TestGateway.await(server.bus.ingestAwait(io.shardbus.event.RawEvent.of("text")));
    TestGateway.await(
        server.bus.ingestAwait(io.shardbus.event.RawEvent.of(new byte[] {(byte) 0xff})));
    TestGateway.await(server.bus.flush());
    Answer page =
        drive("GET /v1/events", "/v1/events?limit=9&order=timestamp", 200, null, null, ALL);
    assertThat(page.json().getJsonArray("events")).hasSize(5);
    readBySeveralForms();
    tail("/v1/tail?from=start");
    for (String path : List.of("/v1/limits", "/v1/policy", "/v1/log-level")) {
      String inForce = drive("GET " + path, path, 200, null, null, ALL).body();
      assertThat(drive("PATCH " + path, path, 200, JSON, inForce, ALL).body()).isEqualTo(inForce);
    }
    drive("GET /v1/stats", "/v1/stats", 200, null, null, ALL);
    drive("GET /v1/history", "/v1/history", 200, null, null, ALL);
    drive("GET /v1/history", "/v1/history?shard=0", 200, null, null, ALL);
    drive("GET /v1/history", "/v1/history?shard=99", 404, null, null, ALL);
    drive("GET /v1/cluster", "/v1/cluster", 200, null, null, ALL);
    drive("GET /metrics", "/metrics", 200, null, null, ALL);
    drive("GET /v1/shards", "/v1/shards", 200, null, null, ALL);
    drive("POST /v1/shards", "/v1/shards", 201, JSON, "{\"count\":2}", ALL);
    drive("DELETE /v1/shards/{id}", "/v1/shards/1", 204, null, null, ALL);
    drive("DELETE /v1/shards/{id}", "/v1/shards/2?wait=false", 202, null, null, ALL);
    drive("GET /v1/stats", "/v1/stats", 200, null, null, ALL);
    TestGateway.await(server.connect("/v1/ingest", List.of(Gateway.SUBPROTOCOL), ALL).close());
    answered.add("GET /v1/ingest 101");
  }

  private void readBySeveralForms() throws Exception {
    String events = "/v1/events?limit=9";
    String[] envelopes = {ALL[0], ALL[1], "Accept", ENVELOPES};
    String lines = drive("GET /v1/events", events, 200, null, null, envelopes).body();
    JsonObject line = description.getJsonObject("components").getJsonObject("schemas");
    for (String each : lines.lines().toList()) {
      assertValid("line", line.getJsonObject("Envelope"), each);
    }
    assertThat(drive("POST /v1/events", "/v1/events", 202, ENVELOPES, lines, ALL).json())
        .isEqualTo(new JsonObject().put("accepted", 5).put("rejected", 0));
    String[] batch = {ALL[0], ALL[1], "Accept", BATCH};
    String cloudEvents = drive("GET /v1/events", events, 200, null, null, batch).body();
    drive("POST /v1/events", "/v1/events", 202, BATCH, cloudEvents, ALL);
    String again = cloudEvents.replaceFirst("\\{", "{},{");
    Answer answer = drive("POST /v1/events", "/v1/events", 202, BATCH, again, ALL);
    assertThat(answer.json().getInteger("duplicates")).isPositive();
    String one = new JsonArray(cloudEvents).getJsonObject(0).encode();
    Answer repeat =
        drive("POST /v1/events", "/v1/events", 202, "application/cloudevents+json", one, ALL);
    assertThat(repeat.json().getBoolean("duplicate")).isTrue();
  }

  /** Its body does not end. */
  private void tail(String uri) throws Exception {
    HttpClientResponse response =
        TestGateway.await(
            server
                .http
                .request(HttpMethod.GET, server.gateway.port(), "127.0.0.1", uri)
                .compose(request -> request.putHeader(ALL[0], ALL[1]).send()));
    check(
        "GET /v1/tail",
        new Answer(
            response.statusCode(),
            Map.of("content-type", response.getHeader("Content-Type")),
            ":"));
    response.request().connection().close();
  }

  private void bad() throws Exception {
    for (String operation : operations()) {
      JsonObject responses = operation(operation).getJsonObject("responses");
      String uri = operation.split(" ", -1)[1].replace("{id}", "77");
      if (uri.startsWith("/v1/")) {
        drive(operation, uri + "?unknown=1", 400, null, null, ALL);
      }
      if (responses.containsKey("415")) {
        drive(operation, uri, 415, "application/x-www-form-urlencoded", "a=b", ALL);
      }
    }
    drive("POST /v1/events", "/v1/events", 400, JSON, "{", ALL);
    drive("POST /v1/events", "/v1/events", 413, NDJSON, "1".repeat(2_000), ALL);
    Runnable pass = server.bus.intercept(event -> Intercepted.refuse("no"));
    drive("POST /v1/events", "/v1/events", 422, JSON, "1", ALL);
    pass.run();
    drive("POST /v1/events", "/v1/events", 415, "text/plain", "1", ALL);
    drive("GET /v1/events", "/v1/events?limit=0", 400, null, null, ALL);
    drive("GET /v1/tail", "/v1/tail?from=end", 400, null, null, ALL);
    drive("GET /v1/ingest", "/v1/ingest", 426, null, null, ALL);
    drive(
        "GET /v1/ingest",
        "/v1/ingest?ack=x",
        400,
        null,
        null,
        "Authorization",
        "Bearer all",
        "Connection",
        "keep-alive, Upgrade",
        "Upgrade",
        "websocket",
        "Sec-WebSocket-Version",
        "13",
        "Sec-WebSocket-Key",
        "dGhlIHNhbXBsZSBub25jZQ==");
    drive("POST /v1/shards", "/v1/shards", 400, JSON, "{}", ALL);
    drive("POST /v1/shards", "/v1/shards", 409, JSON, "{\"count\":99}", ALL);
    drive("POST /v1/shards", "/v1/shards", 413, JSON, " ".repeat(70_000), ALL);
    drive("DELETE /v1/shards/{id}", "/v1/shards/99", 404, null, null, ALL);
    for (String path : List.of("/v1/limits", "/v1/policy", "/v1/log-level")) {
      drive("PATCH " + path, path, 400, JSON, "[]", ALL);
      drive("PATCH " + path, path, 413, JSON, " ".repeat(70_000), ALL);
    }
    Awaitility.await().until(() -> server.bus.shards().numShards() == 1);
    drive("DELETE /v1/shards/{id}", "/v1/shards/0", 409, null, null, ALL);
    drive("GET /v1/dead-letters", "/v1/dead-letters?limit=x", 400, null, null, ALL);
    drive("DELETE /v1/dead-letters", "/v1/dead-letters?id=1", 400, null, null, ALL);
    drive("DELETE /v1/dead-letters", "/v1/dead-letters", 413, JSON, " ".repeat(70_000), ALL);
    String replay = "/v1/dead-letters/replay";
    drive("POST " + replay, replay, 400, JSON, "[]", ALL);
    drive("POST " + replay, replay, 413, JSON, " ".repeat(70_000), ALL);
    drive("DELETE /v1/dead-letters/{id}", "/v1/dead-letters/99", 404, null, null, ALL);
  }

  private void withoutRights() throws Exception {
    for (String operation : operations()) {
      var security = operation(operation).getJsonArray("security");
      String uri = operation.split(" ", -1)[1].replace("{id}", "77");
      if (!security.isEmpty()) {
        boolean forIngest = security.getJsonObject(0).getJsonArray("bearer").contains("ingest");
        drive(operation, uri, 401, null, null);
        drive(
            operation, uri, 403, null, null, "Authorization", forIngest ? "Bearer r" : "Bearer i");
      }
    }
  }

  private void limited() throws Exception {
    start(
        Sinks.create(new SinkOptions("memory")),
        new GatewayOptions().setMaxEventsPerSecondPerClient(1));
    drive("POST /v1/events", "/v1/events", 202, JSON, "1", ALL);
    // Again if the last took longer than a second.
    Awaitility.await()
        .untilAsserted(
            () -> {
              Answer answer = drive("POST /v1/events", "/v1/events", 429, JSON, "1", ALL);
              assertThat(answer.header("Retry-After")).isEqualTo("1");
            });
  }

  private void refusingSink() throws Exception {
    boolean[] refuse = {true};
    start(
        new RecordingSink()
            .behave(
                batch ->
                    refuse[0]
                        ? Future.failedFuture(SinkException.permanentFailure("no"))
                        : Future.succeededFuture()),
        new GatewayOptions());
    drive("GET /v1/events", "/v1/events", 501, null, null, ALL);
    drive("GET /v1/tail", "/v1/tail", 501, null, null, ALL);
    Answer one = drive("POST /v1/events", "/v1/events?ack=delivered", 500, JSON, "1", ALL);
    assertThat(one.json().getJsonObject("failures").getInteger("dead_lettered")).isOne();
    Answer many = drive("POST /v1/events", "/v1/events?ack=delivered", 500, NDJSON, "2\nbad", ALL);
    assertThat(many.json().getInteger("accepted")).isOne();
    assertThat(many.json().getJsonObject("failures").getInteger("dead_lettered")).isOne();
    Answer letters = drive("GET /v1/dead-letters", "/v1/dead-letters", 200, null, null, ALL);
    assertThat(letters.json().getJsonArray("deadLetters")).hasSize(2);
    long id = letters.json().getJsonArray("deadLetters").getJsonObject(0).getLong("id");
    drive("DELETE /v1/dead-letters/{id}", "/v1/dead-letters/" + id, 204, null, null, ALL);
    refuse[0] = false;
    String replay = "/v1/dead-letters/replay";
    drive("POST " + replay, replay, 200, JSON, "{}", ALL);
    drive("DELETE /v1/dead-letters", "/v1/dead-letters", 200, null, null, ALL);
  }

  private void stalledSink() throws Exception {
    Promise<Void> never = Promise.promise();
    start(
        new RecordingSink().behave(batch -> never.future()),
        new GatewayOptions().setAckTimeout(Duration.ofSeconds(1)));
    drive("POST /v1/events", "/v1/events?ack=delivered", 504, JSON, "1", ALL);
    never.complete();
  }

  private void closedBus() throws Exception {
    TestGateway.await(server.bus.close());
    drive("POST /v1/events", "/v1/events", 503, JSON, "1", ALL);
    drive("GET /health/ready", "/health/ready", 503, null, null);
    drive("POST /v1/shards", "/v1/shards", 409, JSON, "{\"count\":1}", ALL);
  }

  private void fixed() throws Exception {
    server =
        new TestGateway(
            new ShardBusOptions().setShards(1),
            Sinks.create(new SinkOptions("memory")),
            new GatewayOptions(),
            new HttpClientOptions());
    servers.add(server);
    drive("GET /v1/policy", "/v1/policy", 409, null, null);
    drive("PATCH /v1/policy", "/v1/policy", 409, JSON, "{\"maxShards\":2}");
  }

  private void crowded() throws Exception {
    start(Sinks.create(new SinkOptions("memory")), new GatewayOptions().setMaxConnections(1));
    try (Socket one = new Socket(InetAddress.getLoopbackAddress(), server.gateway.port())) {
      Awaitility.await().until(() -> server.gateway.connections() == 1);
      for (String operation : operations()) {
        drive(operation, operation.split(" ", -1)[1].replace("{id}", "77"), 503, null, null, ALL);
      }
      assertThat(one.isClosed()).isFalse();
    }
  }

  // ------------------------------------------------------------------ requests made of it

  @Test
  void description_keepsTheRulesOfALinter() throws Exception {
    String output =
        Program.node(
            "@redocly/openapi-core",
            "openapi.mjs",
            "http://127.0.0.1:" + server.gateway.port() + "/openapi.json");
    assertThat(output.strip()).endsWith("0 problems");
  }

  /** Whatever is sent, the answer is one that is described. */
  @Test
  void generatedRequests_areAnsweredAsDescribed() throws Exception {
    Random random = new Random(7);
    for (int i = 0; i < 1_000; i++) {
      String operation = operations().get(random.nextInt(operations().size()));
      JsonObject described = operation(operation);
      StringBuilder uri =
          new StringBuilder(operation.split(" ", -1)[1].replace("{id}", random.nextInt(3) + "7"));
      char separator = '?';
      for (Object each : described.getJsonArray("parameters", new JsonArray())) {
        JsonObject parameter = (JsonObject) each;
        if (parameter.getString("in").equals("query") && random.nextBoolean()) {
          uri.append(separator).append(parameter.getString("name")).append('=');
          uri.append(URLEncoder.encode(value(parameter, random), StandardCharsets.UTF_8));
          separator = '&';
        }
      }
      if (operation.equals("GET /v1/tail")) { // else it would go on
        uri.append(separator).append("until=-1s&limit=1");
      }
      JsonObject body = described.getJsonObject("requestBody");
      List<String> types =
          body == null ? List.of() : List.copyOf(body.getJsonObject("content").fieldNames());
      String type = types.isEmpty() ? null : types.get(random.nextInt(types.size()));
      String text = BODIES.get(random.nextInt(BODIES.size()));
      Map<String, String> headers = new java.util.HashMap<>(TestGateway.map(ALL));
      if (type != null) {
        headers.put("Content-Type", type);
      }
      String method = operation.split(" ", -1)[0];
      check(
          operation,
          server.send(
              HttpMethod.valueOf(method),
              uri.toString(),
              headers,
              type == null ? null : Buffer.buffer(text)));
    }
  }

  private static final List<String> BODIES =
      List.of(
          "1",
          "{}",
          "[]",
          "",
          "{",
          "1\n2\n",
          "bad\n3",
          "{\"event\":1}",
          "{\"count\":0}",
          "{\"count\":1.5}",
          "{\"ids\":[1,2]}",
          "{\"level\":\"info\"}",
          "{\"maxConnections\":-1}",
          "{\"minShards\":1}",
          "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"/a\",\"type\":\"t\"}");

  private static String value(JsonObject parameter, Random random) {
    JsonObject schema = parameter.getJsonObject("schema");
    JsonArray words = schema.getJsonArray("enum");
    return switch (random.nextInt(4)) {
      case 0 -> "";
      case 1 -> random.nextInt(200) - 100 + "";
      case 2 -> words == null ? "user.id" : words.getString(random.nextInt(words.size()));
      default -> "é;&=% '\"$" + random.nextInt();
    };
  }
}
