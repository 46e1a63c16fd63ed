package io.shardbus.sink;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.delivery.BatchOptions;
import io.shardbus.delivery.RetryOptions;
import io.shardbus.event.ProducerId;
import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.shardbus.testing.Ports;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.json.JsonObject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A whole bus over a real server that is killed and restarted twice and paused once, while events
 * flow. {@code -Dfault.events=1000000 -Dfault.pause=10} makes it a long run.
 */
@Tag("backend")
class BackendFaultsTest {

  private static final int EVENTS = Integer.getInteger("fault.events", 60_000);
  private static final Duration PAUSE = Duration.ofSeconds(Integer.getInteger("fault.pause", 2));
  private static final Duration OUTAGE = Duration.ofMillis(500);

  @TempDir Path dir;
  private final Vertx vertx = Vertx.vertx();
  private volatile int ingested;
  private ServerProcess server;

  @AfterEach
  void close() throws Exception {
    if (server != null) {
      server.kill();
    }
    await(vertx.close());
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(180, TimeUnit.SECONDS);
  }

  private interface Fault {
    void happen() throws Exception;
  }

  private void outage() throws Exception {
    server.kill();
    LockSupport.parkNanos(OUTAGE.toNanos());
    server.start();
  }

  private void pause() throws Exception {
    server.pause();
    LockSupport.parkNanos(PAUSE.toNanos());
    server.resume();
  }

  /**
   * What a kill cut off inside of a script's transaction stays in the append-only file of Redis 7.0
   * without its end, and is applied with the next transaction when the file is loaded once more.
   */
  @Test
  void redis_takesEveryEventOnce() throws Exception {
    int port = Ports.free();
    server =
        new ServerProcess(
            port,
            dir,
            "redis-server",
            "--port",
            Integer.toString(port),
            "--dir",
            dir.toString(),
            "--save",
            "",
            "--appendonly",
            "yes",
            "--appendfsync",
            "always");
    server.start();
    JsonObject config =
        new JsonObject().put("connectionString", "redis://127.0.0.1:" + port).put("timeout", "1s");
    long doubled = run("redis", config, List.of(this::outage, this::pause, this::outage));
    if (!Files.readString(dir.resolve("redis-server.log")).contains("Truncating the AOF")) {
      assertThat(doubled).isZero();
    }
  }

  @Test
  void jetStream_takesEveryEventOnce() throws Exception {
    int port = Ports.free();
    server =
        new ServerProcess(
            port,
            dir,
            "nats-server",
            "--addr",
            "127.0.0.1",
            "--port",
            Integer.toString(port),
            "--jetstream",
            "--store_dir",
            dir.resolve("jetstream").toString());
    server.start();
    JsonObject config =
        new JsonObject().put("servers", "nats://127.0.0.1:" + port).put("timeout", "1s");
    long doubled = run("jetstream", config, List.of(this::outage, this::pause, this::outage));
    assertThat(doubled).isZero();
  }

  /** Kafka cannot recognise a repetition: what comes twice is counted, and carries the same id. */
  @Test
  void kafka_takesEveryEvent() throws Exception {
    int port = Ports.free();
    server = KafkaBroker.process(port, Files.createDirectory(dir.resolve("kafka")), 4, null);
    server.start();
    JsonObject config =
        new JsonObject()
            .put("bootstrapServers", "127.0.0.1:" + port)
            .put("deliveryTimeout", "3s")
            .put("maxBlock", "30s")
            .put("partitionBy", "shard"); // which keeps the order of a shard
    run("kafka", config, List.of(this::outage, this::pause, this::outage));
  }

  /** While events go on; gives how many were ingested meanwhile. */
  private Future<Integer> happen(Fault fault, int before) {
    return vertx.executeBlocking(
        () -> {
          fault.happen();
          return ingested - before;
        },
        false);
  }

  /** Returns how many events are there more than once. */
  private long run(String name, JsonObject config, List<Fault> faults) throws Exception {
    ShardBusOptions options =
        new ShardBusOptions()
            .setShards(4)
            .setRingCapacity(4096)
            .setDataDir(dir.resolve("bus").toString())
            .setBatch(new BatchOptions().setMinSize(100).setMaxSize(1000))
            .setDelivery(new RetryOptions().setMaxBackoff(Duration.ofSeconds(1)))
            .setSink(new SinkOptions(name).setConfig(config));
    ShardBus bus = await(ShardBus.start(vertx, options));
    long start = System.nanoTime();
    int faultInterval = EVENTS / (faults.size() + 1);
    List<Future<Integer>> happened = new ArrayList<>();
    for (int i = 0; i < EVENTS; i++) {
      if (i > 0 && i % faultInterval == 0 && i / faultInterval <= faults.size()) {
        await(Future.all(happened));
        happened.add(happen(faults.get(i / faultInterval - 1), i));
      }
      RawEvent event = RawEvent.of("{\"n\":" + i + "}");
      while (!bus.ingest(event).accepted()) {
        LockSupport.parkNanos(100_000);
      }
      ingested = i + 1;
    }
    await(Future.all(happened));
    assertThat(happened)
        .as("events taken while the server was away")
        .allSatisfy(fault -> assertThat(fault.result()).isPositive());
    await(bus.flush());
    double seconds = (System.nanoTime() - start) / 1e9;
    long doubled = check(name, config);
    System.out.printf(
        Locale.ROOT,
        "%s: %,d events, %d faults, %.1f s, 0 lost, %,d there more than once%n",
        name,
        EVENTS,
        faults.size(),
        seconds,
        doubled);
    assertThat(bus.stats().total().delivered()).isEqualTo(EVENTS);
    await(bus.close());
    return doubled;
  }

  /**
   * Every event is there, the first occurrences of each shard are in order, and what is there again
   * has the same identity.
   */
  private long check(String name, JsonObject config) throws Exception {
    // One that waits longer than that of the bus may.
    JsonObject patient = config.copy();
    patient.put(patient.containsKey("timeout") ? "timeout" : "deliveryTimeout", "30s");
    ReplayableSink log = (ReplayableSink) Sinks.create(new SinkOptions(name).setConfig(patient));
    await(log.open(new SinkContext(vertx, new ProducerId("reader", 1), dir)));
    BitSet found = new BitSet();
    int[] shards = new int[EVENTS];
    long[] sequences = new long[EVENTS];
    Map<Integer, Long> last = new HashMap<>();
    long doubled = 0;
    long disordered = 0;
    String cursor = null;
    EventPage page;
    do {
      page = await(log.read(EventQuery.of(cursor, 10_000)));
      cursor = page.cursor();
      for (StoredEvent stored : page.events()) {
        ShardEvent event = stored.event();
        int n = event.payload().toJsonObject().getInteger("n");
        if (found.get(n)) {
          doubled++;
          assertThat(event.shard()).isEqualTo(shards[n]);
          assertThat(event.sequence()).isEqualTo(sequences[n]);
        } else {
          found.set(n);
          shards[n] = event.shard();
          sequences[n] = event.sequence();
          long before = last.getOrDefault(event.shard(), -1L);
          disordered += event.sequence() == before + 1 ? 0 : 1;
          last.put(event.shard(), event.sequence());
        }
      }
    } while (page.more());
    assertThat(found.cardinality()).as("events that are there").isEqualTo(EVENTS);
    assertThat(disordered).as("events out of order").isZero();
    await(log.close());
    return doubled;
  }
}
