package io.shardbus.app;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.RawEvent;
import io.shardbus.gateway.GatewayOptions;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.sink.SinkException;
import io.shardbus.testing.Java;
import io.vertx.core.http.HttpServer;
import io.vertx.core.json.JsonObject;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What scripts rely on, against a real server. */
@Tag("once")
class ExitCodesTest {

  private TestServer server;

  @BeforeEach
  void setUp() throws Exception {
    server = new TestServer();
  }

  @AfterEach
  void tearDown() throws Exception {
    server.close();
  }

  /** A command in a Java of its own, against this server. */
  private ProcessBuilder process(String... words) {
    List<String> command = new ArrayList<>(Java.command(words));
    command.addAll(List.of("--url", "http://127.0.0.1:" + server.gateway.port()));
    return new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT);
  }

  @Test
  void scale_needsToKnowWhereTo() {
    assertThat(server.run("scale")).isEqualTo(2);
    assertThat(server.run("scale", "up", "1")).isZero();
    assertThat(server.bus.stats().shards()).hasSize(3);
    assertThat(server.run("scale", "up", "9")).isEqualTo(1);
    assertThat(server.run("scale", "down", "99")).isEqualTo(1);
    assertThat(server.bus.stats().shards()).hasSize(3);
  }

  @Test
  void scale_saysWhichShardsCameAndWent() {
    assertThat(server.run("scale", "up", "2")).isZero();
    assertThat(server.out.lines()).containsExactly("added shard 2", "added shard 3");
    assertThat(server.run("scale", "down", "3")).isZero();
    assertThat(server.out.strip()).isEqualTo("removed shard 3");
    assertThat(server.run("scale", "up", "--json", "1")).isZero();
    assertThat(server.out.strip()).isEqualTo("{\"shards\":[4]}");
    assertThat(server.run("scale", "down", "--json", "4", "99", "2")).isEqualTo(1);
    assertThat(server.out.strip())
        .as("what was done before it failed")
        .isEqualTo("{\"shards\":[4]}");
    assertThat(server.run("scale", "down", "--json", "99")).isEqualTo(1);
    assertThat(server.out).isEmpty();
    assertThat(server.bus.stats().shards()).hasSize(3);
  }

  @Test
  void replay_failsIfOneIsNotThere() {
    assertThat(server.run("replay", "17", "18")).isEqualTo(1);
    assertThat(server.out).startsWith("0 delivered");
    assertThat(server.run("replay", "17", "18", "--json")).isEqualTo(1);
    assertThat(server.json().getInteger("missing")).isEqualTo(2);
    assertThat(server.run("replay", "--all")).isZero();
  }

  @Test
  void replay_listsAndSaysWhatBecameOfThem() throws Exception {
    RecordingSink sink = new RecordingSink();
    sink.fail(SinkException.permanentFailure("no\nway"));
    server.close();
    server = new TestServer(sink, new GatewayOptions());
    for (int i = 0; i < 3; i++) {
      server.bus.ingest(RawEvent.of("{\"n\":" + i + "}"));
    }
    TestServer.await(server.bus.flush());
    assertThat(server.run("replay", "--list", "--json")).isZero();
    List<JsonObject> letters = server.out.lines().map(JsonObject::new).toList();
    assertThat(letters)
        .hasSize(3)
        .allMatch(letter -> letter.getJsonObject("of").getJsonObject("event").containsKey("n"));
    assertThat(server.run("replay", "--list")).isZero();
    assertThat(server.out.lines())
        .hasSize(4)
        .first()
        .asString()
        .contains("given up at")
        .contains("cause");
    assertThat(server.out.lines().skip(1)).allMatch(line -> line.endsWith("  no way"));
    assertThat(server.run("replay", "--all", "--json")).isEqualTo(1);
    assertThat(server.json())
        .isEqualTo(
            new JsonObject(
                "{'delivered':0,'deadLettered':3,'kept':0,'missing':0}".replace('\'', '"')));
    sink.heal();
    assertThat(server.run("replay", "--all", "--json")).isZero();
    assertThat(server.json().getInteger("delivered")).isEqualTo(3);
  }

  @Test
  void replay_deletesInstead() throws Exception {
    RecordingSink sink = new RecordingSink();
    sink.fail(SinkException.permanentFailure("no"));
    server.close();
    server = new TestServer(sink, new GatewayOptions());
    for (int i = 0; i < 5; i++) {
      server.bus.ingest(RawEvent.of("{\"n\":" + i + "}"));
    }
    TestServer.await(server.bus.flush());
    assertThat(server.run("replay", "--delete", "--list")).isEqualTo(2);
    assertThat(server.err).contains("--delete").contains("--list");
    assertThat(server.run("replay", "--delete", "1", "2", "99")).isEqualTo(1);
    assertThat(server.out.strip()).isEqualTo("2 deleted");
    assertThat(server.err).contains("1 of the ids");
    assertThat(server.run("replay", "--delete", "3", "--json")).isZero();
    assertThat(server.json()).isEqualTo(new JsonObject("{\"removed\":1,\"missing\":0}"));
    assertThat(server.run("replay", "--delete", "--all")).isZero();
    assertThat(server.out.strip()).isEqualTo("2 deleted");
    assertThat(server.bus.stats().deadLettersKept()).isZero();
    assertThat(server.bus.stats().total().delivered()).isZero();
  }

  /** A page of large letters is a short one, and not the last. */
  @Test
  void replay_listsLargeOnesToo() throws Exception {
    RecordingSink sink = new RecordingSink();
    sink.fail(SinkException.permanentFailure("no"));
    server.close();
    server = new TestServer(sink, new GatewayOptions());
    for (int i = 0; i < 20; i++) {
      server.bus.ingest(RawEvent.of("\"" + "x".repeat(1_000_000) + "\""));
    }
    TestServer.await(server.bus.flush());
    assertThat(server.run("replay", "--list")).isZero();
    assertThat(server.out.lines()).hasSize(21);
  }

  @Test
  void tail_endsWithTheCountOrFails() throws Exception {
    for (int i = 0; i < 3; i++) {
      server.bus.ingest(RawEvent.of("{\"n\":" + i + "}"));
    }
    TestServer.await(server.bus.flush());
    assertThat(server.run("tail", "--from-start", "--count", "2")).isZero();
    assertThat(server.out.lines()).hasSize(2);
    assertThat(server.run("tail", "--from-start", "--count", "1", "--filter", "@.n == 2")).isZero();
    assertThat(server.out).contains("\"n\":2");
    assertThat(server.run("tail", "--from-start", "--filter", "@.n =")).isEqualTo(2);
    assertThat(server.run("tail", "--cursor", "nonsense")).isEqualTo(2);
  }

  @Test
  void otherServer_isNotTakenForThisOne() throws Exception {
    HttpServer other =
        TestServer.await(
            server
                .vertx
                .createHttpServer()
                .requestHandler(request -> request.response().end("<html>"))
                .listen(0, "127.0.0.1"));
    for (String command : new String[] {"stats", "top --once", "replay --all", "scale up 1"}) {
      assertThat(server.runAt(other.actualPort(), command.split(" ", -1))).isEqualTo(1);
      assertThat(server.err.strip())
          .as(command)
          .isEqualTo("shardbus: this is not a Shardbus server: it answered <html>");
    }
  }

  /** Arabic has other digits, and German another point. */
  @Test
  void numbers_doNotDependOnTheLanguage() throws Exception {
    for (int i = 0; i < 1000; i++) {
      server.bus.ingest(RawEvent.of("1"));
    }
    for (String language : new String[] {"-Duser.language=ar", "-Duser.language=de"}) {
      Process stats =
          process(language, "-Duser.country=EG", "io.shardbus.app.Main", "stats").start();
      assertThat(new String(stats.getInputStream().readAllBytes(), UTF_8))
          .containsPattern("accepted +1,000\n");
      assertThat(stats.waitFor()).isZero();
    }
  }

  @Test
  void tail_failsWhenTheServerEndsIt() throws Exception {
    for (String stream :
        new String[] {"event: error\ndata: \n\n", "event: error\n\n", ": hello\n\n"}) {
      HttpServer fake =
          TestServer.await(
              server
                  .vertx
                  .createHttpServer()
                  .requestHandler(request -> request.response().end(stream))
                  .listen(0, "127.0.0.1"));
      assertThat(server.runAt(fake.actualPort(), "tail")).as(stream).isEqualTo(1);
      TestServer.await(fake.close());
    }
  }

  /** As on a full disk. */
  @Test
  void outputThatIsCutOff_isAFailure(@TempDir Path dir) throws Exception {
    for (int i = 0; i < 100; i++) {
      server.bus.ingest(RawEvent.of("1"));
    }
    TestServer.await(server.bus.flush());
    for (String command : new String[] {"tail --from-start --count 100", "stats --json"}) {
      ProcessBuilder limited =
          process(("-XX:-UsePerfData io.shardbus.app.Main " + command).split(" ", -1));
      limited.command().addAll(0, List.of("sh", "-c", "ulimit -f 1; exec \"$@\"", "sh"));
      Path err = dir.resolve("err");
      Process process =
          limited.redirectOutput(dir.resolve("out").toFile()).redirectError(err.toFile()).start();
      assertThat(process.waitFor()).as(command).isEqualTo(1);
      assertThat(err).content().contains("not all output was written");
    }
  }

  /** As with {@code shardbus tail | head -1}. */
  @Test
  void tail_endsWhenNobodyReads() throws Exception {
    for (int i = 0; i < 3; i++) {
      server.bus.ingest(RawEvent.of("{\"n\":" + i + "}"));
    }
    TestServer.await(server.bus.flush());
    Process tail = process("io.shardbus.app.Main", "tail", "--from-start").start();
    try {
      assertThat(tail.inputReader().readLine()).contains("\"n\"");
      tail.getInputStream().close();
      for (int i = 0; !tail.waitFor(100, TimeUnit.MILLISECONDS) && i < 300; i++) {
        server.bus.ingest(RawEvent.of("{\"n\":" + i + "}"));
      }
      assertThat(tail.isAlive()).isFalse();
      assertThat(tail.exitValue()).isZero();
    } finally {
      tail.destroyForcibly();
    }
  }
}
