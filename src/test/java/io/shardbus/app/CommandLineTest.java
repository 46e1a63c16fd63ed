package io.shardbus.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.shardbus.gateway.GatewayOptions;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.testing.Java;
import io.vertx.core.json.JsonObject;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** How the command line talks to the person who uses it. */
@Tag("once")
class CommandLineTest {

  @TempDir Path dir;
  private final RecordingSink sink = new RecordingSink();
  private TestServer server;
  private CommandProcesses processes;

  @BeforeEach
  void setUp() throws Exception {
    server = new TestServer();
    processes =
        new CommandProcesses(
            dir,
            Java.command(
                "-Djdk.net.hosts.file="
                    + Files.writeString(dir.resolve("hosts"), "127.0.0.1 a_b\n"),
                "io.shardbus.app.Main"));
  }

  @AfterEach
  void tearDown() throws Exception {
    processes.killAll();
    server.close();
  }

  private void recordInstead() throws Exception {
    server.close();
    server = new TestServer(sink, new GatewayOptions());
  }

  private String url() {
    return "http://127.0.0.1:" + server.gateway.port();
  }

  private static String execute(int code, String... args) {
    Command command = Command.run(args);
    assertThat(command.exit()).as(command.stderr()).isEqualTo(code);
    return command.stderr();
  }

  @ParameterizedTest
  @CsvSource({
    "2, filter, tail --filter @.n=",
    "2, cursor, tail --cursor nonsense",
    "2, keyPath, feed --generate 1 --key-path [",
    "1, maxShards, scale up 9",
    "1, 99, scale down 99",
  })
  void problem_isShownAsItsDetail(int code, String says, String command) {
    assertThat(server.run(command.split(" "))).as(server.err).isEqualTo(code);
    assertThat(server.err.lines()).hasSize(1);
    assertThat(server.err).contains(says).doesNotContain("{", "\"detail\"");
  }

  @ParameterizedTest
  @ValueSource(strings = {"tail --count 0", "tail --count -1", "scale up 0", "scale up -3"})
  void wrongCount_isWrongUsage(String command) {
    assertThat(server.run(command.split(" "))).isEqualTo(2);
    assertThat(server.err).contains("must be").contains(command.replaceFirst(".* ", ""));
  }

  @Test
  void wrongShard_isWrongUsage() {
    for (String shard : new String[] {"-5", "65535"}) {
      assertThat(execute(2, "log", "export", dir.toString(), "--shard", shard))
          .contains("--shard: " + shard + " must be 0 to 65534");
    }
  }

  @Test
  void missingFile_isWrongUsageEverywhere() {
    String none = dir.resolve("none").toString();
    assertThat(execute(2, "serve", "--config", none))
        .contains(none + " cannot be read: it does not exist");
    assertThat(server.run("feed", "--file", none)).isEqualTo(2);
    assertThat(server.err).contains(none + ": there is no such file");
    assertThat(server.run("feed", "--generate", "1", "--out", none + "/x")).isEqualTo(2);
    assertThat(server.err).contains("there is no folder for " + none + "/x");
    assertThat(server.run("feed", "--generate", "1", "--out", "/")).isEqualTo(2);
    assertThat(server.err).contains("--out: / cannot be written: Is a directory");
  }

  @Test
  void text_isUtf8WhateverTheLocale() throws Exception {
    server.bus.ingest(RawEvent.of("\"größe データ\""));
    TestServer.await(server.bus.flush());
    Map<String, String> plain = Map.of("LC_ALL", "C", "LANG", "C");
    var tail = processes.start(plain, "tail", "--from-start", "--count", "1", "--url", url());
    assertThat(tail.exit()).as(tail.stderr()).isZero();
    assertThat(tail.stdout()).contains("größe データ");
    Path config = Files.writeString(dir.resolve("c.json"), "{\"bus\":{\"größe\":1}}");
    var serve = processes.start(plain, "serve", "--check", "--config", config.toString());
    assertThat(serve.exit()).isEqualTo(2);
    assertThat(serve.stderr()).contains("größe");
  }

  @Test
  void hostName_mayHaveAnUnderscore() throws Exception {
    String url = "http://a_b:" + server.gateway.port();
    var stats = processes.start("stats", "--json", "--url", url);
    assertThat(stats.exit()).as(stats.stderr()).isZero();
    var feed = processes.start("feed", "--generate", "3", "--via", "ws", "--url", url);
    assertThat(feed.exit()).as(feed.stderr()).isZero();
    var unknown = processes.start("stats", "--url", "http://no_such:1");
    assertThat(unknown.exit()).isEqualTo(1);
    assertThat(unknown.stderr()).contains("no_such").hasLineCount(1);
  }

  private static Stream<CommandLine> commands(CommandLine from) {
    return Stream.concat(
        Stream.of(from),
        from.getSubcommands().values().stream().flatMap(CommandLineTest::commands));
  }

  @Test
  void help_fitsInto80ColumnsWithoutBreakingAWord() {
    commands(Main.commandLine(new Main()))
        .filter(command -> !command.getCommandName().equals("help"))
        .forEach(
            command -> {
              String usage = command.getUsageMessage(CommandLine.Help.Ansi.OFF);
              String name = command.getCommandSpec().qualifiedName();
              assertThat(usage.lines()).as(name).allMatch(line -> line.length() <= 80);
              var message = command.getCommandSpec().usageMessage();
              for (String line : message.footer()) {
                assertThat(usage.lines()).as(name).contains(line);
              }
              Set<String> words = new TreeSet<>(List.of(usage.split("\\s+")));
              Stream<String> said =
                  command.getCommandSpec().options().stream()
                      .flatMap(option -> Arrays.stream(option.description()));
              Stream.concat(said, Arrays.stream(message.description()))
                  .flatMap(text -> Arrays.stream(text.strip().split("\\s+")))
                  .filter(word -> !word.contains("$"))
                  .forEach(word -> assertThat(words).as(name).contains(word));
              if (command.getCommandSpec().findOption("--url") != null) {
                assertThat(usage).as(name).contains("(http://127.0.0.1:8080)");
              }
            });
  }

  @Test
  void mistypedName_isAnsweredWithTheNearest() {
    assertThat(execute(2, "serve", "--prot", "80")).contains("--port").doesNotContain("--print");
    assertThat(execute(2, "serve", "--prot=80")).contains("--port").doesNotContain("--print");
    assertThat(execute(2, "srve")).contains("serve").doesNotContain("stats");
    assertThat(execute(2, "serve", "--nothing-like-it")).contains("--help");
  }

  @Test
  void emptyList_saysSo() {
    assertThat(server.run("replay", "--list")).isZero();
    assertThat(server.out.strip()).isEqualTo("there are no dead letters");
    assertThat(server.run("replay", "--list", "--json")).isZero();
    assertThat(server.out).isEmpty();
  }

  @Test
  void one_isNotWrittenAsSeveral() {
    assertThat(server.run("feed", "--generate", "1")).isZero();
    assertThat(server.out).startsWith("1 event sent, ");
    assertThat(server.run("scale", "down", "1")).isZero();
    assertThat(server.run("top", "--once")).isZero();
    assertThat(server.out).startsWith("1 shard, sink memory");
  }

  @Test
  void tail_takesJsonAsTheOthersDo() throws Exception {
    server.bus.ingest(RawEvent.of("1"));
    TestServer.await(server.bus.flush());
    assertThat(server.run("tail", "--json", "--from-start", "--count", "1"))
        .as(server.err)
        .isZero();
    assertThat(server.json().getInteger("event")).isEqualTo(1);
  }

  @Test
  void generatedEvents_areOrdersAndClicksWithKeysAndIds() throws Exception {
    recordInstead();
    assertThat(server.run("feed", "--generate", "1000")).as(server.err).isZero();
    assertThat(server.run("feed", "--generate", "1000")).as(server.err).isZero();
    TestServer.await(server.bus.flush());
    List<ShardEvent> events = sink.all();
    assertThat(events).as("none of them was there before").hasSize(2_000);
    assertThat(events).extracting(ShardEvent::id).doesNotContainNull().doesNotHaveDuplicates();
    for (ShardEvent event : events) {
      JsonObject json = event.payload().toJsonObject();
      assertThat(json.getString("type")).isIn("order", "click");
      assertThat(json.getJsonObject("user").getString("id")).isEqualTo(event.key());
      assertThat(event.payload().toString()).matches("\\p{ASCII}+");
    }
    assertThat(server.run("feed", "--generate", "9", "--seed", "1", "--json")).isZero();
    assertThat(server.run("feed", "--generate", "9", "--seed", "1", "--json")).isZero();
    assertThat(server.json().getInteger("duplicates")).as("the same again").isEqualTo(9);
  }

  @Test
  void strangeEvents_haveStrangeTextAndKeys() throws Exception {
    recordInstead();
    String[] feed = {"feed", "--generate", "1000", "--strange", "--key-path", "user.id", "--json"};
    assertThat(server.run(feed)).as(server.out + server.err).isZero();
    TestServer.await(server.bus.flush());
    assertThat(sink.all()).extracting(ShardEvent::key).doesNotContainNull();
    assertThat(sink.all()).extracting(event -> event.payload().toString()).anyMatch(this::strange);
    assertThat(server.run("feed", "--strange")).isEqualTo(2);
  }

  private boolean strange(String text) {
    return text.contains("データ");
  }

  @Test
  void progress_isForTerminals() throws Exception {
    assertThat(server.run("feed", "--generate", "10")).isZero();
    assertThat(server.err).isEmpty();
    Path out = dir.resolve("terminal");
    String command = onTerminal("feed --generate 10 --url " + url());
    Process feed = script(command, out);
    assertThat(feed.waitFor()).isZero();
    assertThat(Files.readString(out)).contains("10 acknowledged, 0 rejected").contains("\r");
  }

  @Test
  void standardInput_isAnnouncedOnATerminal() throws Exception {
    Path out = dir.resolve("terminal");
    Process feed = script(onTerminal("feed --url " + url()), out);
    try {
      Awaitility.await()
          .atMost(Duration.ofSeconds(60))
          .until(() -> Files.readString(out).contains("standard input"));
    } finally {
      feed.destroyForcibly();
    }
  }

  private static String onTerminal(String words) {
    return String.join(" ", Java.command("io.shardbus.app.Main", words));
  }

  private static Process script(String command, Path out) throws Exception {
    return new ProcessBuilder("script", "-qec", command, "/dev/null")
        .redirectOutput(out.toFile())
        .start();
  }

  @Test
  void interruptedFeed_givesItsSummary() throws Exception {
    var feed = processes.start("feed", "--json", "--url", url());
    feed.process().getOutputStream().write("1\n2\n".getBytes(StandardCharsets.UTF_8));
    feed.process().getOutputStream().flush();
    Awaitility.await()
        .atMost(Duration.ofSeconds(60))
        .until(() -> server.bus.stats().total().accepted() == 2);
    feed.process().destroy();
    feed.exit();
    assertThat(new JsonObject(feed.stdout()).getInteger("sent")).isEqualTo(2);
  }
}
