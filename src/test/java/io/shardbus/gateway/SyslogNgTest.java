package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.ShardBusOptions;
import io.shardbus.event.ShardEvent;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.testing.Ports;
import io.shardbus.testing.Program;
import io.vertx.core.Promise;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.json.JsonObject;
import java.io.IOException;
import java.net.InetAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

/** Runs syslog-ng with the configuration that is shipped. */
@Execution(ExecutionMode.CONCURRENT)
@Tag("slow")
class SyslogNgTest {

  private static final int MESSAGES = 5_000;

  @TempDir Path dir;
  private final Promise<Void> gate = Promise.promise();
  private final RecordingSink sink = new RecordingSink().behave(batch -> gate.future());
  private TestGateway server;
  private Process syslog;
  private int port;

  @BeforeEach
  void setUp() throws Exception {
    Program.require("syslog-ng");
    server =
        new TestGateway(
            new ShardBusOptions().setShards(1).setRingCapacity(1024),
            sink,
            new GatewayOptions().setAckTimeout(Duration.ofSeconds(1)),
            new HttpClientOptions());
    port = Ports.free();
    Path config =
        Files.writeString(
            dir.resolve("syslog-ng.conf"),
            Files.readString(Path.of("conf/syslog-ng.conf"))
                .replace("port(5514)", "port(" + port + ")")
                .replace("127.0.0.1:8080", "127.0.0.1:" + server.gateway.port())
                .replace("disk-buffer(", "time-reopen(1) disk-buffer(dir(\"" + dir + "\") "));
    syslog =
        new ProcessBuilder(
                "syslog-ng",
                "--foreground",
                "--no-caps",
                "--cfgfile=" + config,
                "--persist-file=" + dir.resolve("persist"),
                "--pidfile=" + dir.resolve("pid"),
                "--control=" + dir.resolve("control"))
            .redirectErrorStream(true)
            .redirectOutput(dir.resolve("out").toFile())
            .start();
  }

  @AfterEach
  void tearDown() throws Exception {
    if (syslog != null) {
      syslog.destroyForcibly().waitFor(20, TimeUnit.SECONDS);
      server.close();
    }
  }

  private Socket connect() {
    return Awaitility.await()
        .atMost(Duration.ofSeconds(20))
        .ignoreExceptionsInstanceOf(IOException.class)
        .until(() -> new Socket(InetAddress.getLoopbackAddress(), port), Socket::isConnected);
  }

  /** It sends a batch that was not confirmed again, and each event is there once, in order. */
  @Test
  void messages_comeOnceAndInOrder() throws Exception {
    try (Socket socket = connect()) {
      for (int i = 0; i < MESSAGES; i++) {
        String line = "<13>Nov 30 12:00:00 alpha app[7]: message %d \"quoted\" ä\n".formatted(i);
        socket.getOutputStream().write(line.getBytes(StandardCharsets.UTF_8));
      }
    }
    Awaitility.await()
        .atMost(Duration.ofSeconds(30))
        .until(() -> server.bus.stats().ids().duplicates() > 0);
    gate.complete();
    Awaitility.await().atMost(Duration.ofSeconds(60)).until(() -> sink.count() >= MESSAGES);
    List<ShardEvent> events = sink.all();
    List<String> seen =
        events.stream().map(event -> new JsonObject(event.payload()).getString("message")).toList();
    assertThat(seen)
        .isEqualTo(
            IntStream.range(0, MESSAGES).mapToObj("message %d \"quoted\" ä"::formatted).toList());
    assertThat(events)
        .allMatch(event -> event.key().equals(new JsonObject(event.payload()).getString("host")));
  }
}
