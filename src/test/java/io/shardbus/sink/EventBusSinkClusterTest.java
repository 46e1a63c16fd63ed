package io.shardbus.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.shardbus.sink.eventbus.EventBusConsumer;
import io.shardbus.testing.Java;
import io.shardbus.testing.Ports;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.io.BufferedReader;
import java.util.BitSet;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The event-bus sink with consumers on other nodes. */
@Tag("backend")
class EventBusSinkClusterTest {

  private static final String ADDRESS = "orders";

  private final String cluster = UUID.randomUUID().toString();
  private final EventBusSinkFixture.Received received = new EventBusSinkFixture.Received();
  private int port;
  private Vertx bus;
  private Vertx other;
  private Sink sink;

  @BeforeEach
  void start() throws Exception {
    port = Ports.free();
    bus = ClusteredNode.start(cluster, port);
    other = ClusteredNode.start(cluster, port);
    sink = EventBusSinkFixture.open(bus, new JsonObject());
  }

  @AfterEach
  void stop() throws Exception {
    EventBusSinkFixture.get(sink.close());
    EventBusSinkFixture.get(Future.join(other.close(), bus.close()));
  }

  private EventBusConsumer join(Vertx node, String name, int credits) throws Exception {
    return EventBusSinkFixture.get(
        EventBusConsumer.start(node, ADDRESS, credits, batch -> received.take(name, batch)));
  }

  /** A node knows of what others have registered a little later than they do. */
  private void awaitMembers(int count) {
    await()
        .atMost(30, TimeUnit.SECONDS)
        .until(
            () -> {
              Set<String> reached = new HashSet<>();
              for (int shard = 100; shard < 100 + count; shard++) {
                EventBusSinkFixture.get(
                    EventBusSinkFixture.writeUntilTaken(
                        bus, sink, EventBusSinkFixture.batch(shard, 0, 1)));
                reached.addAll(received.consumers(shard));
              }
              return reached.size() == count;
            });
  }

  @Test
  void consumersOnTwoNodes_getEventsOnceAndInOrder() throws Exception {
    join(bus, "here", 2);
    join(other, "there", 2);
    awaitMembers(2);
    EventBusSinkFixture.get(EventBusSinkFixture.writeShards(bus, sink, 8, 50));
    received.assertOnceInOrder(8, 500);
    for (int shard = 0; shard < 8; shard++) {
      assertThat(received.consumers(shard)).hasSize(1);
      assertThat(received.consumers(shard)).isNotEqualTo(received.consumers((shard + 1) % 8));
    }
  }

  @Test
  void partialFailureOfAnotherNode_keepsItsIndexesAndKind() throws Exception {
    BitSet some = new BitSet();
    some.set(3, 5);
    some.set(8);
    EventBusSinkFixture.get(
        EventBusConsumer.start(
            other,
            ADDRESS,
            1,
            batch ->
                Future.failedFuture(
                    SinkException.partial(some, SinkException.permanentFailure("too odd")))));
    SinkException failure =
        EventBusSinkFixture.failure(
            EventBusSinkFixture.writeUntilTaken(bus, sink, EventBusSinkFixture.batch(0, 0, 10)));
    assertThat(failure.failed()).isEqualTo(some);
    assertThat(failure.isForGood()).isTrue();
  }

  @Test
  void nodeThatIsKilled_losesItsBatchesToAnother() throws Exception {
    Process process =
        new ProcessBuilder(
                Java.command(
                    ClusteredNode.class.getName(), cluster, Integer.toString(port), ADDRESS))
            .redirectError(ProcessBuilder.Redirect.DISCARD)
            .start();
    List<String> lines = new CopyOnWriteArrayList<>();
    Thread reader = new Thread(() -> read(process, lines), "killed-node-output");
    reader.start();
    try {
      await().atMost(60, TimeUnit.SECONDS).until(() -> lines.contains("READY"));
      Future<?> writing = EventBusSinkFixture.writeShards(bus, sink, 4, 10);
      await()
          .atMost(30, TimeUnit.SECONDS)
          .until(() -> lines.stream().filter("BATCH"::equals).count() >= 4);
      join(other, "survivor", 4);
      process.destroyForcibly();
      EventBusSinkFixture.get(writing);
      received.assertOnceInOrder(4, 100);
    } finally {
      process.destroyForcibly().waitFor();
      reader.join(10_000);
    }
  }

  private static void read(Process process, List<String> lines) {
    try (BufferedReader out = process.inputReader()) {
      out.lines().forEach(lines::add);
    } catch (java.io.IOException | java.io.UncheckedIOException e) {
      lines.add("GONE");
    }
  }
}
