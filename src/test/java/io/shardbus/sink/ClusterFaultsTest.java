package io.shardbus.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.shardbus.event.Ack;
import io.shardbus.event.NotDeliveredException;
import io.shardbus.event.RawEvent;
import io.shardbus.eventbus.EventBusPublisher;
import io.shardbus.eventbus.EventBusPublisherOptions;
import io.shardbus.testing.Ports;
import io.shardbus.testing.Program;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Three servers, a store, and publishers on a fourth node, while something fails. Reads the store
 * with its own client, and adds a line to {@code target/cluster-faults.md}. By default a short run;
 * {@code -Dfaults.sinks=redis,jetstream,kafka -Dfaults.kinds=kill,stop,cut,restart,store,hang
 * -Dfaults.seconds=40} is a long one. Kinds with a plus between them follow each other in one run.
 * With the sink {@code eventbus}, one of two consumers is the store that fails. Events have ids
 * where the store recognises them.
 */
@Tag("backend")
@Tag("slow")
class ClusterFaultsTest {

  private static final int NODES = 3;
  private static final int PUBLISHERS = 6;
  private static final int KEYS = 20;
  private static final Path TABLE = Path.of("target/cluster-faults.md");
  private static final long SECONDS = Long.getLong("faults.seconds", 10);

  @TempDir Path dir;

  static Stream<Arguments> runs() {
    return words("faults.sinks", "redis")
        .flatMap(sink -> words("faults.kinds", "kill+stop").map(kind -> Arguments.of(sink, kind)));
  }

  private static Stream<String> words(String property, String normally) {
    return Stream.of(System.getProperty(property, normally).split(",", -1));
  }

  private static <T> T get(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(120, TimeUnit.SECONDS);
  }

  @ParameterizedTest
  @MethodSource("runs")
  void confirmedEvents_areInTheStoreOnce(String sink, String kind) throws Exception {
    boolean cut = kind.equals("cut");
    if (cut) {
      assumeTrue(FaultyNodes.mayMakeNamespaces(), "links are cut in network namespaces");
    }
    Program.require(
        Map.of("redis", "redis-server", "jetstream", "nats-server").getOrDefault(sink, "kill"));
    Vertx reading = Vertx.vertx();
    int port = Ports.free();
    String host = cut ? "10.99.77.1" : "127.0.0.1";
    FaultyBackend store = FaultyBackend.of(sink, dir, host, reading, port);
    try (FaultyNodes nodes = new FaultyNodes(dir, port, NODES, cut, store.environment())) {
      Vertx vertx = ClusteredNode.start(FaultyNodes.cluster(port), port, nodes.host(-1));
      store.server().start();
      if (sink.equals("eventbus")) {
        get(FaultyConsumer.start(vertx, dir.resolve("store/steady")));
      }
      for (int n = 0; n < NODES; n++) {
        nodes.start(n);
      }
      List<Writer> writers =
          IntStream.range(0, PUBLISHERS).mapToObj(n -> new Writer(vertx, "p" + n, sink)).toList();
      await().atMost(Duration.ofMinutes(1)).until(() -> all(writers, 200));
      writers.forEach(Writer::measure);
      for (String one : kind.split("\\+", -1)) {
        make(one, nodes, store);
      }
      writers.forEach(Writer::count);
      await().atMost(Duration.ofMinutes(2)).until(() -> all(writers, 200));
      for (Writer writer : writers) {
        get(writer.end());
      }
      List<String> stored = store.reader().read();
      check(sink, kind, writers, stored);
      get(vertx.close());
    } finally {
      store.server().kill();
      get(reading.close());
    }
  }

  private static boolean all(List<Writer> writers, int count) {
    return writers.stream().allMatch(writer -> writer.since() >= count);
  }

  /** Returns once it is over, and a node that was away has had time to write what it held. */
  private static void make(String kind, FaultyNodes nodes, FaultyBackend store) throws Exception {
    switch (kind) {
      case "kill" -> {
        nodes.signal(0, "KILL");
        last(SECONDS);
        nodes.start(0);
      }
      case "stop" -> {
        nodes.signal(0, "STOP");
        last(SECONDS);
        nodes.signal(0, "CONT");
      }
      case "cut" -> {
        nodes.cut(0);
        last(SECONDS);
        nodes.mend(0);
      }
      case "restart" -> {
        for (int n = 0; n < NODES; n++) {
          nodes.signal(n, "TERM");
          nodes.awaitEnd(n);
          nodes.start(n);
        }
      }
      case "store" -> {
        store.server().kill();
        last(SECONDS);
        store.server().start();
      }
      case "hang" -> {
        store.server().pause();
        last(SECONDS);
        store.server().resume();
      }
      default -> throw new IllegalArgumentException("faults.kinds: " + kind);
    }
    last(10);
  }

  /** The fault lasts as long: that is no wait for a condition. */
  private static void last(long seconds) {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(seconds);
    while (System.nanoTime() - end < 0) {
      LockSupport.parkNanos(end - System.nanoTime());
    }
  }

  private static void check(String sink, String kind, List<Writer> writers, List<String> stored)
      throws Exception {
    Map<String, Integer> times = new LinkedHashMap<>(); // in the order of the first ones
    stored.forEach(event -> times.merge(event, 1, Integer::sum));
    long doubled = times.values().stream().mapToInt(count -> count - 1).sum();
    long confirmed = 0;
    long lost = 0;
    long reordered = 0;
    long confirmedReordered = 0;
    Map<String, Integer> reasons = new TreeMap<>();
    long outage = 0;
    for (Writer writer : writers) {
      confirmed += writer.confirmed.size();
      lost += writer.confirmed.stream().filter(event -> !times.containsKey(event)).count();
      writer.reasons.forEach((reason, count) -> reasons.merge(reason, count, Integer::sum));
      outage = Math.max(outage, writer.longest);
      Map<Integer, Integer> last = new HashMap<>();
      for (String event : times.keySet()) {
        if (event.startsWith(writer.name + ":")) {
          int number = Integer.parseInt(event.substring(writer.name.length() + 1));
          if (last.merge(number % KEYS, number, Math::max) != number) {
            reordered++;
            confirmedReordered += writer.confirmed.contains(event) ? 1 : 0;
          }
        }
      }
    }
    if (Files.notExists(TABLE)) {
      Files.writeString(
          TABLE,
          """
          | sink | fault | outage | confirmed | not confirmed | lost | doubled | reordered | of them confirmed |
          |---|---|---|---|---|---|---|---|---|
          """);
    }
    Files.writeString(
        TABLE,
        "| %s | %s | %.1f s | %d | %s | %d | %d | %d | %d |%n"
            .formatted(
                sink,
                kind,
                TimeUnit.NANOSECONDS.toMillis(outage) / 1000.0,
                confirmed,
                reasons.isEmpty() ? "none" : reasons,
                lost,
                doubled,
                reordered,
                confirmedReordered),
        StandardOpenOption.APPEND);
    assertThat(lost).as("confirmed and not in the store").isZero();
    // The others do not recognise what a bus writes again because no answer came in time.
    if (Set.of("redis", "jetstream").contains(sink)) {
      assertThat(doubled).as("twice in the store").isZero();
    }
    assertThat(confirmedReordered).as("confirmed behind a newer event of their key").isZero();
    assertThat(reasons.keySet())
        .isSubsetOf(
            !sink.equals("eventbus") && Set.of("store", "hang").contains(kind)
                ? Set.of("UNKNOWN", "BACKPRESSURE", "CLOSED", "NO_BUS")
                : sink.equals("jetstream") ? Set.of() : Set.of("UNKNOWN"));
  }

  private static final class Writer {

    private final String name;
    private final boolean withIds;
    private final Vertx vertx;
    private final EventBusPublisher publisher;
    private final Set<String> confirmed = ConcurrentHashMap.newKeySet();
    private final Map<String, Integer> reasons = new ConcurrentHashMap<>();
    private final long timer;
    private int next;
    private volatile int counted;
    private volatile boolean measuring;
    private volatile long latest = System.nanoTime();
    private volatile long longest;

    Writer(Vertx vertx, String name, String sink) {
      withIds = sink.equals("jetstream");
      this.vertx = vertx;
      this.name = name;
      publisher =
          EventBusPublisher.create(vertx, new EventBusPublisherOptions().setAck(Ack.DELIVERED));
      timer = vertx.setPeriodic(20, tick -> write());
    }

    private void write() {
      if (!publisher.writeQueueFull()) {
        int number = next++;
        String event = name + ":" + number;
        publisher
            .write(
                RawEvent.builder(Buffer.buffer(event))
                    .key(name + "-" + number % KEYS)
                    .id(withIds ? event : null)
                    .build())
            .onSuccess(done -> confirmed(event))
            .onFailure(
                e ->
                    reasons.merge(
                        e instanceof NotDeliveredException why ? why.reason().name() : e.toString(),
                        1,
                        Integer::sum));
      }
    }

    private synchronized void confirmed(String event) {
      confirmed.add(event);
      long now = System.nanoTime();
      if (measuring) {
        longest = Math.max(longest, now - latest);
      }
      latest = now;
    }

    /** From now on, the longest time without a confirmation counts. */
    synchronized void measure() {
      measuring = true;
      latest = System.nanoTime();
    }

    void count() {
      counted = confirmed.size();
    }

    /** Confirmations since {@link #count}. */
    int since() {
      return confirmed.size() - counted;
    }

    Future<Void> end() {
      vertx.cancelTimer(timer);
      return publisher.end();
    }
  }
}
