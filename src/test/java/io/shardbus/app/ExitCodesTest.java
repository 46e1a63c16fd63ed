package io.shardbus.app;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.event.RawEvent;
import io.shardbus.gateway.Gateway;
import io.shardbus.gateway.GatewayOptions;
import io.shardbus.shard.ScalingPolicy;
import io.shardbus.sink.SinkOptions;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.http.HttpServer;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.io.Writer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What scripts rely on, against a real server. */
class ExitCodesTest {

  private final Vertx vertx = Vertx.vertx();
  private ShardBus bus;
  private Gateway gateway;
  private String said = "";

  @BeforeEach
  void setUp() throws Exception {
    ShardBusOptions options =
        new ShardBusOptions()
            .setShards(2)
            .setRingCapacity(1024)
            .setScaling(ScalingPolicy.defaults(4).setAutoScale(false))
            .setSink(new SinkOptions("memory"));
    bus = await(ShardBus.start(vertx, options));
    gateway = await(Gateway.start(vertx, bus, new GatewayOptions().setPort(0)));
  }

  @AfterEach
  void tearDown() throws Exception {
    await(vertx.close());
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
  }

  private int run(int port, String... words) {
    String[] all = Arrays.copyOf(words, words.length + 2);
    all[words.length] = "--url";
    all[words.length + 1] = "http://127.0.0.1:" + port;
    StringWriter out = new StringWriter();
    int code = Main.execute(new PrintWriter(out), all);
    said = out.toString();
    return code;
  }

  @Test
  void scale_needsToKnowWhereTo() {
    assertThat(Main.execute(new PrintWriter(Writer.nullWriter()), "scale")).isEqualTo(2);
    assertThat(run(gateway.port(), "scale", "up", "1")).isZero();
    assertThat(bus.stats().shards()).hasSize(3);
    assertThat(run(gateway.port(), "scale", "up", "9")).isEqualTo(1);
    assertThat(run(gateway.port(), "scale", "down", "99")).isEqualTo(1);
    assertThat(bus.stats().shards()).hasSize(3);
  }

  @Test
  void replay_failsIfOneIsNotThere() {
    assertThat(run(gateway.port(), "replay", "17", "18")).isEqualTo(1);
    assertThat(said).startsWith("0 delivered");
    assertThat(run(gateway.port(), "replay", "--all")).isZero();
  }

  @Test
  void tail_endsWithTheCountOrFails() throws Exception {
    for (int i = 0; i < 3; i++) {
      bus.ingest(RawEvent.of("{\"n\":" + i + "}"));
    }
    await(bus.flush());
    int port = gateway.port();
    assertThat(run(port, "tail", "--from-start", "--count", "2")).isZero();
    assertThat(said.lines()).hasSize(2);
    assertThat(run(port, "tail", "--from-start", "--count", "1", "--filter", "@.n == 2")).isZero();
    assertThat(said).contains("\"n\":2");
    assertThat(run(port, "tail", "--from-start", "--filter", "@.n =")).isEqualTo(1);
    assertThat(run(port, "tail", "--cursor", "nonsense")).isEqualTo(1);
  }

  @Test
  void tail_failsWhenTheServerEndsIt() throws Exception {
    for (String stream :
        new String[] {"event: error\ndata: \n\n", "event: error\n\n", ": hello\n\n"}) {
      HttpServer server =
          await(
              vertx
                  .createHttpServer()
                  .requestHandler(request -> request.response().end(stream))
                  .listen(0, "127.0.0.1"));
      assertThat(run(server.actualPort(), "tail")).as(stream).isEqualTo(1);
      await(server.close());
    }
  }

  /** As with {@code shardbus tail | head -1}. */
  @Test
  void tail_endsWhenNobodyReads() throws Exception {
    for (int i = 0; i < 3; i++) {
      bus.ingest(RawEvent.of("{\"n\":" + i + "}"));
    }
    await(bus.flush());
    Process tail =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                "io.shardbus.app.Main",
                "tail",
                "--from-start",
                "--url",
                "http://127.0.0.1:" + gateway.port())
            .redirectError(ProcessBuilder.Redirect.INHERIT)
            .start();
    try {
      assertThat(tail.inputReader().readLine()).contains("\"n\"");
      tail.getInputStream().close();
      for (int i = 0; !tail.waitFor(100, TimeUnit.MILLISECONDS) && i < 300; i++) {
        bus.ingest(RawEvent.of("{\"n\":" + i + "}"));
      }
      assertThat(tail.isAlive()).isFalse();
      assertThat(tail.exitValue()).isZero();
    } finally {
      tail.destroyForcibly();
    }
  }
}
