package examples;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.event.RawEvent;
import io.shardbus.gateway.Gateway;
import io.shardbus.gateway.GatewayOptions;
import io.shardbus.sink.SinkOptions;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.file.OpenOptions;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the README shows is what runs. */
class ReadmeTest {

  private static final Path EXAMPLES = Path.of("src/test/java/examples");

  @TempDir Path dir;
  private Vertx vertx;
  private ShardBus bus;
  private Gateway gateway;
  private String readme;

  @BeforeEach
  void start() throws Exception {
    vertx = Vertx.vertx();
    bus = await(ShardBus.start(vertx, new ShardBusOptions().setSink(new SinkOptions("memory"))));
    gateway = await(Gateway.start(vertx, bus, new GatewayOptions().setPort(0)));
    readme = Files.readString(Path.of("README.md"));
  }

  @AfterEach
  void stop() throws Exception {
    await(gateway.close());
    await(bus.close());
    await(vertx.close());
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
  }

  private List<String> blocks(String language) {
    return Pattern.compile("```" + language + "\n(.*?)```", Pattern.DOTALL)
        .matcher(readme)
        .results()
        .map((MatchResult found) -> found.group(1))
        .toList();
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
    assertThat(blocks("java")).hasSize(5).allSatisfy(b -> assertThat(examples).contains(b));
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
    ShardBus group = await(ShardBus.start(vertx, options));
    await(group.deliverAwait(RawEvent.of("1")));
    await(group.close());
    ShardBus printing = await(ShardBus.start(vertx, options, new PrintingSink()));
    await(printing.deliverAwait(RawEvent.of("2")));
    await(printing.close());
  }

  @Test
  void embeddedBus_writesItsLog() throws Exception {
    await(EmbeddedBus.run(vertx, dir.toString()));
    assertThat(Files.exists(dir.resolve("log"))).isTrue();
  }

  @Test
  void curlCommands_work() throws Exception {
    int commands = 0;
    for (String block : blocks("sh")) {
      if (block.contains("curl")) {
        String script = block.replace("curl ", "curl -sSf ").replace("8080", "" + gateway.port());
        run("sh", "-ec", script);
        commands++;
      }
    }
    assertThat(commands).isEqualTo(3);
    await(bus.flush());
    assertThat(bus.stats().total().delivered()).isEqualTo(3);
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
