package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.ShardBusOptions;
import io.shardbus.event.RawEvent;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.shard.BackpressureMode;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.WebSocket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Events wait for room in one order, however they came. */
@Tag("once")
class WaitingOrderTest {

  private static final int EVENTS = 40;

  private final RecordingSink sink = new RecordingSink();
  private TestGateway server;

  @BeforeEach
  void start() throws Exception {
    ShardBusOptions options =
        new ShardBusOptions()
            .setShards(1)
            .setRingCapacity(1024)
            .setBackpressure(BackpressureMode.FAIL_PRODUCER);
    options.getBatch().setMinSize(1).setMaxSize(10);
    GatewayOptions patience = new GatewayOptions().setBackpressureTimeout(Duration.ofSeconds(1));
    server = new TestGateway(options, sink, patience, new HttpClientOptions());
    sink.fillRings(server.bus);
  }

  @AfterEach
  void stop() throws Exception {
    sink.heal();
    server.close();
  }

  /** One socket an event, so that each waits by itself. */
  private void send(String event) throws Exception {
    WebSocket socket = server.connect("/v1/ingest?ack=accepted&key=k", List.of());
    long before = server.gateway.partialBytes();
    socket.writeTextMessage(event);
    Awaitility.await().until(() -> server.gateway.partialBytes() > before);
  }

  /** Nothing waits, and all that was taken is delivered: nobody writes to the sink's lists now. */
  private void settle() throws Exception {
    Awaitility.await().until(() -> server.bus.stats().waiting() == 0);
    TestGateway.await(server.bus.flush());
  }

  private List<String> delivered() {
    return sink.ofShard(0).stream()
        .map(event -> event.payload().toString())
        .filter(text -> !text.equals("fill"))
        .toList();
  }

  @Test
  void eventsOfClientsAndCallers_areServedAsTheyCame() throws Exception {
    List<String> sent = new ArrayList<>();
    List<Future<?>> results = new ArrayList<>();
    for (int i = 0; i < EVENTS; i++) {
      String event = Integer.toString(i);
      sent.add(event);
      if (i % 2 == 0) {
        results.add(server.bus.ingestAwait(RawEvent.of(Buffer.buffer(event), "k")));
      } else {
        send(event);
      }
    }
    sink.heal();
    TestGateway.await(Future.all(results));
    settle();
    assertThat(delivered()).containsExactlyElementsOf(sent);
  }

  @Test
  void whatWaits_isCountedOnceHoweverItCame() throws Exception {
    server.bus.ingestAwait(RawEvent.of("0"));
    send("1");
    send("2");
    assertThat(server.bus.stats().waiting()).isEqualTo(3);
    sink.heal();
    settle();
    assertThat(delivered()).hasSize(3);
  }

  @Test
  void clientWhoseTimeIsOver_leavesItsPlace() throws Exception {
    Future<?> first = server.bus.ingestAwait(RawEvent.of("0"));
    long refused = server.bus.stats().total().backpressure();
    TestGateway.Answer answer =
        server.post("/v1/events?key=k", "application/x-ndjson", "1\n2\n3\n");
    assertThat(answer.status()).isEqualTo(429);
    assertThat(answer.json().getLong("notTaken")).isEqualTo(3);
    assertThat(answer.detail()).contains("go on behind the first 0 lines");
    assertThat(server.bus.stats().total().backpressure()).isEqualTo(refused + 3);
    assertThat(server.bus.stats().waiting()).isEqualTo(1);
    Future<?> last = server.bus.ingestAwait(RawEvent.of("4"));
    sink.heal();
    TestGateway.await(Future.all(first, last));
    settle();
    assertThat(delivered()).containsExactly("0", "4");
  }
}
