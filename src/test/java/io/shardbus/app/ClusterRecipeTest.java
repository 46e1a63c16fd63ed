package io.shardbus.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.Ack;
import io.shardbus.event.RawEvent;
import io.shardbus.eventbus.EventBusPublisher;
import io.shardbus.eventbus.EventBusPublisherOptions;
import io.shardbus.sink.ClusteredNode;
import io.shardbus.testing.Java;
import io.shardbus.testing.Ports;
import io.shardbus.testing.Program;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Does what docs/cluster.md says, on other ports. */
@Tag("backend")
@Timeout(300)
class ClusterRecipeTest {

  private static final String DONE = "-- done --";
  private static final int KEYS = 8;

  /** Requests that may fail while nodes come and go. */
  private static final int HANDFUL = 5;

  @TempDir Path dir;
  private final String redis = Integer.toString(Ports.free());
  private final String ports = prefixOfFreePorts();
  private final int clusterPort = Ports.free();
  private List<String> steps;
  private Process shell;
  private Vertx vertx;

  @BeforeEach
  void setUp() throws Exception {
    for (String program : List.of("redis-server", "redis-cli", "nginx", "curl")) {
      Program.require(program);
    }
    String page = Files.readString(Path.of("docs/cluster.md"));
    steps =
        Pattern.compile("```sh\n(.*?)```", Pattern.DOTALL)
            .matcher(page)
            .results()
            .map((MatchResult block) -> onMyPorts(block.group(1)))
            .toList();
    Path conf = Files.createDirectories(dir.resolve("conf/cluster"));
    Files.writeString(
        conf.resolve("nginx.conf"),
        onMyPorts(Files.readString(Path.of("conf/cluster/nginx.conf"))));
    Path bin = Files.createDirectories(dir.resolve("bin"));
    Path program =
        Files.writeString(
            bin.resolve("shardbus"),
            """
            #!/bin/sh
            exec %s "$@"
            """
                .formatted(
                    String.join(
                        " ", Java.command(ClusteredNode.JOIN_AT_ONCE, "io.shardbus.app.Main"))));
    assertThat(program.toFile().setExecutable(true)).isTrue();
    ProcessBuilder builder =
        new ProcessBuilder("sh").directory(dir.toFile()).redirectErrorStream(true);
    Map<String, String> environment = builder.environment();
    environment.put("PATH", bin + ":" + environment.get("PATH"));
    environment.put("SHARDBUS_SINK_CONFIG", "{\"connectionString\":\"" + redisUrl() + "\"}");
    environment.put("SHARDBUS_CLUSTER_PORT", Integer.toString(clusterPort));
    environment.put("SHARDBUS_CLUSTER_NAME", "recipe-" + ports);
    shell = builder.start();
  }

  @AfterEach
  void tearDown() throws Exception {
    if (vertx != null) {
      get(vertx.close());
    }
    if (shell != null) {
      run(steps.get(steps.size() - 1)); // also if a step before it failed
      shell.descendants().forEach(ProcessHandle::destroyForcibly);
      shell.destroyForcibly().waitFor();
    }
  }

  private static String prefixOfFreePorts() {
    while (true) {
      int prefix = Ports.free() / 10;
      if (List.of(0, 1, 2, 3).stream().allMatch(last -> isFree(10 * prefix + last))) {
        return Integer.toString(prefix);
      }
    }
  }

  private static boolean isFree(int port) {
    try (ServerSocket socket = new ServerSocket(port, 1, InetAddress.getLoopbackAddress())) {
      return socket.isBound();
    } catch (IOException taken) {
      return false;
    }
  }

  private String onMyPorts(String text) {
    return text.replace("808", ports).replace("6379", redis);
  }

  private String redisUrl() {
    return "redis://127.0.0.1:" + redis;
  }

  private static <T> T get(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  /** Feeds lines to the shell as a person types them. */
  private String run(String lines) throws IOException {
    Writer in = shell.outputWriter();
    in.write(lines + "\necho; echo '" + DONE + "'\n");
    in.flush();
    StringBuilder out = new StringBuilder();
    BufferedReader reader = shell.inputReader();
    for (String line = reader.readLine();
        line != null && !line.equals(DONE);
        line = reader.readLine()) {
      out.append(line).append('\n');
    }
    return out.toString();
  }

  @Test
  void recipe_givesThreeNodesThatRestartOneAfterTheOther() throws Exception {
    assertThat(steps).hasSize(4);
    run(steps.get(0));
    assertThat(run(steps.get(1))).contains("{\"shard\":").containsPattern("(?s)( redis\\s.*){3}");
    vertx = ClusteredNode.start("recipe-" + ports, clusterPort);
    Publisher publisher = new Publisher();
    Poster poster = new Poster();
    poster.start();
    run(steps.get(2));
    poster.enough = true;
    poster.join();
    get(publisher.end());
    assertThat(publisher.failures).isEmpty();
    assertThat(publisher.confirmed).hasSizeGreaterThan(100);
    assertThat(poster.failures).hasSizeLessThanOrEqualTo(HANDFUL).isSubsetOf("502");
    assertThat(poster.taken).hasSizeGreaterThan(100);
    Map<String, List<String>> stored = stored();
    List<String> all = stored.values().stream().flatMap(List::stream).toList();
    assertThat(all).doesNotHaveDuplicates();
    Set<String> missing = new HashSet<>(publisher.confirmed);
    missing.addAll(poster.taken);
    missing.removeAll(new HashSet<>(all)); // of sets: AssertJ compares each with each
    assertThat(missing).isEmpty();
    for (int key = 0; key < KEYS; key++) {
      assertThat(stored.get("publisher" + key).stream().map(Integer::valueOf)).isSorted();
    }
  }

  private record Entry(long millis, String key, String payload) {}

  /** What is in Redis, by key. A key may move between shards, so the time tells the order. */
  private Map<String, List<String>> stored() throws Exception {
    Redis client = Redis.createClient(vertx, redisUrl());
    List<Entry> entries = new ArrayList<>();
    for (Response name : get(client.send(Request.cmd(Command.KEYS).arg("shardbus:shard:*")))) {
      if (!name.toString().matches("shardbus:shard:[0-9]+")) {
        continue;
      }
      Request range = Request.cmd(Command.XRANGE).arg(name.toString()).arg("-").arg("+");
      for (Response entry : get(client.send(range))) {
        Map<String, String> fields = new HashMap<>();
        Response pairs = entry.get(1);
        for (int i = 0; i + 1 < pairs.size(); i += 2) {
          fields.put(pairs.get(i).toString(), pairs.get(i + 1).toString());
        }
        String id = entry.get(0).toString();
        long millis = Long.parseLong(id.substring(0, id.indexOf('-')));
        entries.add(new Entry(millis, fields.get("key"), fields.get("payload")));
      }
    }
    client.close();
    return entries.stream()
        .sorted(Comparator.comparing(Entry::millis))
        .collect(
            Collectors.groupingBy(
                Entry::key, Collectors.mapping(Entry::payload, Collectors.toList())));
  }

  private final class Publisher {

    private final EventBusPublisher publisher =
        EventBusPublisher.create(vertx, new EventBusPublisherOptions().setAck(Ack.DELIVERED));
    private final Set<String> confirmed = ConcurrentHashMap.newKeySet();
    private final List<Throwable> failures = new CopyOnWriteArrayList<>();
    private final long timer = vertx.setPeriodic(10, tick -> write());
    private int next;

    private void write() {
      if (!publisher.writeQueueFull()) {
        String number = Integer.toString(next++);
        publisher
            .write(
                RawEvent.of(Buffer.buffer(number), "publisher" + Integer.parseInt(number) % KEYS))
            .onSuccess(done -> confirmed.add(number))
            .onFailure(failures::add);
      }
    }

    Future<Void> end() {
      vertx.cancelTimer(timer);
      return publisher.end();
    }
  }

  /** Posts by nginx, one request after the other, up to a hundred a second. */
  private final class Poster extends Thread {

    private final Set<String> taken = ConcurrentHashMap.newKeySet();
    private final List<String> failures = new CopyOnWriteArrayList<>();
    private volatile boolean enough;

    @Override
    public void run() {
      HttpClient client = HttpClient.newHttpClient();
      for (int i = 0; !enough; i++) {
        LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(10));
        String event = "\"posted " + i + "\"";
        URI uri =
            URI.create(
                "http://127.0.0.1:" + ports + "0/v1/events?ack=delivered&key=poster" + i % KEYS);
        HttpRequest request =
            HttpRequest.newBuilder(uri)
                .header("Content-Type", "application/json")
                .POST(HttpRequest.BodyPublishers.ofString(event))
                .build();
        try {
          int status = client.send(request, HttpResponse.BodyHandlers.discarding()).statusCode();
          if (status == 202) {
            taken.add(event);
          } else {
            failures.add(Integer.toString(status));
          }
        } catch (IOException | InterruptedException e) {
          failures.add(e.toString());
        }
      }
    }
  }
}
