package io.shardbus.eventbus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.event.Ack;
import io.shardbus.event.NotDeliveredException;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.shardbus.junit5.RecordingSink;
import io.vertx.core.Future;
import io.vertx.core.VerticleBase;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.eventbus.EventBus;
import io.vertx.core.eventbus.Message;
import io.vertx.core.json.JsonObject;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A publisher whose Vert.x throws, or whose router answers late or not as it should. */
@Tag("once")
class PublisherFaultsTest {

  private Vertx vertx;
  private final RecordingSink sink = new RecordingSink();

  /** What the router of the test got, in order. */
  private final List<String> seen = new CopyOnWriteArrayList<>();

  @BeforeEach
  void start() {
    vertx = Vertx.vertx();
  }

  @AfterEach
  void stop() throws Exception {
    get(vertx.close());
  }

  private static <T> T get(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
  }

  private ShardBus bus() throws Exception {
    return get(ShardBus.start(vertx, new ShardBusOptions().setShards(2), sink));
  }

  private static void throwIt(boolean error) {
    if (error) {
      throw new OutOfMemoryError("of the test");
    }
    throw new IllegalStateException("Promise already completed");
  }

  private static <T> T instead(
      Class<T> type, T real, String method, Function<Object[], Object> what) {
    return type.cast(
        Proxy.newProxyInstance(
            type.getClassLoader(),
            new Class<?>[] {type},
            (proxy, called, arguments) -> {
              if (called.getName().equals(method)) {
                return what.apply(arguments);
              }
              try {
                return called.invoke(real, arguments);
              } catch (InvocationTargetException e) {
                throw e.getCause();
              }
            }));
  }

  /** As a clustered event bus does while the connection to a node that was killed breaks. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void eventBusThatThrows_isAskedAgain(boolean error) throws Exception {
    bus();
    AtomicInteger questions = new AtomicInteger();
    AtomicInteger batches = new AtomicInteger();
    EventBus throwing =
        instead(
            EventBus.class,
            vertx.eventBus(),
            "request",
            arguments -> {
              if ((arguments[1] == null ? questions : batches).incrementAndGet() == 1) {
                throwIt(error);
              }
              return vertx
                  .eventBus()
                  .request((String) arguments[0], arguments[1], (DeliveryOptions) arguments[2]);
            });
    Vertx node = instead(Vertx.class, vertx, "eventBus", arguments -> throwing);
    EventBusPublisher publisher =
        EventBusPublisher.create(node, new EventBusPublisherOptions().setAck(Ack.DELIVERED));
    get(publisher.write(RawEvent.of("one")));
    assertThat(sink.count()).isOne();
    assertThat(batches).hasValue(2);
  }

  @Test
  void batchForWhichMemoryWasMissing_isSentAgain() throws Exception {
    bus();
    AtomicInteger copies = new AtomicInteger();
    Buffer bytes = Buffer.buffer("one");
    Buffer starved =
        instead(
            Buffer.class,
            bytes,
            "getBytes",
            arguments -> {
              if (copies.incrementAndGet() == 1) {
                throwIt(true);
              }
              return bytes.getBytes((byte[]) arguments[0], (int) arguments[1]);
            });
    EventBusPublisher publisher = EventBusPublisher.create(vertx);
    get(publisher.write(RawEvent.ofHash(starved, 1)));
    assertThat(copies).hasValue(2);
  }

  @Test
  void routersThatCannotBeTold_doNotKeepThisOneFromStopping() throws Exception {
    EventBus throwing =
        instead(
            EventBus.class,
            vertx.eventBus(),
            "publish",
            arguments -> {
              throw new IllegalStateException("the connection is closed");
            });
    Vertx node = instead(Vertx.class, vertx, "eventBus", arguments -> throwing);
    RouterBalance balance =
        new RouterBalance(node, "routers", new ClusterNodes(node, JsonObject::new), "one", null);
    get(balance.start());
    balance.stop();
  }

  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void writesOfAPublisherThatWasNotClosed_endWithItsVerticleOrVertx(boolean verticle)
      throws Exception {
    vertx.eventBus().consumer("here", m -> m.reply(new JsonObject().put("address", "router")));
    vertx.eventBus().consumer("router", message -> seen.add("batch"));
    Vertx own = verticle ? vertx : Vertx.vertx();
    AtomicReference<EventBusPublisher> publisher = new AtomicReference<>();
    List<Future<Void>> writes = new CopyOnWriteArrayList<>();
    String id =
        get(
            own.deployVerticle(
                new VerticleBase() {
                  @Override
                  public Future<?> start() {
                    if (verticle) {
                      publisher.set(silent(own));
                      writes.add(publisher.get().write(RawEvent.of("sent")));
                    }
                    return Future.succeededFuture();
                  }

                  @Override
                  public Future<?> stop() { // it may still write
                    if (verticle) {
                      writes.add(publisher.get().write(RawEvent.of("waits")));
                    }
                    return Future.succeededFuture();
                  }
                }));
    if (verticle) {
      await().until(() -> !seen.isEmpty());
      get(own.undeploy(id));
    } else {
      publisher.set(silent(own));
      writes.add(publisher.get().write(RawEvent.of("no bus there")));
      get(own.close());
    }
    await().untilAsserted(() -> assertThat(writes).allMatch(Future::isComplete));
    List<Outcome> fates =
        writes.stream().map(one -> ((NotDeliveredException) one.cause()).reason()).toList();
    if (verticle) {
      assertThat(fates).first().isEqualTo(Outcome.UNKNOWN);
      assertThat(fates).last().isIn(Outcome.UNKNOWN, Outcome.CLOSED);
    } else {
      assertThat(fates).containsExactly(Outcome.CLOSED);
    }
    assertThat(publisher.get().write(RawEvent.of("late")).failed()).isTrue();
  }

  private static EventBusPublisher silent(Vertx vertx) {
    return EventBusPublisher.create(
        vertx,
        new EventBusPublisherOptions()
            .setAddress("here")
            .setTimeout(Duration.ofMinutes(10))
            .setSilence(Duration.ofMinutes(10)));
  }

  /** A router that the test plays, and another one to which it sends its publisher. */
  private EventBusPublisher publisherOf(
      Function<Message<Object>, DeliveryOptions> batch, Function<Message<Object>, Boolean> asked) {
    vertx
        .eventBus()
        .consumer("here", message -> message.reply(new JsonObject().put("address", "router")));
    vertx
        .eventBus()
        .consumer(
            "router",
            message -> {
              String question = message.headers().get("ask");
              if (question == null) {
                seen.add("batch " + message.headers().get("number"));
                message.reply(Buffer.buffer(), batch.apply(message));
              } else if (question.equals("alive")) {
                message.reply(null);
              } else {
                seen.add(question);
                if (asked.apply(message)) {
                  message.reply(new JsonObject().put("settled", true));
                }
              }
            });
    vertx
        .eventBus()
        .consumer(
            "other",
            message -> {
              seen.add("open");
              message.reply(new JsonObject().put("address", "other.router"));
            });
    return EventBusPublisher.create(
        vertx,
        new EventBusPublisherOptions()
            .setAddress("here")
            .setTimeout(Duration.ofSeconds(60))
            .setSilence(Duration.ofSeconds(60)));
  }

  private static DeliveryOptions move(boolean away) {
    DeliveryOptions reply = new DeliveryOptions();
    return away ? reply.addHeader("move", "other") : reply;
  }

  /** It says nothing about the batch, which may wait in a ring. */
  @Test
  void answerFromBeforeABatch_allowsNoMove() throws Exception {
    AtomicReference<Message<Object>> held = new AtomicReference<>();
    EventBusPublisher publisher =
        publisherOf(
            batch -> {
              String number = batch.headers().get("number");
              if (number.equals("1")) { // the publisher has given up the first move
                held.get().reply(new JsonObject().put("settled", true));
              }
              return move(!number.equals("1"));
            },
            question -> !held.compareAndSet(null, question));
    for (int i = 0; i < 3; i++) {
      get(publisher.write(RawEvent.of("" + i)));
    }
    Future<Void> waiting = publisher.write(RawEvent.of("3"));
    await().until(() -> seen.contains("open"));
    assertThat(seen).containsExactly("batch 0", "settled", "batch 1", "batch 2", "settled", "open");
    assertThat(waiting.isComplete()).isFalse();
  }

  /** It may have forgotten the publisher, and still hold its events. */
  @Test
  void routerThatCannotSay_isNotLeft() throws Exception {
    EventBusPublisher publisher =
        publisherOf(
            batch -> move(batch.headers().get("number").equals("0")),
            question -> {
              question.fail(410, "the publisher is not known here");
              return false;
            });
    get(publisher.write(RawEvent.of("0")));
    get(publisher.write(RawEvent.of("1")));
    assertThat(seen).startsWith("batch 0", "settled").endsWith("batch 1").doesNotContain("open");
  }

  /** This router holds events. Another one could deliver newer events of the same keys first. */
  @Test
  void routerThatHasForgottenThePublisher_isAskedToTakeItAgain() throws Exception {
    EventBusPublisher publisher =
        publisherOf(
            batch -> {
              if (batch.headers().get("number").equals("1")) {
                batch.fail(410, "the publisher is not known here");
              }
              return move(false);
            },
            question -> {
              question.reply(new JsonObject().put("address", "router"));
              return false;
            });
    get(publisher.write(RawEvent.of("0")));
    get(publisher.write(RawEvent.of("1")));
    assertThat(seen).containsExactly("batch 0", "batch 1", "open", "batch 0");
  }
}
