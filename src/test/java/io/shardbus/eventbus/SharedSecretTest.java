package io.shardbus.eventbus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.event.Batch;
import io.shardbus.event.NotDeliveredException;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.sink.SinkOptions;
import io.shardbus.sink.eventbus.EventBusConsumer;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.ReplyException;
import io.vertx.core.json.JsonObject;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.NullSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A bus and a sink that ask for a secret. */
class SharedSecretTest {

  private static final String SECRET = "open sesame";

  private final Vertx vertx = Vertx.vertx();

  @AfterEach
  void stop() throws Exception {
    get(vertx.close());
  }

  private static <T> T get(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private static ShardBusOptions options() {
    ShardBusOptions options = new ShardBusOptions().setShards(1).setSecret(SECRET);
    options.getBatch().setMinSize(1);
    return options;
  }

  private EventBusPublisher publisher(String secret) {
    return EventBusPublisher.create(vertx, new EventBusPublisherOptions().setSecret(secret));
  }

  private static void assertUnauthorized(Future<?> written) {
    assertThatThrownBy(() -> get(written))
        .cause()
        .isInstanceOfSatisfying(
            NotDeliveredException.class,
            e -> assertThat(e.reason()).isEqualTo(Outcome.UNAUTHORIZED));
  }

  @ParameterizedTest
  @NullSource
  @ValueSource(strings = "open barley")
  void publisherWithoutTheSecret_isRefused(String secret) throws Exception {
    ShardBus bus = get(ShardBus.start(vertx, options(), new RecordingSink()));
    EventBusPublisher publisher = publisher(secret);
    assertUnauthorized(publisher.write(RawEvent.of("1")));
    get(publisher.end());
    assertThat(bus.stats().total().accepted()).isZero();
  }

  @Test
  void publisherWithTheSecret_isServed() throws Exception {
    ShardBus bus = get(ShardBus.start(vertx, options(), new RecordingSink()));
    get(publisher(SECRET).write(RawEvent.of("1")));
    assertThat(bus.stats().total().accepted()).isOne();
  }

  /** Each event that is written asks once, and no event waits for its timeout. */
  @Test
  void publisherThatIsRefused_doesNotAskAgainByItself() throws Exception {
    AtomicInteger asked = new AtomicInteger();
    vertx
        .eventBus()
        .consumer(
            "shardbus.ingest",
            message -> {
              asked.incrementAndGet();
              message.fail(Outcome.UNAUTHORIZED.status(), "");
            });
    EventBusPublisher publisher = publisher(null);
    assertUnauthorized(publisher.write(RawEvent.of("1")));
    assertUnauthorized(publisher.write(RawEvent.of("2")));
    get(publisher.end());
    assertThat(asked).hasValue(2);
  }

  @Test
  void request_needsTheSecretInAHeaderThatDoesNotTravelOn() throws Exception {
    RecordingSink sink = new RecordingSink();
    get(ShardBus.start(vertx, options(), sink));
    DeliveryOptions headers = new DeliveryOptions().addHeader("ack", "delivered");
    assertThatThrownBy(() -> get(vertx.eventBus().request("shardbus.ingest", "1", headers)))
        .cause()
        .isInstanceOfSatisfying(
            ReplyException.class, e -> assertThat(e.failureCode()).isEqualTo(401))
        .hasMessageContaining("secret")
        .hasMessageNotContaining(SECRET);
    headers.addHeader("secret", SECRET);
    get(vertx.eventBus().request("shardbus.ingest", "2", headers));
    assertThat(sink.ofShard(0)).hasSize(1);
    ShardEvent event = sink.ofShard(0).get(0);
    assertThat(event.payload()).hasToString("2");
    assertThat(event.headers().isEmpty()).isTrue();
  }

  @Test
  void consumerWithoutTheSecret_getsNothing() throws Exception {
    List<String> got = new CopyOnWriteArrayList<>();
    for (String secret : new String[] {null, "open barley", SECRET}) {
      get(
          EventBusConsumer.start(
              vertx,
              "shardbus.events",
              1,
              secret,
              (Batch batch) -> {
                got.add(String.valueOf(secret));
                return Future.succeededFuture();
              }));
    }
    ShardBus bus =
        get(
            ShardBus.start(
                vertx,
                options()
                    .setShards(8)
                    .setSink(
                        new SinkOptions("eventbus")
                            .setConfig(new JsonObject().put("secret", SECRET)))));
    for (int i = 0; i < 50; i++) {
      get(bus.deliver(RawEvent.of("event " + i)));
    }
    assertThat(got).isNotEmpty().containsOnly(SECRET);
  }
}
