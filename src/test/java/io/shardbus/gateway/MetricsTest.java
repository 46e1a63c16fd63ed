package io.shardbus.gateway;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.BusStats;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.shardbus.shard.BackpressureMode;
import io.shardbus.sink.SinkException;
import io.shardbus.testing.Samples;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.http.HttpClient;
import io.vertx.core.http.HttpClientResponse;
import io.vertx.core.http.HttpMethod;
import io.vertx.core.http.WebSocket;
import io.vertx.core.http.WebSocketClient;
import io.vertx.core.json.JsonArray;
import io.vertx.core.json.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Pattern;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MetricsTest extends MetricsFixture {

  /** What the API and the meters call the same; the second is part of a meter's name. */
  private static final Map<String, String> ACCOUNTS =
      Map.of(
          "accepted", "accepted",
          "delivered", "delivered",
          "evicted", "evicted",
          "deadLettered", "dead_lettered");

  /** The reasons of refusals: the same in the statistics and as labels. */
  private static final Set<String> REASONS =
      Set.of("backpressure", "sampled", "unrouted", "closed", "too_large", "intercepted");

  /**
   * Fills the rings, then has the sink refuse some events for a while and one for good.
   *
   * @return how many were refused for a while, each time counted
   */
  private long load() throws Exception {
    Promise<Void> hold = Promise.promise();
    AtomicInteger failures = new AtomicInteger();
    AtomicLong refused = new AtomicLong();
    sink.behave(
        batch -> {
          boolean passing = hold.future().isComplete() && failures.getAndIncrement() < 3;
          boolean poisoned =
              batch.events().stream().anyMatch(e -> e.payload().toString().equals("poison"));
          return hold.future()
              .compose(
                  open ->
                      passing
                          ? notNow(refused.addAndGet(batch.size()))
                          : poisoned
                              ? Future.failedFuture(SinkException.permanentFailure("never"))
                              : Future.succeededFuture());
        });
    bus.ingest(RawEvent.of("poison"));
    // Else it might be evicted.
    Awaitility.await().until(() -> bus.stats().total().inFlight() == 1);
    for (int i = 0; i < 100_000; i++) {
      bus.ingest(RawEvent.of("event " + i));
    }
    bus.ingest(RawEvent.of("x".repeat(2000)));
    assertThat(scrape().sum("shardbus_events_pending")).isPositive();
    hold.complete();
    await(bus.flush());
    return refused.get();
  }

  private static Future<Void> notNow(long soFar) {
    return Future.failedFuture(SinkException.transientFailure("not now, as " + soFar + " before"));
  }

  /** Each mode refuses in its own way; what one leaves at zero another drives up. */
  @ParameterizedTest
  @CsvSource({"drop-newest,backpressure", "drop-oldest,evicted", "sample(2),sampled"})
  void everyTotal_isThatOfTheApi(BackpressureMode mode, String ofMode) throws Exception {
    metrics.close();
    await(gateway.close());
    await(bus.close());
    start(mode);
    long retried = load();
    await(bus.scaleUp(1));
    await(bus.scaleDown(1));
    awaitFailed(bus.scaleUp(100));
    awaitFailed(bus.removeShard(100));
    Promise<Void> end = Promise.promise();
    sink.onClose(() -> end.future()); // the meters go when the bus is closed
    Future<Void> closed = bus.close();
    Awaitility.await().until(() -> bus.ingest(RawEvent.of("late")).outcome() == Outcome.CLOSED);
    JsonObject stats = new JsonObject(get("/v1/stats", "application/json"));
    Samples scrape = scrape();
    Map<String, Long> counted = new TreeMap<>();
    Map<String, Long> said = new TreeMap<>();
    ACCOUNTS.forEach(
        (name, meter) -> {
          counted.put(name, scrape.count("shardbus_events_" + meter + "_total"));
          said.put(name, stats.getLong(name));
        });
    REASONS.forEach(
        reason -> {
          counted.put(reason, scrape.count("shardbus_events_refused_total", "reason", reason));
          said.put(reason, stats.getJsonObject("refused").getLong(reason));
        });
    assertThat(counted).isEqualTo(said);
    Set<String> positive = new TreeSet<>(counted.keySet());
    positive.removeIf(account -> counted.get(account) == 0);
    assertThat(positive)
        .containsExactlyInAnyOrder(
            "accepted", "closed", "deadLettered", "delivered", "too_large", ofMode);
    assertThat(scrape.count("shardbus_events_retried_total")).isEqualTo(retried).isPositive();
    assertThat(scrape.count("shardbus_sink_write_seconds_count", "outcome", "done"))
        .isEqualTo(stats.getLong("batches"));
    assertScalings(scrape, stats.getJsonObject("scaling").getJsonArray("recent"));
    end.complete();
    await(closed);
  }

  private static void assertScalings(Samples scrape, JsonArray recent) {
    for (String direction : List.of("up", "down")) {
      for (String outcome : List.of("done", "failed")) {
        long said =
            recent.stream()
                .map(JsonObject.class::cast)
                .filter(each -> each.getString("direction").equals(direction))
                .filter(each -> each.getString("outcome").equals(outcome))
                .count();
        assertThat(
                scrape.count("shardbus_scalings_total", "direction", direction, "outcome", outcome))
            .as("%s %s", direction, outcome)
            .isEqualTo(said)
            .isPositive();
      }
    }
  }

  @Test
  void connections_areCountedWhileTheyAreOpen() throws Exception {
    scrape();
    WebSocketClient webSockets = vertx.createWebSocketClient();
    List<WebSocket> open = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      open.add(await(webSockets.connect(gateway.port(), "127.0.0.1", "/v1/ingest")));
    }
    HttpClient client = vertx.createHttpClient();
    HttpClientResponse other =
        await(
            client
                .request(HttpMethod.GET, gateway.port(), "127.0.0.1", "/v1/shards")
                .compose(request -> request.send()));
    // The one that scrapes, the one that asked for the shards, and the WebSockets.
    assertGateway("connections", 5);
    assertGateway("websockets", 3);
    await(other.request().connection().close());
    for (WebSocket socket : open) {
      await(socket.close());
    }
    assertGateway("connections", 1);
    assertGateway("websockets", 0);
    // Not before: a client that is out of reach is closed with its connections.
    await(client.close());
    await(webSockets.close());
  }

  private void assertGateway(String what, long count) {
    Awaitility.await()
        .untilAsserted(
            () -> assertThat(scrape().count("shardbus_gateway_" + what)).isEqualTo(count));
  }

  @Test
  void totals_areThoseOfTheBus() throws Exception {
    load();
    await(bus.scaleUp(1));
    await(bus.removeShard(0));
    assertThat(bus.scaleUp(100)).satisfies(tooMany -> awaitFailed(tooMany));
    Samples scrape = scrape();
    BusStats stats = bus.stats();
    var total = stats.total();
    assertThat(total.delivered()).isGreaterThan(2000);
    assertThat(scrape.count("shardbus_events_accepted_total")).isEqualTo(total.accepted());
    assertThat(scrape.count("shardbus_events_delivered_total")).isEqualTo(total.delivered());
    assertThat(scrape.count("shardbus_events_dead_lettered_total"))
        .isEqualTo(total.deadLettered())
        .isEqualTo(1);
    assertThat(scrape.count("shardbus_dead_letters"))
        .isEqualTo(1)
        .isEqualTo(stats.deadLettersKept());
    assertThat(scrape.count("shardbus_events_evicted_total")).isEqualTo(total.evicted());
    assertThat(scrape.count("shardbus_events_pending")).isZero();
    assertThat(scrape.count("shardbus_events_refused_total", "reason", "backpressure"))
        .isEqualTo(total.backpressure())
        .isPositive();
    assertThat(scrape.count("shardbus_events_refused_total", "reason", "too_large")).isEqualTo(1);
    assertThat(
            scrape.count("shardbus_events_accepted_total")
                + scrape.count("shardbus_events_refused_total"))
        .isEqualTo(stats.offered());
    assertThat(scrape.count("shardbus_events_retried_total")).isPositive();
    assertThat(scrape.count("shardbus_batch_size_sum")).isEqualTo(total.accepted());
    assertThat(scrape.count("shardbus_sink_write_seconds_count", "outcome", "done"))
        .isEqualTo(stats.batches());
    assertThat(scrape.count("shardbus_sink_write_seconds_count", "outcome", "failed"))
        .isGreaterThan(3);
    long confirmed = scrape.count("shardbus_delivery_latency_seconds_count");
    assertThat(confirmed)
        .isEqualTo(2 * scrape.count("shardbus_sink_write_seconds_count", "outcome", "done"));
    assertThat(scrape.sum("shardbus_delivery_latency_seconds_sum") / confirmed)
        .as("mean latency in seconds")
        .isBetween(0.0, 30.0);
    assertThat(scrape.count("shardbus_shards", "state", "active")).isEqualTo(2);
    assertThat(
            scrape.count(
                "shardbus_scalings_total",
                "direction",
                "up",
                "cause",
                "manual",
                "outcome",
                "failed"))
        .isEqualTo(1);
    assertThat(scrape.count("shardbus_scalings_total", "outcome", "done")).isEqualTo(2);
    for (String limit : List.of("max_shards", "sink", "hot_key")) {
      assertThat(scrape.count("shardbus_scaling_limited", "reason", limit)).as(limit).isZero();
    }
  }

  @Test
  void whatWaitsForRoom_isSeen() throws Exception {
    sink.fillRings(bus);
    Future<?> waiting = bus.ingestAwait(RawEvent.of("event"));
    assertThat(scrape().count("shardbus_events_waiting")).isOne();
    sink.heal();
    await(waiting);
    assertThat(scrape().count("shardbus_events_waiting")).isZero();
    assertThat(bus.stats().waiting()).isZero();
  }

  @Test
  void refusalsOfTheGateway_areCountedByReason() throws Exception {
    for (String body : List.of("{", "[1", "x")) {
      post("application/json", body);
    }
    post("application/x-ndjson", "1\nbad\n" + "1".repeat(2_000) + "\n");
    Samples scrape = scrape();
    assertThat(scrape.count("shardbus_gateway_refused_total", "reason", "invalid")).isEqualTo(4);
    assertThat(scrape.count("shardbus_gateway_refused_total", "reason", "too_large")).isEqualTo(1);
    assertThat(scrape.count("shardbus_gateway_refused_total", "reason", "rate")).isZero();
    assertThat(scrape.count("shardbus_gateway_connections")).isPositive();
    assertThat(scrape.count("shardbus_gateway_websockets")).isZero();
    assertThat(scrape.count("shardbus_gateway_partial_bytes")).isZero();
  }

  private static void awaitFailed(Future<?> future) {
    Awaitility.await().until(future::failed);
  }

  @Test
  void circuit_isThatOfEachShard() throws Exception {
    AtomicBoolean down = new AtomicBoolean(true);
    sink.behave(
        batch ->
            down.get() && batch.shard() == 1
                ? Future.failedFuture(SinkException.transientFailure("not now"))
                : Future.succeededFuture());
    assertThat(scrape().sum("shardbus_sink_circuit")).isZero();
    for (int i = 0; i < 100; i++) {
      bus.ingest(RawEvent.of("event " + i));
    }
    Awaitility.await()
        .atMost(30, TimeUnit.SECONDS)
        .until(() -> scrape().sum("shardbus_sink_circuit", "shard", "1") == 2);
    Samples scrape = scrape();
    assertThat(scrape.sum("shardbus_sink_failures", "shard", "1")).isGreaterThanOrEqualTo(5);
    assertThat(scrape.sum("shardbus_sink_circuit", "shard", "0")).isZero();
    assertThat(scrape.sum("shardbus_sink_failures", "shard", "0")).isZero();
    down.set(false);
    await(bus.flush());
    assertThat(scrape().sum("shardbus_sink_circuit")).isZero();
    assertThat(scrape().sum("shardbus_sink_failures")).isZero();
  }

  /** The keys of a shard that leaves wait at a fence until it has settled what it holds. */
  @Test
  void keysOnTheirWay_areSeenUntilTheyArrive() throws Exception {
    Promise<Void> hold = Promise.promise();
    sink.behave(batch -> batch.shard() == 0 ? hold.future() : Future.succeededFuture());
    ingestKeys();
    assertFences(scrape(), 0, 1);
    Future<Void> removed = bus.removeShard(0);
    Awaitility.await().until(() -> bus.shards().numShards() == 1);
    ingestKeys();
    JsonObject receiver = shard(1);
    long fenced = receiver.getLong("fencedEvents");
    assertThat(fenced).isBetween(1L, 99L);
    assertThat(new JsonObject(get("/v1/stats", "application/json")).getLong("fencedEvents"))
        .isEqualTo(fenced);
    assertThat(receiver.getInteger("lanes")).isEqualTo(2);
    assertFences(scrape(), fenced, 2);
    Awaitility.await().until(() -> shard(1).getLong("fenceWaitMillis") > 0);
    long said = shard(1).getLong("fenceWaitMillis");
    assertThat(scrape().sum("shardbus_fence_wait_seconds", "shard", "1"))
        .isBetween(said / 1e3, said / 1e3 + 30);
    hold.complete();
    await(removed);
    await(bus.flush());
    assertFences(scrape(), 0, 2); // the lane is open, and stays
    assertThat(scrape().sum("shardbus_fence_wait_seconds", "shard", "1")).isZero();
    assertThat(shard(1).getLong("fenceWaitMillis")).isZero();
  }

  private void assertFences(Samples scrape, long fenced, int lanes) {
    assertThat(scrape.count("shardbus_events_fenced", "shard", "1")).isEqualTo(fenced);
    assertThat(scrape.count("shardbus_shard_lanes", "shard", "1")).isEqualTo(lanes);
  }

  private void ingestKeys() {
    for (int i = 0; i < 100; i++) {
      bus.ingest(RawEvent.of(Buffer.buffer("event"), "key " + i));
    }
  }

  private JsonObject shard(int id) throws Exception {
    return new JsonObject(get("/v1/shards", "application/json"))
        .getJsonArray("shards").stream()
            .map(JsonObject.class::cast)
            .filter(shard -> shard.getInteger("id") == id)
            .findFirst()
            .orElseThrow();
  }

  @Test
  void turnOversAndMovedSlots_areCounted() throws Exception {
    ingestKeys();
    await(bus.flush());
    await(bus.scaleUp(2)); // half of the slots go to them, so some of keys do
    JsonObject scaling =
        new JsonObject(get("/v1/stats", "application/json")).getJsonObject("scaling");
    Samples scrape = scrape();
    assertThat(scrape.count("shardbus_turnovers_total"))
        .isEqualTo(scaling.getLong("turnOvers"))
        .isEqualTo(shard(0).getLong("turnOvers") + shard(1).getLong("turnOvers"))
        .isPositive();
    assertThat(scrape.count("shardbus_slots_moved_total"))
        .isEqualTo(scaling.getLong("slotsMoved"))
        .isPositive();
    assertThat(scrape.count("shardbus_clock_steps_back_total"))
        .isEqualTo(new JsonObject(get("/v1/stats", "application/json")).getLong("clockStepsBack"))
        .isZero();
  }

  private record Documented(String type, Map<String, Set<String>> labels) {}

  private static Map<String, Documented> documented() throws Exception {
    Map<String, Documented> all = new TreeMap<>();
    for (String line : Files.readAllLines(Path.of("conf/METRICS.md"))) {
      if (line.startsWith("| `shardbus_")) {
        String[] cells = line.split("\\|", -1);
        Map<String, Set<String>> labels = new TreeMap<>();
        for (String label : cells[4].split(";", -1)) {
          List<String> words = new ArrayList<>();
          Pattern.compile("`(.*?)`").matcher(label).results().forEach(r -> words.add(r.group(1)));
          if (!words.isEmpty()) {
            labels.put(words.get(0), new TreeSet<>(words.subList(1, words.size())));
          }
        }
        all.put(cells[1].replace("`", "").strip(), new Documented(cells[2].strip(), labels));
      }
    }
    return all;
  }

  @Test
  void documentedList_isWhatIsServed() throws Exception {
    load();
    Samples scrape = scrape();
    Map<String, Documented> documented = documented();
    Map<String, String> served = new TreeMap<>(scrape.types());
    served.keySet().removeIf(name -> !name.startsWith("shardbus_") || name.endsWith("_max"));
    Map<String, String> said = new TreeMap<>();
    documented.forEach((name, meter) -> said.put(name, meter.type()));
    assertThat(served).isEqualTo(said);
    documented.forEach(
        (name, meter) -> {
          String series = meter.type().equals("histogram") ? name + "_count" : name;
          assertThat(scrape.of(series)).as(series).isNotEmpty();
          Map<String, Set<String>> labels = new TreeMap<>();
          scrape
              .of(series)
              .forEach(
                  sample ->
                      sample
                          .labels()
                          .forEach(
                              (label, value) ->
                                  labels.computeIfAbsent(label, l -> new TreeSet<>()).add(value)));
          labels.computeIfPresent("shard", (label, ids) -> new TreeSet<>());
          if (!name.startsWith("shardbus_gateway_")) {
            assertThat(labels.remove("address")).as(name).containsExactly("shardbus.ingest");
          }
          assertThat(labels).as(name).isEqualTo(meter.labels());
        });
  }
}
