package io.shardbus.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.app.CommandProcesses.Run;
import io.shardbus.event.Ack;
import io.shardbus.event.Batch;
import io.shardbus.event.RawEvent;
import io.shardbus.eventbus.EventBusPublisher;
import io.shardbus.eventbus.EventBusPublisherOptions;
import io.shardbus.sink.ClusteredNode;
import io.shardbus.sink.eventbus.EventBusConsumer;
import io.shardbus.testing.Java;
import io.shardbus.testing.Ports;
import io.shardbus.testing.Program;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A server as a node of a cluster whose other node publishes and consumes. */
@Tag("backend")
class ServeClusterTest {

  @TempDir Path dir;
  private Vertx vertx;
  private CommandProcesses processes;

  @BeforeEach
  void prepare() {
    processes = new CommandProcesses(dir, Java.command("io.shardbus.app.Main"));
  }

  @AfterEach
  void stop() throws Exception {
    processes.killAll();
    if (vertx != null) {
      await(vertx.close());
    }
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  @Test
  void publishersAndConsumersOfTheCluster_areServed() throws Exception {
    int port = Ports.free();
    vertx = ClusteredNode.start("serve", port);
    Path config = Files.writeString(dir.resolve("hazelcast.xml"), ClusteredNode.xml("serve", port));
    List<String> consumed = new CopyOnWriteArrayList<>();
    await(
        EventBusConsumer.start(
            vertx,
            "shardbus.events",
            2,
            (Batch batch) -> {
              batch.events().forEach(event -> consumed.add(event.payload().toString()));
              return Future.succeededFuture();
            }));
    Run server =
        processes.start(
            Map.of("SHARDBUS_CLUSTER_CONFIG_FILE", config.toString()),
            "serve",
            "--cluster",
            "--cluster-host",
            "127.0.0.1",
            "--port",
            "0",
            "--sink",
            "eventbus",
            "--data",
            dir.resolve("data").toString());
    server.url();
    EventBusPublisher publisher =
        EventBusPublisher.create(vertx, new EventBusPublisherOptions().setAck(Ack.DELIVERED));
    List<String> sent = IntStream.range(0, 1_000).mapToObj(i -> "event " + i).toList();
    await(Future.all(sent.stream().map(RawEvent::of).map(publisher::write).toList()));
    assertThat(consumed).containsExactlyInAnyOrderElementsOf(sent);
    server.process().destroy();
    assertThat(server.exit()).as(server.stderr()).isZero();
    assertThat(server.stderr()).contains("stopped: 1000 events accepted, 1000 delivered");
  }

  /** Two servers without a configuration of one's own. */
  private List<Run> two(String where) throws Exception {
    Map<String, String> alone =
        Map.of(
            where,
            "localhost",
            "SHARDBUS_CLUSTER_PORT",
            Integer.toString(Ports.free()),
            "SHARDBUS_CLUSTER_NAME",
            dir.getFileName().toString());
    List<Run> servers = new ArrayList<>();
    for (String folder : List.of("one", "two")) {
      Run server =
          processes.start(
              alone,
              "serve",
              "--cluster",
              "--port",
              "0",
              "--sink",
              "memory",
              "--data",
              dir.resolve(folder).toString());
      server.url();
      servers.add(server);
    }
    return servers;
  }

  private static List<JsonObject> nodes(Run server) throws Exception {
    String body =
        HttpClient.newHttpClient()
            .send(
                HttpRequest.newBuilder(URI.create(server.url() + "/v1/cluster")).build(),
                HttpResponse.BodyHandlers.ofString())
            .body();
    return new JsonObject(body).getJsonArray("nodes").stream().map(JsonObject.class::cast).toList();
  }

  private static void awaitNodes(Run server, Predicate<List<JsonObject>> condition) {
    // If the cluster has broken, Hazelcast takes up to half a minute to merge it, or more under
    // load.
    Awaitility.await().atMost(180, TimeUnit.SECONDS).until(() -> nodes(server), condition);
  }

  private static void assertListenOnTheLoopbackOnly(List<Run> servers) throws Exception {
    for (Run server : servers) {
      assertThat(server.stderr()).contains("its ports listen on 127.0.0.1, so only this machine");
      assertThat(listening(server.process().pid()))
          .hasSizeGreaterThanOrEqualTo(3)
          .allMatch(address -> address.endsWith("0100007F"), "loopback");
    }
  }

  @Test
  void nodesOfOneMachine_findEachOtherAndAreShownUntilTheyLeave() throws Exception {
    List<Run> servers = two("SHARDBUS_CLUSTER_MEMBERS");
    Run one = servers.get(0);
    Process other = servers.get(1).process();
    awaitNodes(one, nodes -> nodes.size() == 2);
    assertListenOnTheLoopbackOnly(servers);
    assertThat(nodes(one)).extracting(node -> node.getBoolean("self")).containsExactly(true, false);
    assertThat(nodes(one).get(1).getString("name")).endsWith("/" + other.pid());
    assertThat(nodes(one)).allMatch(node -> node.getString("sink").equals("memory"));
    signal("STOP", other);
    awaitNodes(one, nodes -> !nodes.get(1).getBoolean("answers"));
    assertThat(nodes(one).get(1).getLong("silentMillis")).isPositive();
    // In this JVM, so that the other is not stopped for so long that the cluster breaks.
    Command stats = Command.run("stats", "--cluster", "--url", one.url());
    assertThat(stats.exit()).isZero();
    assertThat(stats.stdout())
        .containsSubsequence("delivered/s", "* ", "memory", "/" + other.pid(), "does not answer");
    signal("CONT", other);
    awaitNodes(one, nodes -> nodes.get(1).getBoolean("answers"));
    other.destroy();
    awaitNodes(one, nodes -> nodes.size() == 1);
  }

  @Test
  @Tag("browser")
  void nodesOfAService_findEachOtherAndAreShownInTheConsole() throws Exception {
    List<Run> servers = two("SHARDBUS_CLUSTER_SERVICE");
    awaitNodes(servers.get(0), nodes -> nodes.size() == 2);
    assertListenOnTheLoopbackOnly(servers);
    String page = Program.page(servers.get(0).url(), dir.resolve("chromium"));
    assertThat(page)
        .containsSubsequence("node-rows", "/" + servers.get(0).process().pid() + " (this one)")
        .contains("/" + servers.get(1).process().pid() + "</th>")
        .containsPattern("<section id=\"nodes\" aria-labelledby=\"nodes-title\">");
  }

  private static void signal(String name, Process process) throws Exception {
    assertThat(new ProcessBuilder("kill", "-" + name, "" + process.pid()).start().waitFor())
        .isZero();
  }

  /** The addresses on which a process listens, as Linux writes them. */
  private static List<String> listening(long pid) throws Exception {
    Set<String> sockets = new HashSet<>();
    try (Stream<Path> files = Files.list(Path.of("/proc/" + pid + "/fd"))) {
      for (Path file : files.toList()) {
        if (Files.exists(file, LinkOption.NOFOLLOW_LINKS)) {
          sockets.add(Files.readSymbolicLink(file).toString());
        }
      }
    }
    List<String> addresses = new ArrayList<>();
    for (String table : List.of("tcp", "tcp6")) {
      for (String line : Files.readAllLines(Path.of("/proc/" + pid + "/net/" + table))) {
        String[] fields = line.strip().split("\\s+", -1);
        if (fields[3].equals("0A") && sockets.contains("socket:[" + fields[9] + "]")) {
          addresses.add(fields[1].substring(0, fields[1].indexOf(':')));
        }
      }
    }
    return addresses;
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "cluster.host|192.0.2.1|cluster.host: \"192.0.2.1\" must be an address of this machine",
        "cluster.members|127.0.0.1:x|cannot join the cluster by cluster.members 127.0.0.1:x: "
      })
  void badAddress_isNamed(String option, String value, String says) throws Exception {
    Run run =
        processes.start(
            Map.of("SHARDBUS_" + option.toUpperCase(Locale.ROOT).replace('.', '_'), value),
            "serve",
            "--cluster",
            "--data",
            dir.resolve("data").toString());
    assertThat(run.exit()).isIn(1, 2);
    assertThat(run.stderr()).contains("shardbus: " + says);
  }

  @Test
  void badXml_isNamedWithItsFile() throws Exception {
    Path bad = Files.writeString(dir.resolve("bad.xml"), "<hazelcast>\n<network>\n</hazelcast>");
    Path unknown =
        Files.writeString(
            dir.resolve("unknown.xml"),
            "<hazelcast xmlns='http://www.hazelcast.com/schema/config'><nett/></hazelcast>");
    for (Path file : List.of(bad, unknown, dir.resolve("missing.xml"))) {
      Run run =
          processes.start(
              Map.of("SHARDBUS_CLUSTER_CONFIG_FILE", file.toString()),
              "serve",
              "--cluster",
              "--check");
      assertThat(run.exit()).isEqualTo(2);
      assertThat(run.stderr()).contains("cluster.configFile: " + file);
    }
  }
}
