package io.shardbus.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.app.CommandProcesses.Run;
import io.shardbus.testing.Java;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command line in processes of its own, as a person has it. */
@Tag("once")
class ServeProcessTest {

  @TempDir Path dir;
  private CommandProcesses processes;

  @BeforeEach
  void setUp() {
    List<String> options = new ArrayList<>();
    if (Runtime.version().feature() >= 23) {
      options.add("--sun-misc-unsafe-memory-access=allow"); // as the launcher does
    }
    // As in the jar, where there is no configuration for tests.
    options.add("-Dlogback.configurationFile=io/shardbus/app/logback.xml");
    options.add("io.shardbus.app.Main");
    processes = new CommandProcesses(dir, Java.command(options.toArray(String[]::new)));
  }

  @AfterEach
  void killAll() {
    processes.killAll();
  }

  private Run start(String... args) throws IOException {
    return processes.start(args);
  }

  private static String get(String url) throws Exception {
    return HttpClient.newHttpClient()
        .send(HttpRequest.newBuilder(URI.create(url)).build(), HttpResponse.BodyHandlers.ofString())
        .body();
  }

  private void assertFails(int code, String says, String... args) throws Exception {
    Run run = start(args);
    assertFailed(new Command(run.exit(), run.stdout(), run.stderr()), code, says);
  }

  private static void assertRefused(String says, String... args) {
    assertFailed(Command.run(args), 2, says);
  }

  private static void assertFailed(Command run, int code, String says) {
    assertThat(run.exit()).as(run.stderr()).isEqualTo(code);
    assertThat(run.stderr()).contains(says).doesNotContain("\tat ").doesNotContain("Exception");
    assertThat(run.stdout()).isEmpty();
  }

  @Test
  void bench_measuresWhatAddsUp() throws Exception {
    String[] small = {"--seconds", "1", "--producers", "1", "--shards", "2", "--bytes", "200"};
    List<String> all = new ArrayList<>(List.of("bench", "--json"));
    all.addAll(List.of(small));
    Run single = start(all.toArray(String[]::new));
    assertThat(single.exit()).as(single.stderr()).isZero(); // each alone: it measures
    all.addAll(List.of("--batch", "100", "--sink", "log", "--data", dir.resolve("b").toString()));
    Run batches = start(all.toArray(String[]::new));
    for (Run run : List.of(single, batches)) {
      assertThat(run.exit()).as(run.stderr()).isZero();
      JsonObject result = new JsonObject(run.stdout());
      assertThat(result.getLong("eventsPerSecond")).isPositive();
      assertThat(result.getLong("accepted")).isPositive().isEqualTo(result.getLong("delivered"));
      JsonObject nanos = result.getJsonObject("ingestNanos");
      assertThat(nanos.getLong("p50")).isPositive().isLessThanOrEqualTo(nanos.getLong("p99"));
      assertThat(nanos.getLong("p99")).isLessThanOrEqualTo(nanos.getLong("max"));
      JsonObject delivery = result.getJsonObject("deliveryNanos");
      assertThat(delivery.getLong("p50")).isPositive().isLessThanOrEqualTo(delivery.getLong("max"));
    }
    Command text = Command.run("bench", "--seconds", "0.2");
    assertThat(text.exit()).as(text.stderr()).isZero();
    assertThat(text.stderr()).as("progress is for terminals").isEmpty();
    assertThat(text.stdout())
        .contains("events/s")
        .contains("sink's answer: p50")
        .contains("p99.9")
        .contains("processors, Java");
    assertRefused("--producers: 0 must be 1 to 1000", "bench", "--producers", "0");
    assertRefused("--seconds: NaN must be", "bench", "--seconds", "NaN");
    assertRefused("sink: \"nosuch\" is unknown", "bench", "--sink", "nosuch");
  }

  @Test
  void serve_keepsEventsAcrossAGracefulStop() throws Exception {
    String data = dir.resolve("data").toString();
    Run server = start("serve", "--port", "0", "--data", data);
    String url = server.url();
    assertThat(server.stderr())
        .contains("curl", "/v1/tail")
        .contains(data)
        .contains("sink log")
        .containsPattern("events are kept in \\S+/log for 7d, [0-9.]+ [KMGT]iB free");
    Run feed = start("feed", "--url", url, "--generate", "5000", "--ack", "delivered", "--json");
    assertThat(feed.exit()).as(feed.stderr()).isZero();
    JsonObject summary = new JsonObject(feed.stdout());
    assertThat(summary.getInteger("acked")).isEqualTo(5000);
    Run second = start("serve", "--port", "0", "--data", data);
    assertThat(second.exit()).isEqualTo(1);
    assertThat(second.stderr()).contains("is in use, by another process");
    Command feed2 = Command.run("feed", "--url", url, "--generate", "5000", "--via", "ws");
    assertThat(feed2.exit()).as(feed2.stderr()).isZero();
    server.process().destroy();
    assertThat(server.exit()).isZero();
    assertThat(server.stderr())
        .contains("stopped: 10000 events accepted, 10000 delivered")
        .contains("0 not delivered");

    Run again = start("serve", "--port", "0", "--data", data);
    String newUrl = again.url();
    Command tail = Command.run("tail", "--url", newUrl, "--from-start", "--count", "10000");
    assertThat(tail.exit()).as(tail.stderr()).isZero();
    assertThat(tail.stdout().lines().count()).isEqualTo(10_000);
    Command up = Command.run("scale", "up", "1", "--url", newUrl);
    assertThat(up.exit()).as(up.stderr()).isZero();
    Command down = Command.run("scale", "down", "0", "--url", newUrl);
    assertThat(down.exit()).as(down.stderr()).isZero();
    Command stats = Command.run("stats", "--url", newUrl);
    assertThat(stats.exit()).as(stats.stderr()).isZero();
    assertThat(stats.stdout())
        .contains("accepted")
        .contains("active")
        .containsPattern("stored [0-9.]+ [KM]iB, events from 20\\S+Z to 20\\S+Z, .* free");
    assertThat(get(newUrl + "/health/ready")).contains("ready");
    assertThat(get(newUrl + "/metrics"))
        .contains("shardbus_events_delivered_total{address=\"shardbus.ingest\"} 0.0")
        .contains("shardbus_scalings_total{")
        .contains("vertx_http_server_")
        .contains("jvm_memory_used_bytes")
        .doesNotContain("method=\"GET\"");
    assertThat(get(newUrl + "/")).contains("console/main.js");
  }

  @Test
  void greetingOfASinkThatCannotBeRead_offersNoReads() throws Exception {
    Run server =
        start("serve", "--port", "0", "--sink", "noop", "--data", dir.resolve("data").toString());
    server.url();
    assertThat(server.stderr()).contains("curl").doesNotContain("/v1/tail", "read it back");
  }

  @Test
  void killedServer_leavesNothingInTheTemporaryFolder() throws Exception {
    Path temporary = Files.createDirectory(dir.resolve("tmp"));
    Run server =
        processes.start(
            Map.of("JAVA_TOOL_OPTIONS", "-Djava.io.tmpdir=" + temporary),
            "serve",
            "--port",
            "0",
            "--data",
            dir.resolve("data").toString());
    server.url();
    Awaitility.await().untilAsserted(() -> assertThat(temporary).isEmptyDirectory());
    server.process().destroyForcibly().waitFor();
    assertThat(temporary).isEmptyDirectory();
  }

  /** By a signal, as systemd and containers stop it. */
  @Test
  void uploadsUnderWay_areAnsweredWhenTheProcessIsStopped() throws Exception {
    Run server = start("serve", "--port", "0", "--data", dir.resolve("data").toString());
    int port = URI.create(server.url()).getPort();
    String lines = "application/x-ndjson";
    String json = "application/json";
    try (Socket inLine = post(port, "/v1/events", lines, "1\n2\n3");
        Socket whole = post(port, "/v1/events?ack=delivered", json, "{\"n\":");
        Socket silent = post(port, "/v1/events", json, "{\"n\":");
        Socket admin = post(port, "/v1/shards", json, "{\"count\":")) {
      assertThat(new String(admin.getInputStream().readNBytes(25), StandardCharsets.US_ASCII))
          .startsWith("HTTP/1.1 100");
      Awaitility.await()
          .atMost(30, TimeUnit.SECONDS)
          .until(
              () -> get(server.url() + "/metrics").contains("shardbus_gateway_partial_bytes 11"));
      server.process().destroy();
      Awaitility.await().atMost(30, TimeUnit.SECONDS).until(() -> refused(port));
      inLine.getOutputStream().write("4\n5".getBytes(StandardCharsets.US_ASCII));
      whole.getOutputStream().write("1}".getBytes(StandardCharsets.US_ASCII));
      assertThat(answer(inLine))
          .startsWith("HTTP/1.1 503")
          .contains("\"accepted\":3", "\"reason\":\"closed\"", "go on behind the first 3 lines");
      assertThat(answer(whole)).startsWith("HTTP/1.1 202");
      for (Socket cut : List.of(silent, admin)) {
        assertThat(answer(cut)).startsWith("HTTP/1.1 503").contains("the server is stopping");
      }
    }
    assertThat(server.exit()).isZero();
    assertThat(server.stderr()).contains("stopped: 4 events accepted, 4 delivered");
  }

  private static Socket post(int port, String uri, String type, String begin) throws IOException {
    Socket socket = new Socket(InetAddress.getLoopbackAddress(), port);
    socket.setSoTimeout(30_000);
    String head =
        "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Type: %s\r\nContent-Length: %d\r\n%s\r\n";
    String expect = uri.endsWith("shards") ? "Expect: 100-continue\r\n" : "";
    int length = begin.length() + (type.endsWith("ndjson") ? 100 : 2);
    socket
        .getOutputStream()
        .write(
            (head.formatted(uri, type, length, expect) + begin)
                .getBytes(StandardCharsets.US_ASCII));
    return socket;
  }

  private static String answer(Socket socket) throws IOException {
    return new String(socket.getInputStream().readAllBytes(), StandardCharsets.US_ASCII);
  }

  private static boolean refused(int port) throws IOException {
    try (Socket socket = new Socket(InetAddress.getLoopbackAddress(), port)) {
      return !socket.isConnected();
    } catch (java.net.ConnectException e) {
      return true;
    }
  }

  /** A server that nobody uses must not keep a machine awake. */
  @Test
  void idleServer_usesLittleProcessorTime() throws Exception {
    Run server = start("serve", "--port", "0", "--data", dir.resolve("data").toString());
    String url = server.url();
    assertThat(get(url + "/health/ready")).contains("ready");
    // Until it has started for good: compilers work on for a while.
    Awaitility.await()
        .atMost(60, TimeUnit.SECONDS)
        .pollInterval(Duration.ZERO)
        .untilAsserted(() -> assertThat(busy(server, Duration.ofSeconds(5))).isLessThan(0.1));
  }

  /** The part of a processor that it takes. */
  private static double busy(Run run, Duration time) throws Exception {
    Duration before = processorTime(run);
    long begun = System.nanoTime();
    assertThat(run.process().waitFor(time.toMillis(), TimeUnit.MILLISECONDS)).isFalse();
    long nanos = System.nanoTime() - begun;
    return (double) processorTime(run).minus(before).toNanos() / nanos;
  }

  private static Duration processorTime(Run run) {
    return run.process().info().totalCpuDuration().orElseThrow();
  }

  @Test
  void faults_areOneClearLine() throws Exception {
    Path file = Files.createFile(dir.resolve("file"));
    Path config = Files.writeString(dir.resolve("bad.json"), "{\"bus\":{\"shard\":1}}");
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String port = Integer.toString(taken.getLocalPort());
      assertFails(
          1,
          "cannot listen on 127.0.0.1:" + port,
          "serve",
          "--port",
          port,
          "--sink",
          "memory",
          "--data",
          dir + "/d1");
    }
    assertFails(2, "cannot make the folder " + file.resolve("x"), "serve", "--data", file + "/x");
    assertRefused(
        "unknown option \"bus.shard\"".replace("bus.", ""), "serve", "--config", config.toString());
    assertRefused(
        "\"nowhere\" is unknown, there are eventbus, file, http, jetstream, kafka, log, memory,"
            + " noop, redis",
        "serve",
        "--sink",
        "nowhere",
        "--data",
        dir + "/d2");
    assertRefused(
        "\"eventbus\" needs --cluster", "serve", "--sink", "eventbus", "--data", dir + "/d4");
    assertRefused(
        "only together with --cluster", "serve", "--cluster-host", "h", "--data", dir + "/d5");
    assertRefused("port: 99999 must be 0 to 65535", "serve", "--port", "99999");
    assertFails(
        2,
        "insecure",
        "serve",
        "--host",
        "0.0.0.0",
        "--port",
        "0",
        "--sink",
        "memory",
        "--data",
        dir + "/d3");
    assertRefused("'--prot'", "serve", "--prot", "1");
    assertFails(1, "is the server running?", "stats", "--url", "http://127.0.0.1:1");
    assertRefused("--url", "stats", "--url", "localhost");
  }

  @Test
  void commands_sendTheirToken() throws Exception {
    Path tokens =
        Files.writeString(dir.resolve("tokens"), "ingest hush-i\nread hush-r\nadmin hush-a\n");
    Run server =
        processes.start(
            Map.of("SHARDBUS_TOKENS_FILE", tokens.toString()),
            "serve",
            "--port",
            "0",
            "--sink",
            "memory",
            "--data",
            dir + "/d");
    String url = server.url();
    assertFails(1, "the server answered 401", "stats", "--url", url);
    assertFailed(
        Command.run("stats", "--url", url, "--token", "hush-i"), 1, "the server answered 403");
    assertRefused("--token", "stats", "--url", url, "--token", "hush i");
    for (String via : List.of("http", "ws")) {
      Run feed =
          processes.start(
              Map.of("SHARDBUS_TOKEN", "hush-i"),
              "feed",
              "--url",
              url,
              "--generate",
              "10",
              "--ack",
              "delivered",
              "--via",
              via);
      assertThat(feed.exit()).as(feed.stderr()).isZero();
    }
    Command tail =
        Command.run("tail", "--url", url, "--token", "hush-r", "--from-start", "--count", "20");
    assertThat(tail.exit()).as(tail.stderr()).isZero();
    Command scale = Command.run("scale", "up", "1", "--url", url, "--token", "hush-a");
    assertThat(scale.exit()).as(scale.stderr()).isZero();
    Run stats =
        processes.start(
            Map.of("SHARDBUS_TOKEN", "hush-i", "SHARDBUS_URL", url), "stats", "--token", "hush-r");
    assertThat(stats.exit()).as(stats.stderr()).isZero();
    Run elsewhere = processes.start(Map.of("SHARDBUS_URL", "nonsense"), "stats");
    assertThat(elsewhere.exit()).isEqualTo(2);
    assertThat(elsewhere.stderr()).contains("SHARDBUS_URL: \"nonsense\"");
    assertThat(server.stdout() + server.stderr())
        .contains("curl -H \"Authorization: Bearer $SHARDBUS_TOKEN\" " + url + "/v1/events")
        .doesNotContain("hush");
  }

  @Test
  void secrets_areNotPrinted() throws Exception {
    Path config =
        Files.writeString(
            dir.resolve("c.json"),
            "{\"bus\":{\"sink\":{\"name\":\"redis\",\"config\":{\"password\":\"hush\","
                + "\"connectionString\":\"redis://me:hush@127.0.0.1\"}}}}");
    Run print =
        processes.start(
            Map.of("SHARDBUS_TOKEN_READ", "hush"),
            "serve",
            "--config",
            config.toString(),
            "--print-config");
    assertThat(print.exit()).isZero();
    assertThat(print.stdout()).contains("redis://***@127.0.0.1").contains("\"read\"");
    assertThat(print.stdout() + print.stderr()).doesNotContain("hush");
  }

  @Test
  void helpAndChecks_explain() throws Exception {
    Command help = Command.run("--help");
    assertThat(help.exit()).isZero();
    assertThat(help.stdout()).contains("serve").contains("Exit codes").contains("feed --generate");
    Command check = Command.run("serve", "--config", "conf/shardbus.json", "--check");
    assertThat(check.exit()).as(check.stderr()).isZero();
    Command print = Command.run("serve", "--config", "conf/shardbus.json", "--print-config");
    assertThat(print.exit()).isZero();
    JsonObject bus = new JsonObject(print.stdout()).getJsonObject("bus");
    assertThat(bus.getJsonObject("batch")).isNotEmpty();
    assertThat(bus.getJsonObject("scaling")).as("what serve makes of none").isNotEmpty();
  }
}
