package io.shardbus.eventbus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.event.Batch;
import io.shardbus.event.NotDeliveredException;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.ClusteredNode;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkContext;
import io.shardbus.sink.SinkOptions;
import io.shardbus.testing.Java;
import io.shardbus.testing.Ports;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.json.JsonObject;
import java.io.BufferedReader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Publishers in a cluster whose nodes hang, come and go. */
@Tag("backend")
class PublisherMovesTest {

  private static final int KEYS = 8;

  private final String cluster = UUID.randomUUID().toString();
  private final List<Taken> taken = new ArrayList<>();
  private int port;
  private Vertx here;

  /** What one of the buses wrote, in the order of all writes. */
  private record Taken(String bus, String key, int number) {}

  @BeforeEach
  void start() throws Exception {
    port = Ports.free();
    here = ClusteredNode.start(cluster, port);
  }

  @AfterEach
  void stop() throws Exception {
    get(here.close());
  }

  private static <T> T get(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(60, TimeUnit.SECONDS);
  }

  private final class SharedSink implements Sink {

    private final String bus;
    private final Supplier<Future<Void>> gate;

    SharedSink(String bus, Supplier<Future<Void>> gate) {
      this.bus = bus;
      this.gate = gate;
    }

    @Override
    public String name() {
      return bus;
    }

    @Override
    public Future<Void> open(SinkContext context) {
      return Future.succeededFuture();
    }

    @Override
    public Future<Void> write(Batch batch) {
      return gate.get()
          .onSuccess(
              open -> {
                synchronized (taken) {
                  for (ShardEvent event : batch.events()) {
                    int number = Integer.parseInt(event.payload().toString());
                    taken.add(new Taken(bus, event.key(), number));
                  }
                }
              });
    }

    @Override
    public Future<Void> close() {
      return Future.succeededFuture();
    }
  }

  private List<Taken> taken() {
    synchronized (taken) {
      return List.copyOf(taken);
    }
  }

  private long takenBy(String bus) {
    return taken().stream().filter(one -> one.bus().equals(bus)).count();
  }

  private static ShardBusOptions options() {
    ShardBusOptions options = new ShardBusOptions().setShards(2).setRouters(2);
    options.getBatch().setMinSize(1).setMaxDelay(Duration.ofMillis(20));
    return options;
  }

  private ShardBus bus(Vertx vertx, String name) throws Exception {
    return get(ShardBus.start(vertx, options(), new SharedSink(name, Future::succeededFuture)));
  }

  /** Writes keyed events until it is stopped. */
  private final class Writer {

    private final String name;
    private final EventBusPublisher publisher;
    private final Set<Integer> confirmed = ConcurrentHashMap.newKeySet();
    private final Map<Outcome, AtomicInteger> reasons = new ConcurrentHashMap<>();
    private final Promise<Void> ended = Promise.promise();
    private volatile boolean enough;
    private int next;

    Writer(String name, EventBusPublisherOptions options) {
      this.name = name;
      publisher = EventBusPublisher.create(here, options);
      here.setPeriodic(5, this::write);
    }

    private void write(long timer) {
      if (enough) {
        here.cancelTimer(timer);
        publisher.end().onComplete(ended);
        return;
      }
      for (int i = 0; i < 5 && !publisher.writeQueueFull(); i++) {
        int number = next++;
        publisher
            .write(RawEvent.of(Buffer.buffer("" + number), name + number % KEYS))
            .onSuccess(done -> confirmed.add(number))
            .onFailure(
                e ->
                    reasons
                        .computeIfAbsent(
                            ((NotDeliveredException) e).reason(), why -> new AtomicInteger())
                        .incrementAndGet());
      }
    }

    Future<Void> end() {
      enough = true;
      return ended.future();
    }
  }

  private void assertKeysInOrder() {
    Map<String, Integer> last = new HashMap<>();
    for (Taken one : taken()) {
      Integer before = last.put(one.key(), one.number());
      assertThat(before == null || before < one.number())
          .as("%s after %s of key %s", one.number(), before, one.key())
          .isTrue();
    }
  }

  @Test
  void hungNode_isLeft() throws Exception {
    try (Node node = new Node()) {
      Writer writer = new Writer("a", new EventBusPublisherOptions());
      await().atMost(60, TimeUnit.SECONDS).until(() -> writer.confirmed.size() > 100);
      bus(here, "here");
      node.signal("STOP");
      await().atMost(60, TimeUnit.SECONDS).until(() -> takenBy("here") > 100);
      get(writer.end());
      // None of those that waited was refused, although an event waits for 30 s at most.
      assertThat(writer.reasons.keySet()).isSubsetOf(Outcome.UNKNOWN);
      assertKeysInOrder();
    }
  }

  /** Nobody but the hung node is there. */
  @Test
  void hungNode_isNotCalledBackpressure() throws Exception {
    try (Node node = new Node()) {
      Writer writer =
          new Writer("a", new EventBusPublisherOptions().setTimeout(Duration.ofSeconds(3)));
      await().atMost(60, TimeUnit.SECONDS).until(() -> writer.confirmed.size() > 100);
      node.signal("STOP");
      await().atMost(60, TimeUnit.SECONDS).until(() -> writer.reasons.containsKey(Outcome.NO_BUS));
      get(writer.end());
      assertThat(writer.reasons.keySet()).isSubsetOf(Outcome.UNKNOWN, Outcome.NO_BUS);
    }
  }

  @Test
  void nodeThatJoins_getsItsShareAndKeysKeepTheirOrder() throws Exception {
    bus(here, "first");
    List<Writer> writers = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      writers.add(new Writer("abcdef".charAt(i) + "", new EventBusPublisherOptions()));
    }
    await().atMost(60, TimeUnit.SECONDS).until(() -> takenBy("first") > 1000);
    Vertx there = ClusteredNode.start(cluster, port);
    bus(there, "second");
    // Half of them, and not all, write to the node that has come.
    await().atMost(60, TimeUnit.SECONDS).until(() -> namesOfTheLast(1000, "second").size() == 3);
    assertThat(namesOfTheLast(1000, "first")).isNotEmpty();
    for (Writer writer : writers) {
      get(writer.end());
      assertThat(writer.reasons).isEmpty();
    }
    await()
        .untilAsserted(
            () -> assertThat(taken()).hasSize(writers.stream().mapToInt(one -> one.next).sum()));
    assertKeysInOrder();
    get(there.close());
  }

  /** Whoever came would wait until all is settled that the closing bus has accepted. */
  @Test
  void busThatCloses_drawsNoPublishers() throws Exception {
    Promise<Void> gate = Promise.promise();
    ShardBus bus = get(ShardBus.start(here, options(), new SharedSink("first", gate::future)));
    Set<String> routers = ConcurrentHashMap.newKeySet();
    Set<String> gone = ConcurrentHashMap.newKeySet();
    here.eventBus()
        .<JsonObject>consumer(
            "shardbus.ingest.routers",
            told ->
                (told.body().getBoolean("gone", false) ? gone : routers)
                    .add(told.body().getString("router")));
    await().until(() -> routers.size() == 2);
    get(EventBusPublisher.create(here).write(RawEvent.of("1")));
    Future<Void> closed = bus.close();
    await().until(() -> bus.shards().isClosed());
    for (String router : routers) {
      DeliveryOptions open =
          new DeliveryOptions().addHeader("publisher", "p").addHeader("ask", "open");
      Future<?> answer = here.eventBus().request(router, null, open);
      await().until(answer::isComplete);
      assertThat(answer.cause()).hasMessage("the bus is closed");
    }
    await().until(() -> gone.equals(routers));
    assertThat(closed.isComplete()).isFalse();
    gate.complete();
    get(closed);
  }

  private Set<String> namesOfTheLast(int count, String bus) {
    List<Taken> all = taken();
    Set<String> names = new HashSet<>();
    for (Taken one : all.subList(Math.max(0, all.size() - count), all.size())) {
      if (one.bus().equals(bus)) {
        names.add(one.key().substring(0, 1));
      }
    }
    return names;
  }

  /** What the closing bus has accepted is written before what the next one gets. */
  @Test
  void busThatCloses_keepsTheOrderOfKeys() throws Exception {
    Promise<Void> gate = Promise.promise();
    ShardBus first = get(ShardBus.start(here, options(), new SharedSink("first", gate::future)));
    Writer writer = new Writer("a", new EventBusPublisherOptions());
    await().until(() -> writer.confirmed.size() > 500);
    Vertx there = ClusteredNode.start(cluster, port);
    bus(there, "second");
    Future<Void> closed = first.close();
    await().until(() -> first.shards().isClosed());
    int before = writer.next;
    await().until(() -> writer.next > before + 500);
    assertThat(takenBy("second")).isZero();
    gate.complete();
    get(closed);
    await().atMost(60, TimeUnit.SECONDS).until(() -> takenBy("second") > 500);
    get(writer.end());
    assertThat(writer.reasons).isEmpty();
    await().until(() -> taken().size() == writer.next);
    assertKeysInOrder();
    get(there.close());
  }

  /** A bus on a node in a process of its own. */
  private final class Node implements AutoCloseable {

    private final Process process;

    Node() throws Exception {
      process =
          new ProcessBuilder(
                  Java.command(PublisherMovesTest.class.getName(), cluster, Integer.toString(port)))
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start();
      BufferedReader out = process.inputReader();
      String line = out.readLine();
      while (line != null && !line.equals("READY")) {
        line = out.readLine();
      }
      assertThat(line).isEqualTo("READY");
    }

    void signal(String name) throws Exception {
      Process kill = new ProcessBuilder("kill", "-" + name, "" + process.pid()).start();
      assertThat(kill.waitFor()).isZero();
    }

    @Override
    public void close() {
      process.destroyForcibly().onExit().join();
    }
  }

  public static void main(String[] args) throws Exception {
    Vertx vertx = ClusteredNode.start(args[0], Integer.parseInt(args[1]));
    get(ShardBus.start(vertx, options().setSink(new SinkOptions("memory"))));
    System.out.println("READY");
  }
}
