package io.shardbus.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.shardbus.event.Batch;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.eventbus.EventBusConsumer;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.Message;
import io.vertx.core.json.JsonObject;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/** A sink that sends to consumers of the same Vert.x. */
abstract class EventBusSinkFixture {

  static final String ADDRESS = "orders";
  static final ProducerId PRODUCER = new ProducerId("test", 1);

  Vertx vertx;
  Sink sink;
  final Received received = new Received();

  @BeforeEach
  void start() throws Exception {
    vertx = Vertx.vertx();
    sink = open(vertx, new JsonObject());
  }

  @AfterEach
  void stop() throws Exception {
    get(sink.close());
    get(vertx.close());
  }

  static Sink open(Vertx vertx, JsonObject config) throws Exception {
    Sink sink =
        Sinks.create(
            new SinkOptions("eventbus")
                .setConfig(
                    new JsonObject()
                        .put("address", ADDRESS)
                        .put("memberTimeout", "2s")
                        .mergeIn(config)));
    get(sink.open(new SinkContext(vertx, PRODUCER, null)));
    return sink;
  }

  static <T> T get(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
  }

  static Batch batch(int shard, int first, int count) {
    List<ShardEvent> events = new ArrayList<>();
    for (int i = first; i < first + count; i++) {
      events.add(new ShardEvent(shard, i, i, Buffer.buffer("{\"n\":" + i + "}"), null));
    }
    return new Batch(shard, first, events, PRODUCER);
  }

  /** Writes as the bus does: one batch at a time, and again after a failure that may pass. */
  static Future<Void> writeAll(Vertx vertx, Sink sink, int shard, int batches) {
    Future<Void> chain = Future.succeededFuture();
    for (int i = 0; i < batches; i++) {
      Batch next = batch(shard, i * 10, 10);
      chain = chain.compose(done -> writeUntilTaken(vertx, sink, next));
    }
    return chain;
  }

  static Future<Void> writeUntilTaken(Vertx vertx, Sink sink, Batch batch) {
    return sink.write(batch)
        .recover(
            failure ->
                ((SinkException) failure).kind() == SinkException.Kind.TRANSIENT
                    ? vertx
                        .timer(20, TimeUnit.MILLISECONDS)
                        .compose(later -> writeUntilTaken(vertx, sink, batch))
                    : Future.failedFuture(failure));
  }

  static Future<?> writeShards(Vertx vertx, Sink sink, int shards, int batches) {
    List<Future<Void>> all = new ArrayList<>();
    for (int shard = 0; shard < shards; shard++) {
      all.add(writeAll(vertx, sink, shard, batches));
    }
    return Future.all(all);
  }

  static SinkException failure(Future<Void> write) {
    await().atMost(30, TimeUnit.SECONDS).until(write::failed);
    return (SinkException) write.cause();
  }

  /** What consumers were given, in the order in which they were. */
  static final class Received {

    private final List<ShardEvent> events = new ArrayList<>();
    private final ConcurrentHashMap<Integer, Set<String>> consumersOfShard =
        new ConcurrentHashMap<>();

    synchronized Future<Void> take(String consumer, Batch batch) {
      events.addAll(batch.events());
      consumersOfShard
          .computeIfAbsent(batch.shard(), shard -> ConcurrentHashMap.newKeySet())
          .add(consumer);
      return Future.succeededFuture();
    }

    synchronized List<Long> sequences(int shard) {
      return events.stream().filter(e -> e.shard() == shard).map(ShardEvent::sequence).toList();
    }

    synchronized int size() {
      return events.size();
    }

    Set<String> consumers(int shard) {
      return consumersOfShard.getOrDefault(shard, Set.of());
    }

    void assertOnceInOrder(int shards, int count) {
      for (int shard = 0; shard < shards; shard++) {
        assertThat(sequences(shard)).isEqualTo(SinkContract.range(0, count));
      }
    }

    /** After faults events may come again, but the first time they come in order. */
    void assertFirstTimesInOrder(int shards, int count) {
      for (int shard = 0; shard < shards; shard++) {
        assertThat(sequences(shard).stream().distinct().toList())
            .isEqualTo(SinkContract.range(0, count));
      }
    }
  }

  EventBusConsumer join(String name, int credits) throws Exception {
    return get(
        EventBusConsumer.start(vertx, ADDRESS, credits, batch -> received.take(name, batch)));
  }

  /** A consumer that says hello once and then is silent, as one whose machine died. */
  List<Object> joinMute(String id) throws Exception {
    List<Object> got = new CopyOnWriteArrayList<>();
    joinBare(id, message -> got.add(message.body()));
    return got;
  }

  /** A consumer that speaks the protocol itself, but sends no heartbeats. */
  void joinBare(String id, Handler<Message<Object>> handler) throws Exception {
    get(vertx.eventBus().consumer(ADDRESS + ".member." + id, handler).completion());
    vertx
        .eventBus()
        .publish(
            ADDRESS, new JsonObject().put("type", "hello").put("member", id).put("credits", 10));
  }
}
