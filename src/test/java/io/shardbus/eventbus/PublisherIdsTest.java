package io.shardbus.eventbus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.nats.client.Connection;
import io.nats.client.Nats;
import io.nats.client.api.StreamConfiguration;
import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.event.Ack;
import io.shardbus.event.Batch;
import io.shardbus.event.IdStore;
import io.shardbus.event.NotDeliveredException;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.shardbus.sink.ClusteredNode;
import io.shardbus.sink.EventPage;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.ReplayableSink;
import io.shardbus.sink.ServerProcess;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkContext;
import io.shardbus.sink.SinkOptions;
import io.shardbus.sink.Sinks;
import io.shardbus.testing.Ports;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A router takes a batch and falls silent; its store recognises ids. */
@Tag("backend")
class PublisherIdsTest {

  private static final int EVENTS = 300;
  private static final int KEYS = 7;

  @TempDir Path dir;
  private final int natsPort = Ports.free();
  private ServerProcess nats;
  private Vertx here;
  private Vertx there;

  @BeforeEach
  void start() throws Exception {
    nats =
        new ServerProcess(
            natsPort, dir, "nats-server", "-p", "" + natsPort, "-js", "-sd", dir.toString());
    nats.start();
    int port = Ports.free();
    String cluster = UUID.randomUUID().toString();
    here = ClusteredNode.start(cluster, port);
    there = ClusteredNode.start(cluster, port);
  }

  @AfterEach
  void stop() throws Exception {
    if (there != null) {
      get(there.close());
      get(here.close());
    }
    nats.kill();
  }

  private static <T> T get(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private ReplayableSink jetStream(String stream) {
    JsonObject config =
        new JsonObject()
            .put("servers", "nats://127.0.0.1:" + natsPort)
            .put("stream", stream)
            .put("subjectPrefix", stream);
    return (ReplayableSink) Sinks.create(new SinkOptions("jetstream").setConfig(config));
  }

  /** Writes when it may. */
  private record Held(Sink to, Future<Void> gate) implements Sink {

    @Override
    public String name() {
      return to.name();
    }

    @Override
    public Future<Void> open(SinkContext context) {
      return to.open(context);
    }

    @Override
    public Future<Void> write(Batch batch) {
      return gate.compose(open -> to.write(batch));
    }

    @Override
    public @Nullable IdStore idStore() {
      return to.idStore();
    }

    @Override
    public Future<Void> close() {
      return to.close();
    }
  }

  private static ShardBus bus(Vertx node, Sink sink) throws Exception {
    ShardBusOptions options = new ShardBusOptions().setShards(2).setRouters(1);
    options.getBatch().setMinSize(1).setMaxDelay(Duration.ofMillis(5));
    return get(ShardBus.start(node, options, sink));
  }

  /** Events 0, 1, 2... of which each fifth has no id. */
  private final class Writer {

    private final EventBusPublisher publisher;
    private final List<Future<Void>> written = new ArrayList<>();

    Writer(Duration timeout) {
      publisher =
          EventBusPublisher.create(
              here,
              new EventBusPublisherOptions()
                  .setAck(Ack.DELIVERED)
                  .setBatchEvents(40)
                  .setTimeout(timeout)
                  .setSilence(Duration.ofSeconds(1)));
    }

    void write(int count) {
      for (int i = 0; i < count; i++) {
        int number = written.size();
        RawEvent.Builder event =
            RawEvent.builder(Buffer.buffer("" + number)).key("k" + number % KEYS);
        written.add(
            publisher.write(hasId(number) ? event.id("id" + number).build() : event.build()));
      }
    }

    Outcome fate(int number) {
      Future<Void> fate = written.get(number);
      return fate.succeeded() ? Outcome.ACCEPTED : ((NotDeliveredException) fate.cause()).reason();
    }
  }

  private static boolean hasId(int number) {
    return number % 5 != 0;
  }

  /** What it sends gets lost from now on: its publishers hear nothing. */
  private void silence(Vertx node) {
    node.eventBus().addOutboundInterceptor(delivery -> {});
  }

  /** Its events are in the stream, and the answers got lost. */
  private Writer writeToRouterThatFallsSilent(Duration timeout) throws Exception {
    ReplayableSink first = jetStream("S");
    bus(there, first);
    Writer writer = new Writer(timeout);
    writer.write(1);
    get(writer.written.get(0));
    silence(there);
    writer.write(EVENTS);
    await().atMost(Duration.ofSeconds(30)).until(() -> read(first).size() > EVENTS);
    return writer;
  }

  private static List<Integer> read(ReplayableSink sink) throws Exception {
    List<Integer> all = new ArrayList<>();
    String cursor = null;
    EventPage page;
    do {
      page = get(sink.read(EventQuery.of(cursor, 1000)));
      page.events().forEach(one -> all.add(Integer.valueOf(one.event().payload().toString())));
      cursor = page.cursor();
    } while (page.more());
    return all;
  }

  private static void assertOnceAndInOrder(List<Integer> stored, int events) {
    assertThat(stored).doesNotHaveDuplicates();
    assertThat(stored)
        .containsAll(IntStream.range(0, events).filter(PublisherIdsTest::hasId).boxed().toList());
    TreeMap<Integer, Integer> last = new TreeMap<>();
    for (int number : stored) {
      if (hasId(number)) {
        assertThat(last.merge(number % KEYS, number, Math::max)).isEqualTo(number);
      }
    }
  }

  @Test
  void silentRouterThatStored_leavesEachEventWithAnIdOnce() throws Exception {
    Writer writer = writeToRouterThatFallsSilent(Duration.ofSeconds(30));
    ReplayableSink second = jetStream("S");
    bus(here, second);
    get(writer.publisher.end());
    for (int n = 1; n <= EVENTS; n++) {
      assertThat(writer.fate(n)).isEqualTo(hasId(n) ? Outcome.ACCEPTED : Outcome.UNKNOWN);
    }
    assertOnceAndInOrder(read(second), EVENTS + 1);
  }

  /** It comes back and stores what it held, after the other one has. */
  @Test
  void routerThatComesBack_storesNothingTwice() throws Exception {
    Promise<Void> gate = Promise.promise();
    ReplayableSink first = jetStream("S");
    ShardBus silent = bus(there, new Held(first, gate.future()));
    Writer writer = new Writer(Duration.ofSeconds(30));
    writer.write(EVENTS);
    await().until(() -> silent.shards().stats().eventsIngested() == EVENTS);
    silence(there);
    bus(here, jetStream("S"));
    await().atMost(Duration.ofSeconds(30)).until(() -> writer.written.get(0).isComplete());
    writer.write(EVENTS);
    get(writer.publisher.end());
    for (int n = 0; n < 2 * EVENTS; n++) {
      boolean known = hasId(n) || n >= EVENTS;
      assertThat(writer.fate(n)).isEqualTo(known ? Outcome.ACCEPTED : Outcome.UNKNOWN);
    }
    gate.complete();
    get(silent.flush());
    assertOnceAndInOrder(read(first), 2 * EVENTS);
  }

  /** Nothing is written twice if the other store, or a short window, cannot tell. */
  @Test
  void storeThatDoesNotKnowTheIds_getsNothingAgain() throws Exception {
    Writer writer = writeToRouterThatFallsSilent(Duration.ofSeconds(30));
    ReplayableSink other = jetStream("OTHER");
    bus(here, other);
    get(writer.publisher.end());
    for (int n = 1; n <= EVENTS; n++) {
      assertThat(writer.fate(n)).isEqualTo(Outcome.UNKNOWN);
    }
    assertThat(read(other)).isEmpty();
  }

  @Test
  void windowShorterThanThreeTimeouts_isNotReliedOn() throws Exception {
    Connection connection = Nats.connect("nats://127.0.0.1:" + natsPort);
    connection
        .jetStreamManagement()
        .addStream(
            StreamConfiguration.builder()
                .name("S")
                .subjects("S.>")
                .duplicateWindow(Duration.ofSeconds(50))
                .build());
    connection.close();
    Writer writer = writeToRouterThatFallsSilent(Duration.ofSeconds(20));
    bus(here, jetStream("S"));
    get(writer.publisher.end());
    assertThat(writer.fate(1)).isEqualTo(Outcome.UNKNOWN);
  }
}
