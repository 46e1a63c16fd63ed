package io.shardbus.eventbus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.event.EventTime;
import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.shardbus.junit5.RecordingSink;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RouterVerticleTest {

  private Vertx vertx;
  private ShardBus bus;
  private final RecordingSink sink = new RecordingSink();

  @BeforeEach
  void start() throws Exception {
    vertx = Vertx.vertx();
    ShardBusOptions options =
        new ShardBusOptions()
            .setShards(1)
            .setRingCapacity(1024)
            .setMaxEventBytes(10_000)
            .setRouters(2);
    options.getBatch().setMinSize(1).setMaxSize(10);
    bus = await(ShardBus.start(vertx, options, sink));
  }

  @AfterEach
  void stop() throws Exception {
    await(vertx.close());
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(20, TimeUnit.SECONDS);
  }

  private static DeliveryOptions headers(String... pairs) {
    DeliveryOptions options = new DeliveryOptions();
    if (List.of(pairs).contains("none")) {
      options.setSendTimeout(2_000); // an event that was taken after all has no reply
    }
    for (int i = 0; i < pairs.length; i += 2) {
      options.addHeader(pairs[i], pairs[i + 1]);
    }
    return options;
  }

  private JsonObject request(Object body, String... headers) throws Exception {
    return await(vertx.eventBus().<JsonObject>request("shardbus.ingest", body, headers(headers)))
        .body();
  }

  private void assertFails(int code, String says, Object body, String... headers) {
    assertThatThrownBy(() -> request(body, headers))
        .cause()
        .isInstanceOfSatisfying(
            ReplyException.class,
            e -> {
              assertThat(e.failureCode()).isEqualTo(code);
              assertThat(e.getMessage()).contains(says);
            });
  }

  @Test
  void everyBody_isTaken() throws Exception {
    request(Buffer.buffer("bytes"), "ack", "delivered");
    request("text é", "ack", "delivered", "key", "k");
    request(new JsonObject().put("a", 1), "ack", "delivered");
    request(new JsonArray().add(1), "ack", "delivered");
    RawEvent raw = RawEvent.of(Buffer.buffer("raw"), "rk");
    JsonObject reply = request(raw, "ack", "delivered");
    List<ShardEvent> got = sink.ofShard(0);
    assertThat(got.stream().map(e -> e.payload().toString()))
        .containsExactly("bytes", "text é", "{\"a\":1}", "[1]", "raw");
    assertThat(got.get(1).key()).isEqualTo("k");
    assertThat(got.get(4).key()).isEqualTo("rk");
    assertThat(got.get(4).payload()).as("not copied").isSameAs(raw.buffer());
    assertThat(reply.getInteger("shard")).isZero();
    assertThat(reply.getString("time")).isEqualTo(EventTime.text(got.get(4).timestamp()));
  }

  @Test
  void otherHeaders_travelWithTheEvent() throws Exception {
    RawEvent raw = RawEvent.builder(Buffer.buffer("raw")).id("r").header("own", "1").build();
    request("one", "ack", "delivered", "key", "k", "id", "a", "TraceParent", "00-é");
    request(raw, "ack", "delivered");
    request(raw, "ack", "delivered", "key", "k", "id", "b", "more", "2");
    request("1\n2", "ack", "delivered", "batch", "ndjson", "x", "y");
    assertThat(sink.ofShard(0))
        .extracting(ShardEvent::key, ShardEvent::id, event -> event.headers().toMap())
        .containsExactly(
            tuple("k", "a", Map.of("traceparent", "00-é")),
            tuple(null, "r", Map.of("own", "1")),
            tuple("k", "b", Map.of("more", "2")),
            tuple(null, null, Map.of("x", "y")),
            tuple(null, null, Map.of("x", "y")));
  }

  @Test
  void repeatOfAnId_isAnsweredAsTheFirst() throws Exception {
    JsonObject first = request("one", "id", "a");
    JsonObject repeat = request("one", "id", "a", "ack", "delivered");
    assertThat(repeat).isEqualTo(first.copy().put("duplicate", true));
    assertThat(sink.count()).isEqualTo(1);
    assertThat(bus.stats().ids().duplicates()).isEqualTo(1);
    assertThat(bus.stats().offered()).isEqualTo(2);
  }

  @Test
  void ack_saysWhenToReply() throws Exception {
    sink.hang();
    request("accepted by default");
    request("accepted", "ack", "accepted");
    Future<?> delivered =
        vertx.eventBus().request("shardbus.ingest", "delivered", headers("ack", "delivered"));
    vertx.eventBus().send("shardbus.ingest", "none", headers("ack", "none"));
    Awaitility.await().until(() -> bus.stats().total().accepted() == 4);
    assertThat(delivered.isComplete()).isFalse();
    sink.heal();
    await(delivered);
    await(bus.flush());
    assertThat(sink.count()).isEqualTo(4);
  }

  @Test
  void batches_areCounted() throws Exception {
    JsonObject reply = request("1\n2\r\n\n3", "batch", "ndjson", "ack", "delivered", "key", "k");
    assertThat(reply)
        .isEqualTo(
            new JsonObject()
                .put("accepted", 3)
                .put("dropped", 0)
                .put("unrouted", 0)
                .put("duplicates", 0));
    assertThat(request(Buffer.buffer("4\n"), "batch", "ndjson").getInteger("accepted"))
        .isEqualTo(1);
    await(bus.flush());
    assertThat(sink.ofShard(0).stream().map(e -> e.payload().toString()))
        .containsExactly("1", "2", "3", "4");
    assertThat(sink.ofShard(0).get(0).key()).isEqualTo("k");
  }

  @Test
  void faults_haveCodes() throws Exception {
    assertFails(400, "java.lang.Integer", 5);
    assertFails(400, "null", null);
    assertFails(400, "none, accepted or delivered", "x", "ack", "perhaps");
    assertFails(400, "half of a surrogate pair", "x", "key", "k\ud800");
    assertFails(400, "half of a surrogate pair", "x", "id", "k\ud800");
    assertFails(400, "half of a surrogate pair", "x", "other", "k\ud800");
    assertFails(400, "id: 257 bytes; 1 to 256 are allowed", "x", "id", "i".repeat(257));
    assertFails(400, "id: 0 bytes", "x", "id", "");
    assertFails(400, "header id: not allowed with batch", "x", "id", "a", "batch", "ndjson");
    assertFails(400, "header name \"a b\" must be a token", "x", "a b", "c");
    assertFails(400, "may have 8192", "x", "big", "v".repeat(9_000));
    assertFails(400, "half of a surrogate pair", "x", "key", "\udc00", "batch", "ndjson");
    assertFails(400, "must be ndjson", "x", "batch", "csv");
    assertFails(400, "Buffer or String", new JsonObject(), "batch", "ndjson");
    assertFails(413, "larger", Buffer.buffer(new byte[10_001]));
    assertFails(413, "longer", Buffer.buffer(new byte[10_002]), "batch", "ndjson");
    sink.hang();
    // A consumer that forms its next batch may still make room.
    Awaitility.await()
        .atMost(60, TimeUnit.SECONDS)
        .untilAsserted(
            () -> {
              while (bus.ingest(RawEvent.of("x")).accepted()) {
                Thread.onSpinWait();
              }
              assertFails(429, "full", "x", "ack", "none");
            });
    sink.heal();
    await(bus.flush());
    bus.shards().close();
    assertFails(503, "closed", "x");
  }

  @Test
  void wire_carriesBytesKeyAndHash() {
    RawEventCodec codec = new RawEventCodec();
    for (RawEvent event :
        List.of(
            RawEvent.of(Buffer.buffer("payload"), "kéy"),
            RawEvent.of(Buffer.buffer("")),
            RawEvent.ofHash(Buffer.buffer("x"), 42))) {
      Buffer wire = Buffer.buffer("before");
      codec.encodeToWire(wire, event);
      RawEvent back = codec.decodeFromWire(6, wire);
      assertThat(back.buffer()).isEqualTo(event.buffer());
      assertThat(back.key()).isEqualTo(event.key());
      assertThat(back.hash()).isEqualTo(event.hash());
    }
  }
}
