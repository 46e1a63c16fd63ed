package io.shardbus.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.event.RawEvent;
import io.shardbus.gateway.Gateway;
import io.shardbus.gateway.GatewayOptions;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.shard.ScalingPolicy;
import io.shardbus.sink.SinkException;
import io.shardbus.testing.Java;
import io.shardbus.testing.Ports;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is for people at a terminal, in processes of its own. */
@Tag("once")
class TopCommandTest {

  @TempDir Path dir;
  private final RecordingSink sink = new RecordingSink();
  private Vertx vertx;
  private ShardBus bus;
  private Gateway gateway;
  private Process process;

  @BeforeEach
  void setUp() throws Exception {
    vertx = Vertx.vertx();
    ShardBusOptions options =
        new ShardBusOptions()
            .setShards(2)
            .setRingCapacity(1024)
            .setScaling(ScalingPolicy.defaults(4).setAutoScale(false));
    options.getBatch().setMinSize(1).setMaxSize(10);
    bus = await(ShardBus.start(vertx, options, sink));
    gateway = await(Gateway.start(vertx, bus, new GatewayOptions().setPort(Ports.free())));
  }

  @AfterEach
  void tearDown() throws Exception {
    if (process != null) {
      process.destroyForcibly();
    }
    await(vertx.close());
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
  }

  private static ConditionFactory soon() {
    return Awaitility.await().atMost(Duration.ofSeconds(60));
  }

  private static List<String> command(String... arguments) {
    List<String> command = new ArrayList<>(Java.command("io.shardbus.app.Main"));
    command.addAll(List.of(arguments));
    return command;
  }

  private String url() {
    return "http://127.0.0.1:" + gateway.port();
  }

  private String run(List<String> command) throws Exception {
    Path out = dir.resolve("out");
    process = new ProcessBuilder(command).redirectOutput(out.toFile()).start();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isZero();
    return Files.readString(out);
  }

  @Test
  void once_showsTotalsAndShards() throws Exception {
    sink.fillRings(bus, 0);
    List<String> lines = run(command("top", "--once", "--url", url())).lines().toList();
    var total = bus.stats().total();
    assertThat(lines.get(0)).isEqualTo("2 shards, sink recording");
    assertThat(lines.get(1))
        .startsWith(String.format("accepted %,d (0/s)", total.accepted()))
        .endsWith(String.format("pending %,d", total.accepted()));
    assertThat(lines.get(2)).startsWith(String.format("refused %,d (0/s)", total.backpressure()));
    assertThat(lines.get(4)).contains("SHARD").contains("EVENTS/S");
    assertThat(lines).hasSize(7);
    assertThat(lines.subList(5, 7))
        .allMatch(line -> line.contains("active"))
        .anyMatch(line -> line.contains("[####################] 100.0%"));
    JsonObject all = new JsonObject(run(command("top", "--once", "--json", "--url", url())));
    assertThat(all.getLong("accepted")).isEqualTo(total.accepted());
    assertThat(all.getLong("acceptedPerSecond")).isZero();
    assertThat(all.getJsonArray("shardList"))
        .hasSize(2)
        .allMatch(shard -> ((JsonObject) shard).getLong("acceptedPerSecond") == 0)
        .anyMatch(shard -> ((JsonObject) shard).getDouble("fillRatio") == 1);
    sink.heal();
  }

  @Test
  void rates_areThoseBetweenTwoLooks() {
    JsonObject before = shard(1, 100, 50);
    JsonObject now = shard(1, 300, 100);
    JsonObject json = TopView.json(look(0, before), look(2_000_000_000, now, shard(2, 7, 7)));
    assertThat(json.getLong("acceptedPerSecond")).isEqualTo(100);
    JsonObject first = json.getJsonArray("shardList").getJsonObject(0);
    assertThat(first.getInteger("id")).isEqualTo(1);
    assertThat(first.getLong("acceptedPerSecond")).isEqualTo(100);
    assertThat(first.getLong("deliveredPerSecond")).isEqualTo(25);
    JsonObject added = json.getJsonArray("shardList").getJsonObject(1);
    assertThat(added.getLong("acceptedPerSecond")).as("known from now on").isZero();
  }

  @Test
  void lineOfAShard_tellsOfKeysThatWait() {
    JsonObject shard =
        shard(0, 1, 0)
            .put("state", "active")
            .put("fillRatio", 0.5)
            .put("slots", 1)
            .put("pendingInRing", 1_500)
            .put("inFlight", 0)
            .put("circuit", "closed")
            .put("failures", 0)
            .put("fencedEvents", 1_500)
            .put("fenceWaitMillis", 2_340);
    JsonObject totals =
        shard(0, 1, 0)
            .put("shards", 1)
            .put("sink", "memory")
            .put("pendingInRings", 1_500)
            .put("inFlight", 0)
            .put("evicted", 0)
            .put("deadLettered", 0)
            .put(
                "scaling",
                new JsonObject().put("limitedBy", "none").put("recent", new JsonArray()));
    var look =
        new TopView.Look(1, totals, new JsonObject().put("shards", new JsonArray().add(shard)));
    assertThat(new TopView(200, 10).lines(look, look))
        .last()
        .asString()
        .isEqualTo("       1,500 wait at a fence, oldest 2.3 s");
    shard.put("fencedEvents", 0).put("fenceWaitMillis", 0);
    assertThat(new TopView(200, 10).lines(look, look)).last().asString().endsWith("good");
  }

  @Test
  void scalingByThePolicy_isShownWithItsReason() throws Exception {
    assertThat(run(command("top", "--once", "--url", url()))).doesNotContain("last change");
    bus.changeScalingPolicy(bus.scalingPolicy().setAutoScale(true).setMinShards(3));
    soon().until(() -> bus.stats().scaling().added() == 1);
    String said =
        "Z automatic up [2], 3 active, because 2 active shards, minShards is 3"
            + System.lineSeparator();
    assertThat(run(command("top", "--once", "--url", url())))
        .contains(said)
        .containsPattern("last change: [0-9-]+T[0-9:]{8}Z");
    assertThat(run(command("stats", "--url", url()))).contains(said).doesNotContain("limited");
  }

  @Test
  void limitOfScaling_isShownWhileItHolds() {
    JsonObject scaling =
        new JsonObject().put("limitedBy", "sink").put("limitReason", "2 shards, 1 writer");
    assertThat(ScalingText.limit(scaling)).isEqualTo("sink, 2 shards, 1 writer");
  }

  private static JsonObject shard(int id, long accepted, long delivered) {
    return new JsonObject()
        .put("id", id)
        .put("accepted", accepted)
        .put("delivered", delivered)
        .put("deadLettered", 0)
        .put("failures", 0)
        .put("refused", new JsonObject().put("backpressure", 0));
  }

  /** Whose totals are those of the first shard. */
  private static TopView.Look look(long nanos, JsonObject... shards) {
    return new TopView.Look(
        nanos, shards[0], new JsonObject().put("shards", new JsonArray(List.of(shards))));
  }

  @Test
  void picture_fitsInto80Columns() {
    JsonObject shard = shard(65_534, 3_000_000_000L, 0).put("state", "provisioning");
    shard.put("fillRatio", 1.0).put("slots", 65_536).put("pendingInRing", 1_000_000);
    shard.put("inFlight", 0).put("circuit", "closed").put("failures", 1);
    shard.put("evicted", 3_000_000_000L).put("deadLettered", 3_000_000_000L);
    shard.put("shards", 1).put("sink", "memory").put("pendingInRings", 1_000_000);
    shard.put("scaling", new JsonObject().put("limitedBy", "none").put("recent", new JsonArray()));
    JsonObject before = shard.copy().put("accepted", 0).put("deadLettered", 0);
    List<String> lines = new TopView(80, 24).lines(look(0, before), look(1_000_000_000, shard));
    assertThat(lines).allMatch(line -> line.length() <= 80);
    assertThat(lines)
        .anyMatch(line -> line.endsWith(" SINK"))
        .last()
        .asString()
        .endsWith("refusing");
    assertThat(String.join(" ", lines)).contains("dead-lettered 3,000,000,000");
  }

  @Test
  void sinkThatRefusesAll_isNotGood() throws Exception {
    sink.fail(SinkException.permanentFailure("no"));
    bus.ingest(RawEvent.of(Buffer.buffer("event"), "key"));
    await(bus.flush());
    assertThat(run(command("top", "--once", "--url", url()))).contains("refusing");
  }

  @Test
  void outputThatIsNoTerminal_isRefused() throws Exception {
    Path err = dir.resolve("err");
    process =
        new ProcessBuilder(command("top", "--url", url()))
            .redirectOutput(dir.resolve("out").toFile())
            .redirectError(err.toFile())
            .start();
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isEqualTo(2);
    assertThat(Files.readString(err)).contains("--once");
    assertThat(Files.readString(dir.resolve("out"))).isEmpty();
  }

  @Test
  void json_isForScripts() {
    assertThat(Command.run("top", "--json").exit()).isEqualTo(2);
  }

  @Test
  void terminal_isDrawnAgainAndGivenBackWithQ() throws Exception {
    Path out = dir.resolve("terminal");
    String inside =
        "tty; stty cols 100 rows 12; before=$(stty -g); "
            + command("top", "--url", url()).stream()
                .map(word -> "'" + word + "'")
                .collect(Collectors.joining(" "))
            + "; echo \"code $?\"; [ \"$before\" = \"$(stty -g)\" ] && echo 'as it was'";
    process =
        new ProcessBuilder("script", "-qec", inside, "/dev/null")
            .redirectOutput(out.toFile())
            .start();
    soon().until(() -> Files.readString(out).contains("accepted 0 (0/s)"));
    for (int i = 0; i < 10; i++) {
      bus.ingest(RawEvent.of("event " + i));
    }
    soon().until(() -> Files.readString(out).contains("accepted 10 ("));
    String tty = Files.readString(out).lines().findFirst().orElseThrow().strip();
    assertThat(Files.readString(out)).contains("EVENTS/S");
    new ProcessBuilder("stty", "-F", tty, "cols", "20").start().waitFor();
    soon()
        .untilAsserted(
            () ->
                assertThat(Files.readString(out).replace("\r\r\n", "\r\n")) // of the terminal
                    .endsWith(
                        String.join(
                            "\033[K\r\n",
                            "accepted 10 (0/s)  d",
                            "refused 0 (0/s)  evi",
                            "",
                            "SHARD STATE        F",
                            "    0 active       [",
                            "    1 active       [\033[K\033[J")));
    int port = gateway.port();
    await(gateway.close());
    soon().until(() -> Files.readString(out).contains("does not answer"));
    gateway = await(Gateway.start(vertx, bus, new GatewayOptions().setPort(port)));
    await(bus.scaleUp(1));
    soon().until(() -> Files.readString(out).contains("3 shards"));
    try (OutputStream keys = process.getOutputStream()) {
      keys.write('q');
      keys.flush();
      assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    }
    assertThat(Files.readString(out))
        .contains("\033[?1049h")
        .contains("\033[?1049l")
        .contains("code 0")
        .contains("as it was");
  }

  @Test
  void completion_completesCommandsAndOptions() throws Exception {
    Path script = Files.writeString(dir.resolve("completion"), run(command("completion")));
    assertThat(complete(script, "shardbus", "sc")).containsExactly("scale");
    assertThat(complete(script, "shardbus", "scale", "")).contains("up", "down");
    assertThat(complete(script, "shardbus", "feed", "--gen")).containsExactly("--generate");
    assertThat(complete(script, "shardbus", "top", "--on")).containsExactly("--once");
  }

  private static List<String> complete(Path script, String... words) throws IOException {
    String quoted = Stream.of(words).map(w -> "'" + w + "'").collect(Collectors.joining(" "));
    Process bash =
        new ProcessBuilder(
                "bash",
                "-c",
                "source '"
                    + script
                    + "'; COMP_WORDS=("
                    + quoted
                    + "); COMP_CWORD="
                    + (words.length - 1)
                    + "; _complete_shardbus; printf '%s\\n' \"${COMPREPLY[@]}\"")
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    return new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8)
        .lines()
        .map(String::strip)
        .toList();
  }
}
