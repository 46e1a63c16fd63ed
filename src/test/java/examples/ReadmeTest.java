package examples;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import ch.qos.logback.classic.LoggerContext;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.event.IngestResult;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.shardbus.gateway.Gateway;
import io.shardbus.gateway.GatewayOptions;
import io.shardbus.shard.ScalingPolicy;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkOptions;
import io.vertx.core.DeploymentOptions;
import io.vertx.core.Future;
import io.vertx.core.ThreadingModel;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.file.OpenOptions;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientRequest;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.HttpServer;
import io.vertx.core.json.JsonObject;
import io.vertx.ext.auth.authentication.AuthenticationProvider;
import io.vertx.ext.web.handler.BasicAuthHandler;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.slf4j.LoggerFactory;

/** Every snippet in the documents runs, or is part of an example that runs. */
class ReadmeTest {

  private static final Path EXAMPLES = Path.of("src/test/java/examples");

  private static final Pattern LINK = Pattern.compile("\\]\\(([^)\\s]+)\\)");

  @TempDir Path dir;
  private Vertx vertx;
  private ShardBus bus;
  private Gateway gateway;

  @BeforeEach
  void start() throws Exception {
    vertx = Vertx.vertx();
    var options = new ShardBusOptions().setSink(new SinkOptions("memory"));
    options.setScaling(new ScalingPolicy().setAutoScale(false));
    bus = await(ShardBus.start(vertx, options));
    gateway = await(Gateway.start(vertx, bus, new GatewayOptions().setPort(0)));
  }

  @AfterEach
  void stop() throws Exception {
    ((LoggerContext) LoggerFactory.getILoggerFactory()).getLogger("io.shardbus").setLevel(null);
    await(gateway.close());
    await(bus.close());
    await(vertx.close());
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
  }

  private static List<Path> documents() throws IOException {
    List<Path> found = new ArrayList<>();
    for (String folder : List.of("", "docs", "conf")) {
      try (Stream<Path> files = Files.list(Path.of(folder))) {
        files.filter(file -> file.toString().endsWith(".md")).forEach(found::add);
      }
    }
    return found;
  }

  private static List<String> blocks(Path document, String language) throws IOException {
    return Pattern.compile("```" + language + "\n(.*?)```", Pattern.DOTALL)
        .matcher(Files.readString(document))
        .results()
        .map((MatchResult found) -> found.group(1))
        .toList();
  }

  private static List<String> blocks(String language) throws IOException {
    List<String> all = new ArrayList<>();
    for (Path document : documents()) {
      all.addAll(blocks(document, language));
    }
    return all;
  }

  private String run(String... command) throws Exception {
    Process process =
        new ProcessBuilder(command).directory(dir.toFile()).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as(output).isZero();
    return output;
  }

  @Test
  void javaSnippets_areInTheExamples() throws Exception {
    StringBuilder examples = new StringBuilder();
    try (Stream<Path> files = Files.list(EXAMPLES)) {
      for (Path file : files.toList()) {
        examples.append(Files.readString(file));
      }
    }
    assertThat(blocks("java"))
        .hasSizeGreaterThan(13)
        .allSatisfy(b -> assertThat(examples).contains(b));
  }

  @Test
  void verticleByName_isABusWithAnAddress() throws Exception {
    String id = await(Embedding.deploy(vertx));
    ShardBus orders = ShardBus.find(vertx, "orders").orElseThrow();
    await(vertx.undeploy(id));
    assertThat(orders.stats().total().delivered()).isEqualTo(1);
  }

  @Test
  void mountedGateway_isBehindTheUsersOfTheApplication() throws Exception {
    AuthenticationProvider nobody = credentials -> Future.failedFuture("unknown");
    HttpServer server = await(Embedding.mount(vertx, bus, BasicAuthHandler.create(nobody)));
    HttpClient client = vertx.createHttpClient();
    Map<String, Integer> expected = Map.of("/bus/", 401, "/bus/v1/stats", 401, "/health", 200);
    for (Map.Entry<String, Integer> each : expected.entrySet()) {
      int status =
          await(
              client
                  .request(HttpMethod.GET, server.actualPort(), "localhost", each.getKey())
                  .compose(HttpClientRequest::send)
                  .map(HttpClientResponse::statusCode));
      assertThat(status).as(each.getKey()).isEqualTo(each.getValue());
    }
    await(client.close());
  }

  @Test
  void orders_waitsForItsFutures() throws Exception {
    Future<String> deployed =
        vertx.deployVerticle(
            new Orders(), new DeploymentOptions().setThreadingModel(ThreadingModel.VIRTUAL_THREAD));
    if (Runtime.version().feature() < 21) {
      assertThatThrownBy(() -> await(deployed)).hasMessageContaining("irtual thread");
      return;
    }
    await(deployed);
    ShardBus orders = ShardBus.find(vertx, "orders").orElseThrow();
    assertThat(orders.stats().total().delivered()).isEqualTo(1);
  }

  @Test
  void configuration_goesInAsItIs() throws Exception {
    Path file =
        Files.writeString(
            dir.resolve("bus.json"),
            "{\"address\":\"orders\",\"shards\":3,\"sink\":{\"name\":\"memory\"}}");
    await(Embedding.deployFromFile(vertx, file.toString()));
    assertThat(ShardBus.find(vertx, "orders").orElseThrow().shards().numShards()).isEqualTo(3);
  }

  @Test
  void publisher_publishes() throws Exception {
    await(vertx.deployVerticle(new Publisher()));
    assertThat(bus.stats().total().delivered()).isEqualTo(1);
  }

  @Test
  void linePublisher_publishesAFile() throws Exception {
    Path lines = Files.writeString(dir.resolve("lines"), "1\n2\n3\n");
    await(
        vertx
            .fileSystem()
            .open(lines.toString(), new OpenOptions())
            .compose(file -> LinePublisher.publish(vertx, file)));
    assertThat(bus.stats().total().delivered()).isEqualTo(3);
  }

  @Test
  void consumerAndSink_takeWhatComes() throws Exception {
    await(vertx.deployVerticle(new Consumer()));
    ShardBusOptions options = new ShardBusOptions().setShards(2).setRouters(0);
    options.setSink(new SinkOptions("eventbus"));
    await(bus.close()); // its address is free
    ShardBus group = await(ShardBus.start(vertx, options));
    await(group.deliverAwait(RawEvent.of("1")));
    await(group.close());
    ShardBus printing = await(ShardBus.start(vertx, options, new PrintingSink()));
    await(printing.deliverAwait(RawEvent.of("2")));
    await(printing.close());
  }

  @Test
  void embeddedBus_writesItsLog() throws Exception {
    await(bus.close()); // its address is free
    await(EmbeddedBus.run(vertx, dir.toString()));
    assertThat(Files.exists(dir.resolve("log"))).isTrue();
  }

  @Test
  void embedding_sendsReadsScalesAndServes() throws Exception {
    await(Embedding.send(bus));
    await(bus.flush());
    assertThat(await(Embedding.read(bus))).hasSize(3);
    await(Embedding.scale(bus));
    SimpleMeterRegistry registry = new SimpleMeterRegistry();
    await(await(Embedding.serve(vertx, bus, registry)).close());
    assertThat(registry.get("shardbus.events.accepted").functionCounter().count()).isEqualTo(3);
    for (Outcome expected : List.of(Outcome.ACCEPTED, Outcome.DUPLICATE)) {
      IngestResult sent = await(Embedding.order(bus, Buffer.buffer("{}"), "00-1"));
      assertThat(sent.outcome()).isEqualTo(expected);
    }
  }

  /** The receiver answers 503 once, then refuses what is not a number for good. */
  @Test
  void webhookSink_triesAgainAndFindsTheEventToBlame() throws Exception {
    List<String> received = new CopyOnWriteArrayList<>();
    AtomicBoolean down = new AtomicBoolean(true);
    HttpServer receiver =
        await(
            vertx
                .createHttpServer()
                .requestHandler(
                    request ->
                        request
                            .body()
                            .onSuccess(
                                body -> {
                                  int status =
                                      down.getAndSet(false)
                                          ? 503
                                          : body.toString().matches("[0-9\n]+") ? 200 : 400;
                                  if (status == 200) {
                                    received.addAll(body.toString().lines().toList());
                                  }
                                  request.response().setStatusCode(status).end();
                                }))
                .listen(0));
    String url = "http://localhost:" + receiver.actualPort() + "/";
    Sink sink = new WebhookSinkProvider().create(new JsonObject().put("url", url));
    ShardBusOptions options = new ShardBusOptions().setShards(1).setRouters(0);
    await(bus.close()); // its address is free
    ShardBus posting = await(ShardBus.start(vertx, options, sink));
    for (String event : List.of("1", "2", "bad", "3")) {
      assertThat(posting.ingest(RawEvent.of(event)).accepted()).isTrue();
    }
    await(posting.flush());
    assertThat(received).containsExactly("1", "2", "3");
    assertThat(posting.stats().total().deadLettered()).isEqualTo(1);
    await(posting.close());
    assertThatThrownBy(() -> new WebhookSinkProvider().create(new JsonObject()))
        .hasMessageContaining("url");
  }

  @ParameterizedTest
  @CsvSource({"README.md,3,3", "docs/operating.md,1,0", "docs/wire.md,1,2"})
  void curlCommands_work(Path document, int commands, int events) throws Exception {
    List<String> scripts =
        blocks(document, "sh").stream().filter(block -> block.contains("curl")).toList();
    assertThat(scripts).hasSize(commands);
    for (String block : scripts) {
      String script = block.replace("curl ", "curl -sSf ").replace("8080", "" + gateway.port());
      run("sh", "-ec", script);
    }
    await(bus.flush());
    assertThat(bus.stats().total().delivered()).isEqualTo(events);
  }

  @Test
  void links_leadSomewhere() throws Exception {
    int links = 0;
    for (Path document : documents()) {
      for (MatchResult link : LINK.matcher(Files.readString(document)).results().toList()) {
        if (!link.group(1).contains("://")) {
          links++;
          assertLeadsSomewhere(document, link.group(1));
        }
      }
    }
    assertThat(links).isGreaterThan(50);
  }

  private static void assertLeadsSomewhere(Path from, String link) throws IOException {
    String[] parts = link.split("#", 2);
    Path to = parts[0].isEmpty() ? from : from.resolveSibling(parts[0]).normalize();
    assertThat(to).as("%s: %s", from, link).exists();
    if (parts.length == 2) {
      assertThat(Files.readAllLines(to).stream().filter(line -> line.startsWith("#")))
          .as("%s: %s", from, link)
          .extracting(ReadmeTest::anchor)
          .contains(parts[1]);
    }
  }

  /** As GitHub makes it from a heading. */
  private static String anchor(String heading) {
    return heading
        .replaceFirst("^#+ ", "")
        .toLowerCase(Locale.ROOT)
        .replaceAll("[^a-z0-9 _-]", "")
        .replace(' ', '-');
  }

  @Test
  void webSocketClient_works() throws Exception {
    String client = Files.readString(Path.of("src/test/resources/client.mjs"));
    assertThat(blocks("js")).containsExactly(client);
    Path script = dir.resolve("client.mjs");
    Files.writeString(script, client.replace("8080", "" + gateway.port()));
    String output = run("node", "--experimental-websocket", script.toString());
    assertThat(output).contains("safe in the log: 1000 refused: none");
    assertThat(bus.stats().total().delivered()).isEqualTo(1000);
  }
}
