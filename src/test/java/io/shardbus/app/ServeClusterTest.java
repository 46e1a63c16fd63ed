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
import io.shardbus.testing.Ports;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A server as a node of a cluster whose other node publishes and consumes. */
@Tag("backend")
class ServeClusterTest {

  @TempDir Path dir;
  private Vertx vertx;
  private CommandProcesses processes;

  @BeforeEach
  void start() throws Exception {
    int port = Ports.free();
    vertx = ClusteredNode.start("serve", port);
    Path config = Files.writeString(dir.resolve("hazelcast.xml"), ClusteredNode.xml("serve", port));
    processes =
        new CommandProcesses(
            dir,
            "-cp",
            System.getProperty("java.class.path"),
            "-Dvertx.hazelcast.config=" + config,
            "io.shardbus.app.Main");
  }

  @AfterEach
  void stop() throws Exception {
    processes.killAll();
    await(vertx.close());
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  @Test
  void publishersAndConsumersOfTheCluster_areServed() throws Exception {
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
}
