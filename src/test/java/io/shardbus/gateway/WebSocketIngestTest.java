package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.ShardBusOptions;
import io.shardbus.junit5.RecordingSink;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClientOptions;
import io.vertx.core.http.WebSocket;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.net.InetAddress;
import java.net.Socket;
import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Events by WebSocket, and what clients are told of them. */
@Tag("once")
class WebSocketIngestTest {

  private TestGateway server;

  @BeforeEach
  void setUp() throws Exception {
    server = new TestGateway(new GatewayOptions());
  }

  @AfterEach
  void tearDown() throws Exception {
    server.close();
  }

  private void start(ShardBusOptions options, RecordingSink sink) throws Exception {
    server.close();
    server = new TestGateway(options, sink, new GatewayOptions(), new HttpClientOptions());
  }

  private JsonArray stored() throws Exception {
    TestGateway.await(server.bus.flush());
    return server.get("/v1/events?order=timestamp").json().getJsonArray("events");
  }

  private record Client(WebSocket socket, BlockingQueue<JsonObject> frames) {
    /**
     * The first frame that says that everything up to here is settled, with the errors of those
     * before it: each frame has those of the messages since the last one.
     */
    JsonObject settled(long events) throws Exception {
      JsonArray errors = new JsonArray();
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
      while (System.nanoTime() < deadline) {
        JsonObject frame = frames.poll(5, TimeUnit.SECONDS);
        if (frame == null) {
          continue;
        }
        errors.addAll(frame.getJsonArray("errors", new JsonArray()));
        long rejected =
            frame.getJsonObject("rejected", new JsonObject()).stream()
                .mapToLong(e -> ((Number) e.getValue()).longValue())
                .sum();
        if (frame.getLong("acked", 0L) + rejected == events) {
          return frame.put("errors", errors);
        }
      }
      throw new AssertionError("not settled: " + events);
    }
  }

  private Client connect(String uri) throws Exception {
    BlockingQueue<JsonObject> frames = new LinkedBlockingQueue<>();
    WebSocket socket = server.connect(uri, List.of(Gateway.SUBPROTOCOL));
    socket.textMessageHandler(text -> frames.add(new JsonObject(text)));
    return new Client(socket, frames);
  }

  @ParameterizedTest
  @CsvSource({"accepted", "delivered"})
  void socket_acknowledgesCumulatively(String ack) throws Exception {
    Client client = connect("/v1/ingest?ack=" + ack);
    client.socket().writeTextMessage("{\"a\":1}");
    client.socket().writeBinaryMessage(Buffer.buffer("1\n2\r\n\n3"));
    client.socket().writeTextMessage("{\n  \"pretty\": true\n}");
    client.socket().writeTextMessage("1\nbad\n3");
    JsonObject frame = client.settled(8);
    assertThat(frame.getLong("acked")).isEqualTo(7);
    assertThat(frame.getJsonObject("rejected").getInteger("invalid")).isEqualTo(1);
    assertThat(stored()).hasSize(7);
    assertThat(client.socket().subProtocol()).isEqualTo(Gateway.SUBPROTOCOL);
  }

  /** As the body of a request, see {@link BodiesTest}. */
  @Test
  void byteOrderMark_isSkipped() throws Exception {
    Client client = connect("/v1/ingest?ack=accepted");
    client.socket().writeTextMessage("\ufeff1");
    client.socket().writeBinaryMessage(Buffer.buffer("\ufeff2\n3"));
    client.socket().writeTextMessage("\ufeff");
    client.socket().writeTextMessage("\ufeff\ufeff4");
    JsonObject frame = client.settled(5);
    assertThat(frame.getLong("acked")).isEqualTo(3);
    assertThat(frame.getJsonArray("errors").getJsonObject(0).getString("error"))
        .startsWith("an empty message");
    assertThat(stored()).extracting(each -> ((JsonObject) each).getInteger("event")).contains(1, 2);
  }

  @Test
  void socket_refusesKeysThatAreNoText() throws Exception {
    Client client = connect("/v1/ingest?ack=accepted&keyPath=k");
    client.socket().writeTextMessage("{\"k\":\"\\ud800\"}\n{\"k\":\"\\ud83d\\ude00\"}");
    JsonObject frame = client.settled(2);
    assertThat(frame.getLong("acked")).isEqualTo(1);
    assertThat(frame.getJsonObject("rejected")).isEqualTo(new JsonObject().put("invalid", 1));
    assertThat(frame.getJsonArray("errors").getJsonObject(0).getString("error"))
        .contains("half of a surrogate pair");
    assertThat(stored().getJsonObject(0).getString("key")).isEqualTo("\uD83D\uDE00");
  }

  @Test
  void socket_withAckIsSlowedAndLosesNothing() throws Exception {
    RecordingSink stalled = new RecordingSink().hang();
    ShardBusOptions options = new ShardBusOptions().setShards(1).setRingCapacity(1024);
    options.getBatch().setMinSize(1).setMaxSize(10);
    start(options, stalled);
    Client client = connect("/v1/ingest?ack=delivered");
    int total = 20_000;
    for (int i = 0; i < total; i++) {
      client.socket().writeTextMessage(Integer.toString(i));
    }
    Awaitility.await().until(() -> server.bus.shards().totalPendingInRings() == 1024);
    assertThat(client.frames()).isEmpty();
    stalled.heal();
    assertThat(client.settled(total).getLong("acked")).isEqualTo(total);
    assertThat(stalled.ofShard(0)).hasSize(total);
    for (int i = 0; i < total; i++) {
      assertThat(stalled.ofShard(0).get(i).payload().toString()).isEqualTo(Integer.toString(i));
    }
    assertThat(server.bus.stats().total().backpressure()).isZero();
    assertThat(stalled.faults()).isEmpty();
  }

  /** {@code acked + rejected} is about the first events, without a gap. */
  @Test
  void socket_tellsOfRefusalsInTheOrderOfTheEvents() throws Exception {
    RecordingSink stalled = new RecordingSink().hang();
    ShardBusOptions options = new ShardBusOptions().setShards(1).setRingCapacity(1024);
    options.setMaxEventBytes(100);
    start(options, stalled);
    Client client = connect("/v1/ingest?ack=delivered");
    Client other = connect("/v1/ingest?ack=delivered");
    client.socket().writeTextMessage("1\nbad");
    for (int i = 0; i < 1_000; i++) {
      client.socket().writeTextMessage("bad");
    }
    client.socket().writeTextMessage("\"" + "x".repeat(200) + "\"");
    client.socket().writeTextMessage("2");
    Awaitility.await().until(() -> server.bus.stats().total().accepted() == 2);
    other.socket().writeTextMessage("bad");
    assertThat(other.settled(1).getJsonObject("rejected").getInteger("invalid")).isEqualTo(1);
    assertThat(client.frames()).isEmpty();
    stalled.heal();
    JsonObject last = client.settled(1_004);
    assertThat(last.getLong("acked")).isEqualTo(2);
    assertThat(last.getJsonObject("rejected"))
        .isEqualTo(new JsonObject().put("invalid", 1_001).put("too_large", 1));
  }

  @Test
  void socket_withoutAckIsAnsweredByTheMode() throws Exception {
    RecordingSink stalled = new RecordingSink().hang();
    ShardBusOptions options = new ShardBusOptions().setShards(1).setRingCapacity(1024);
    options.getBatch().setMinSize(1).setMaxSize(10);
    start(options, stalled);
    Client client = connect("/v1/ingest");
    for (int i = 0; i < 5_000; i++) {
      client.socket().writeTextMessage(Integer.toString(i));
    }
    Awaitility.await().until(() -> server.bus.stats().offered() == 5_000);
    long accepted = server.bus.stats().total().accepted();
    assertThat(client.frames().poll(10, TimeUnit.SECONDS).getJsonObject("rejected")).isNotNull();
    stalled.heal();
    TestGateway.await(server.bus.flush());
    assertThat(stalled.count()).isEqualTo(accepted).isLessThan(2_000);
  }

  @Test
  void socket_badConnectionsAreRefused() throws Exception {
    for (String uri :
        List.of(
            "/v1/other",
            "/v1/ingest?ack=maybe",
            "/v1/ingest?ack=&key=a&keyPath=b",
            "/v1/ingest?key=%ED%A0%80")) {
      assertThatThrownBy(() -> connect(uri))
          .as(uri)
          .cause()
          .isInstanceOf(io.vertx.core.http.UpgradeRejectedException.class);
    }
    for (String uri : List.of("/v1/ingest", "/v1/ingest/", "/v1//ingest", "/v1/x/../%69ngest/")) {
      assertThatThrownBy(() -> server.connect(uri, List.of(), "Origin", "http://evil.example"))
          .as(uri)
          .cause()
          .hasMessageContaining("403");
    }
    Client client = connect("/v1/ingest?ack=accepted");
    Promise<Void> closed = Promise.promise();
    client.socket().closeHandler(closed::complete);
    client
        .socket()
        .writeFrame(
            io.vertx.core.http.WebSocketFrame.binaryFrame(Buffer.buffer(new byte[2 << 20]), true));
    TestGateway.await(closed.future());
    assertThat(server.post("/v1/events", "application/json", "1").status()).isEqualTo(202);
  }

  @Test
  void close_saysGoodbye() throws Exception {
    Client client = connect("/v1/ingest");
    Promise<Void> closed = Promise.promise();
    client.socket().closeHandler(closed::complete);
    TestGateway.await(server.gateway.close());
    TestGateway.await(closed.future());
    assertThat(client.socket().closeStatusCode()).isEqualTo((short) 1001);
  }

  @Test
  void close_waitsForWhatIsToBeAcknowledged() throws Exception {
    RecordingSink slow = new RecordingSink().hang();
    start(new ShardBusOptions().setShards(1), slow);
    Client client = connect("/v1/ingest?ack=delivered");
    Promise<Void> closed = Promise.promise();
    client.socket().closeHandler(closed::complete);
    client.socket().writeTextMessage("1\n2\nbad");
    Awaitility.await().until(() -> server.bus.stats().total().accepted() == 2);
    Future<Void> stopped;
    try (Socket idle = new Socket(InetAddress.getLoopbackAddress(), server.gateway.port())) {
      idle.setSoTimeout(30_000);
      Awaitility.await().until(() -> server.gateway.connections() == 2);
      stopped = server.gateway.close();
      // By the time it is closed, every connection knows.
      assertThat(idle.getInputStream().read()).isEqualTo(-1);
    }
    // Too late to be taken, so never acknowledged.
    client.socket().writeTextMessage("3");
    assertThat(client.socket().isClosed()).isFalse();
    slow.heal();
    assertThatThrownBy(() -> connect("/v1/ingest")).isNotNull();
    assertThat(client.settled(3).getLong("acked")).isEqualTo(2);
    TestGateway.await(closed.future());
    assertThat(client.socket().closeStatusCode()).isEqualTo((short) 1001);
    TestGateway.await(stopped);
  }
}
