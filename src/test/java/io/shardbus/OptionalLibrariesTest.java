package io.shardbus;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.RawEvent;
import io.shardbus.gateway.Gateway;
import io.shardbus.gateway.GatewayOptions;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.shard.ScalingPolicy;
import io.shardbus.sink.SinkException;
import io.shardbus.sink.SinkOptions;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.json.JsonObject;
import java.io.File;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * An application that adds none of the optional libraries runs a bus and a gateway. If it asks for
 * something that needs a library, it is told which.
 */
class OptionalLibrariesTest {

  private static final List<String> OPTIONAL =
      List.of(
          "sqlite-jdbc",
          "jackson-databind",
          "jackson-annotations",
          "micrometer",
          "prometheus",
          "vertx-redis-client",
          "jnats",
          "kafka",
          "chart.js",
          "picocli",
          "HdrHistogram",
          "logback",
          "slf4j");

  /** The application. */
  public static void main(String[] arguments) throws Exception {
    Vertx vertx = Vertx.vertx();
    try {
      use(vertx);
    } finally {
      vertx.close().await();
    }
  }

  private static void use(Vertx vertx) throws Exception {
    ShardBusOptions options =
        new ShardBusOptions().setSink(new SinkOptions("memory")).setScaling(new ScalingPolicy());
    ShardBus bus = ShardBus.start(vertx, options).await();
    System.out.println("accepted " + bus.deliver(RawEvent.of("{}")).await().accepted());
    System.out.println("letters " + letters(vertx));
    Gateway gateway = Gateway.start(vertx, bus, new GatewayOptions().setPort(0)).await();
    HttpClient client = vertx.createHttpClient();
    System.out.println("post " + status(client, gateway, HttpMethod.POST, "/v1/events"));
    for (String path :
        List.of("events", "stats", "shards", "policy", "log-level", "limits", "dead-letters")) {
      System.out.println(path + " " + status(client, gateway, HttpMethod.GET, "/v1/" + path));
    }
    client.close().await(); // until here, or it would be closed once it is garbage
    gateway.close().await();
    bus.close().await();
    for (String sink : List.of("log", "redis", "jetstream", "kafka")) {
      refused(ShardBus.start(vertx, new ShardBusOptions().setSink(new SinkOptions(sink))));
    }
    refused(ShardBus.start(vertx, new ShardBusOptions(options).setDataDir("no-such-folder")));
    try {
      System.out.println(new ShardBusOptions(new JsonObject().put("shards", 2)).getShards());
    } catch (IllegalArgumentException e) {
      System.out.println(e.getMessage());
    }
  }

  /** How many are kept of an event that the sink refuses. */
  private static long letters(Vertx vertx) throws Exception {
    RecordingSink refusing = new RecordingSink();
    refusing.fail(SinkException.permanentFailure("no"));
    ShardBusOptions options = new ShardBusOptions().setAddress("refusing");
    ShardBus bus = ShardBus.start(vertx, options, refusing).await();
    bus.ingest(RawEvent.of("{}"));
    bus.flush().await();
    long letters = bus.deadLetters().count().await();
    bus.close().await();
    return letters;
  }

  private static int status(HttpClient client, Gateway gateway, HttpMethod method, String path) {
    return client
        .request(method, gateway.port(), "localhost", path)
        .compose(
            request ->
                HttpMethod.POST.equals(method)
                    ? request
                        .putHeader("Content-Type", "application/json")
                        .send(Buffer.buffer("{}"))
                    : request.send())
        .map(HttpClientResponse::statusCode)
        .await();
  }

  private static void refused(Future<ShardBus> start) throws InterruptedException {
    try {
      start.await();
      System.out.println("started");
    } catch (Throwable e) {
      System.out.println(e.getMessage());
    }
  }

  @TempDir Path dir;

  @Test
  void applicationWithoutThem_runsAndIsToldWhatIsMissing() throws Exception {
    String classPath =
        Arrays.stream(System.getProperty("java.class.path").split(File.pathSeparator))
            .filter(
                entry ->
                    OPTIONAL.stream().noneMatch(Path.of(entry).getFileName().toString()::contains))
            .collect(Collectors.joining(File.pathSeparator));
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                classPath,
                OptionalLibrariesTest.class.getName())
            .directory(dir.toFile())
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    assertThat(output)
        .contains("accepted true", "letters 1", "post 202", "events 200", "stats 200")
        .contains("shards 200", "log-level 404", "dead-letters 200")
        .contains("sink log: needs the library org.xerial:sqlite-jdbc on the class path")
        .contains("sink redis: needs the library io.vertx:vertx-redis-client on the class path")
        .contains("sink jetstream: needs the library io.nats:jnats on the class path")
        .contains("sink kafka: needs the library org.apache.kafka:kafka-clients on the class path")
        .contains("dataDir: needs the library org.xerial:sqlite-jdbc on the class path")
        .contains("options: their JSON form needs the library")
        .doesNotContain("started", "NoClassDefFoundError");
    assertThat(dir).as("a bus that did not start leaves nothing").isEmptyDirectory();
  }
}
