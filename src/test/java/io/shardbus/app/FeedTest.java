package io.shardbus.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.ShardEvent;
import io.shardbus.gateway.GatewayOptions;
import io.shardbus.gateway.TokenOptions;
import io.shardbus.junit5.RecordingSink;
import io.vertx.core.Promise;
import io.vertx.core.http.HttpServer;
import io.vertx.core.http.HttpServerOptions;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.io.InputStream;
import java.io.PipedInputStream;
import java.io.PipedOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import java.util.zip.GZIPOutputStream;
import org.awaitility.Awaitility;
import org.awaitility.core.ConditionFactory;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What {@code feed} says it did, and what came of it. */
@Tag("once")
class FeedTest {

  private static final int EVENTS = 5_000;

  @TempDir Path dir;
  private final InputStream stdin = System.in;
  private TestServer server;

  @AfterEach
  void tearDown() throws Exception {
    System.setIn(stdin);
    server.close();
  }

  private static ConditionFactory soon() {
    return Awaitility.await().atMost(Duration.ofSeconds(30));
  }

  private static byte[] lines(int count) {
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < count; i++) {
      lines
          .append("{\"n\":")
          .append(i)
          .append(",\"user\":{\"id\":\"u")
          .append(i % 7)
          .append("\"}}\n");
    }
    return lines.toString().getBytes(StandardCharsets.UTF_8);
  }

  private Path gz(byte[] bytes) throws IOException {
    Path file = dir.resolve("events.ndjson.gz");
    try (GZIPOutputStream out = new GZIPOutputStream(Files.newOutputStream(file))) {
      out.write(bytes);
    }
    return file;
  }

  /** Runs it while the test goes on. */
  private CompletableFuture<Integer> feed(String... words) {
    List<String> all = new ArrayList<>(List.of("feed", "--json"));
    all.addAll(List.of(words));
    return beside(() -> server.run(all.toArray(String[]::new)));
  }

  /** Not in the common pool, which the JDK's client needs and which may have a single thread. */
  private static CompletableFuture<Integer> beside(Supplier<Integer> command) {
    return CompletableFuture.supplyAsync(command, task -> new Thread(task).start());
  }

  private static int code(CompletableFuture<Integer> feed) throws Exception {
    return feed.get(60, TimeUnit.SECONDS);
  }

  private void assertSaid(long sent, long acked, long rejected, long unknown) {
    assertThat(server.json())
        .contains(
            Map.entry("sent", (int) sent),
            Map.entry("acked", (int) acked),
            Map.entry("rejected", (int) rejected),
            Map.entry("unknown", (int) unknown));
  }

  private void assertFailed(CompletableFuture<Integer> feed, String why) throws Exception {
    assertThat(code(feed)).as(server.out).isEqualTo(1);
    assertThat(server.err.strip().lines()).hasSize(1).first().asString().contains(why);
    JsonObject said = server.json();
    assertThat(said.getLong("acked") + said.getLong("rejected") + said.getLong("unknown"))
        .isEqualTo(said.getLong("sent"));
  }

  @ParameterizedTest
  @CsvSource({
    "http, accepted, 1",
    "http, delivered, 4",
    "ws, accepted, 4",
    "ws, delivered, 1",
  })
  void compressedFile_isTakenAsTheServerCounts(String via, String ack, String connections)
      throws Exception {
    RecordingSink sink = new RecordingSink();
    server = new TestServer(sink, new GatewayOptions());
    String file = gz(lines(EVENTS)).toString();
    assertThat(
            code(
                feed(
                    "--file",
                    file,
                    "--via",
                    via,
                    "--ack",
                    ack,
                    "--connections",
                    connections,
                    "--key-path",
                    "user.id")))
        .as(server.err)
        .isZero();
    assertSaid(EVENTS, EVENTS, 0, 0);
    assertThat(server.json().getLong("eventsPerSecond")).isPositive();
    assertThat(server.run("stats", "--json")).isZero();
    assertThat(server.json().getLong("offered")).isEqualTo(EVENTS);
    assertThat(server.json().getLong("accepted")).isEqualTo(EVENTS);
    if (ack.equals("delivered")) {
      assertThat(server.json().getLong("delivered")).isEqualTo(EVENTS);
    }
    TestServer.await(server.bus.flush());
    assertThat(sink.all())
        .hasSize(EVENTS)
        .allMatch(
            event ->
                event
                    .payload()
                    .toJsonObject()
                    .getJsonObject("user")
                    .getString("id")
                    .equals(event.key()));
    assertThat(sink.all().stream().map(ShardEvent::payload)).doesNotHaveDuplicates();
  }

  /** The largest line that fits into a message, behind small ones that nearly fill a batch. */
  @ParameterizedTest
  @ValueSource(strings = {"http", "ws"})
  void largeLine_isSentAlone(String via) throws Exception {
    server = new TestServer();
    Path file = dir.resolve("large.ndjson");
    String large = "\"" + "x".repeat((1 << 20) - 2) + "\"\n";
    Files.writeString(file, "1\n".repeat(900) + large + "2\n" + large);
    assertThat(code(feed("--file", file.toString(), "--via", via))).as(server.err).isZero();
    assertSaid(903, 903, 0, 0);
  }

  /** A program may write a line now and then, or a part of one. */
  @ParameterizedTest
  @ValueSource(strings = {"http", "ws"})
  void standardInput_isSentAsItComes(String via) throws Exception {
    server = new TestServer();
    PipedOutputStream program = new PipedOutputStream();
    System.setIn(new PipedInputStream(program));
    CompletableFuture<Integer> feed = feed("--via", via);
    program.write("1\n2\n[3".getBytes(StandardCharsets.UTF_8));
    program.flush();
    soon().until(() -> server.bus.stats().total().accepted() == 2);
    program.write("]\n{\n".getBytes(StandardCharsets.UTF_8));
    program.flush();
    soon().until(() -> server.bus.stats().total().accepted() == 3);
    assertThat(feed).isNotDone();
    program.write("4".getBytes(StandardCharsets.UTF_8));
    program.close();
    assertThat(code(feed)).as("one was rejected").isEqualTo(1);
    assertSaid(5, 4, 1, 0);
    assertThat(server.json().getJsonArray("errors")).hasSize(1);
    assertThat(server.err).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({"http, 1", "ws, 4"})
  void rate_isNotExceeded(String via, String connections) throws Exception {
    server = new TestServer();
    assertThat(
            code(
                feed(
                    "--generate",
                    "100",
                    "--rate",
                    "200",
                    "--via",
                    via,
                    "--connections",
                    connections)))
        .isZero();
    assertSaid(100, 100, 0, 0);
    assertThat(100 / server.json().getDouble("seconds")).isLessThanOrEqualTo(202);
  }

  @Test
  void fullBus_isWaitedForAndNothingIsLostOrTwice() throws Exception {
    RecordingSink sink = new RecordingSink();
    server = // which has room again after 50 ms, and no patience for that
        new TestServer(sink, new GatewayOptions().setBackpressureTimeout(Duration.ofMillis(1)));
    sink.behave(
        batch -> {
          Promise<Void> written = Promise.promise();
          server.vertx.setTimer(50, id -> written.complete());
          return written.future();
        });
    StringBuilder lines = new StringBuilder();
    for (int i = 0; i < EVENTS; i++) {
      lines.append("{\"n\":").append(i).append(i % 3 == 0 ? "}\n{\n" : "}\n");
    }
    byte[] bytes = lines.toString().getBytes(StandardCharsets.UTF_8);
    assertThat(code(feed("--file", gz(bytes).toString()))).as("some were rejected").isEqualTo(1);
    int invalid = (EVENTS + 2) / 3;
    assertSaid(EVENTS + invalid, EVENTS, invalid, 0);
    TestServer.await(server.bus.flush());
    assertThat(sink.all().stream().map(ShardEvent::payload))
        .hasSize(EVENTS)
        .doesNotHaveDuplicates();
  }

  @Test
  void fileThatCannotBeRead_isNamed() throws Exception {
    server = new TestServer();
    String none = dir.resolve("none.ndjson").toString();
    assertThat(code(feed("--file", none))).isEqualTo(2);
    assertThat(server.err.lines()).hasSize(1).first().asString().contains(none);
    Path plain = Files.write(dir.resolve("plain.gz"), lines(1));
    assertThat(code(feed("--file", plain.toString()))).isEqualTo(1);
    assertThat(server.err.lines()).hasSize(1).first().asString().contains(plain.toString());
    assertThat(server.bus.stats().offered()).isZero();
  }

  @ParameterizedTest
  @ValueSource(strings = {"http", "ws"})
  void damagedFile_isSentUpToTheDamage(String via) throws Exception {
    server = new TestServer();
    byte[] whole = Files.readAllBytes(gz(lines(EVENTS)));
    Path half = dir.resolve("half.gz");
    Files.write(half, Arrays.copyOf(whole, whole.length / 2));
    assertFailed(feed("--file", half.toString(), "--via", via), half.toString());
    long sent = server.json().getLong("sent");
    assertThat(sent).isBetween(1L, EVENTS - 1L);
    assertSaid(sent, sent, 0, 0);
    assertThat(server.bus.stats().total().accepted()).isEqualTo(sent);
  }

  /** What a server does that is killed: of the second message nobody knows. */
  @ParameterizedTest
  @ValueSource(strings = {"http", "ws"})
  void serverThatGoesMidway_leavesTheRestUnknown(String via) throws Exception {
    server = new TestServer();
    AtomicInteger messages = new AtomicInteger();
    HttpServer dying =
        TestServer.await(
            server
                .vertx
                .createHttpServer(
                    new HttpServerOptions().setWebSocketSubProtocols(List.of("shardbus.v1")))
                .requestHandler(
                    request ->
                        request.bodyHandler(
                            body -> {
                              if (messages.incrementAndGet() == 1) {
                                request.response().setStatusCode(202).end("{\"accepted\":1000}");
                              } else {
                                request.connection().close();
                              }
                            }))
                .webSocketHandler(
                    socket ->
                        socket.handler(
                            message -> {
                              if (messages.incrementAndGet() == 1) {
                                socket.writeTextMessage("{\"acked\":1000}");
                              } else {
                                socket.close((short) 1001, "gone");
                              }
                            }))
                .listen(0, "127.0.0.1"));
    String file = gz(lines(1_500)).toString();
    CompletableFuture<Integer> feed =
        beside(
            () -> server.runAt(dying.actualPort(), "feed", "--json", "--file", file, "--via", via));
    assertFailed(feed, "the");
    assertSaid(1_500, 1_000, 0, 500);
  }

  @ParameterizedTest
  @CsvSource({"http, 1", "http, 4", "ws, 4"})
  void serverThatIsStopped_endsIt(String via, String connections) throws Exception {
    server = new TestServer();
    try (PipedOutputStream program = new PipedOutputStream()) {
      System.setIn(new PipedInputStream(program));
      CompletableFuture<Integer> feed = feed("--via", via, "--connections", connections);
      program.write(lines(10));
      program.flush();
      soon().until(() -> server.bus.stats().total().accepted() == 10);
      TestServer.await(server.gateway.close());
      program.write(lines(10));
      program.flush();
      assertFailed(feed, "");
    }
    assertThat(server.json().getLong("acked")).isEqualTo(10);
    assertThat(server.json().getLong("rejected")).isZero();
  }

  @Test
  void serverThatIsNotThere_wasSentNothing() throws Exception {
    server = new TestServer();
    TestServer.await(server.gateway.close());
    for (String via : List.of("http", "ws")) {
      assertFailed(feed("--generate", "10", "--via", via), "is the server running?");
      assertSaid(0, 0, 0, 0);
    }
  }

  @Test
  void serverThatTakesNoneOfThem_rejectsThem() throws Exception {
    server =
        new TestServer(
            new RecordingSink(), new GatewayOptions().setToken(new TokenOptions().setIngest("t")));
    assertFailed(feed("--generate", "10"), "the server answered 401");
    assertSaid(10, 0, 10, 0);
    assertFailed(feed("--generate", "10", "--via", "ws"), "the server answered 401");
    assertSaid(0, 0, 0, 0);
    assertThat(code(feed("--generate", "10", "--token", "t"))).isZero();
  }
}
