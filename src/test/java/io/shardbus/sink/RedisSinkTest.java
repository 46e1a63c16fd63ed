package io.shardbus.sink;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.ShardBus;
import io.shardbus.ShardBusOptions;
import io.shardbus.event.Batch;
import io.shardbus.event.Headers;
import io.shardbus.event.ProducerId;
import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.redis.RedisSinkOptions;
import io.shardbus.testing.Ports;
import io.vertx.core.Future;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import io.vertx.redis.client.Command;
import io.vertx.redis.client.Redis;
import io.vertx.redis.client.Request;
import io.vertx.redis.client.Response;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class RedisSinkTest extends ForgetfulServerContract {

  private long maxLen;

  @Override
  ServerProcess server(String password) {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "--port", Integer.toString(port),
                "--bind", "127.0.0.1",
                "--dir", dir.toString(),
                "--save", "",
                "--appendonly", "yes",
                "--appendfsync", "everysec"));
    if (password != null) {
      arguments.addAll(List.of("--requirepass", password));
    }
    return new ServerProcess(port, dir, "redis-server", arguments.toArray(String[]::new));
  }

  @Override
  ReplayableSink create(String password) {
    JsonObject config =
        new JsonObject()
            .put("connectionString", "redis://127.0.0.1:" + port)
            .put("timeout", timeout)
            .put("maxLen", maxLen);
    if (password != null) {
      config.put("password", password);
    }
    return (ReplayableSink) Sinks.create(new SinkOptions("redis").setConfig(config));
  }

  @Override
  void loseState() throws Exception {
    redis(Command.FLUSHALL);
  }

  @Override
  void deleteData() throws Exception {
    deleteAll(dir.resolve("appendonlydir"));
  }

  /** What was written is gone, what was remembered of the writer is not. */
  @Override
  void change() throws Exception {
    redis(Command.DEL, "shardbus:shards", "shardbus:store");
    for (int shard = 0; shard < 4; shard++) {
      redis(Command.DEL, "shardbus:shard:" + shard);
    }
  }

  private Response redis(Command command, Object... arguments) throws Exception {
    Redis client = Redis.createClient(vertx, "redis://127.0.0.1:" + port);
    try {
      return await(client.send(Request.cmd(command, arguments)));
    } finally {
      await(client.close());
    }
  }

  @Test
  void maxLen_trimsTheOldest() throws Exception {
    maxLen = 1000;
    reopen();
    for (int i = 0; i < 20; i++) {
      await(sink.write(batch(0, i * 500, 500)));
    }
    List<Long> kept = sequences(readAll(1000), 0);
    assertThat(kept).hasSizeBetween(1000, 1500).endsWith(9999L);
    await(sink.write(batch(0, 0, 500)));
    assertThat(sequences(readAll(1000), 0)).isEqualTo(kept);
  }

  /** Ids are not used twice: they grow many where shards come and go. */
  @Test
  void thousandsOfShards_areReadAndOpened() throws Exception {
    List<Future<Void>> writes = new ArrayList<>();
    for (int shard = 0; shard < 2_500; shard++) {
      writes.add(sink.write(batch(shard, 0, 1)));
    }
    await(Future.all(writes));
    assertThat(await(sink.endCursor())).isNotEmpty();
    reopen();
    EventPage page = await(sink.read(EventQuery.of(null, 5_000)));
    assertThat(page.events()).hasSize(2_500);
  }

  @Test
  void filterThatMatchesNothing_readsThroughManyEvents() throws Exception {
    for (int i = 0; i < 30; i++) {
      await(sink.write(batch(0, i * 1_000, 1_000)));
    }
    EventQuery nothing = EventQuery.of(null, 1).withFilter(event -> false);
    EventPage page = await(sink.read(nothing));
    assertThat(page.events()).isEmpty();
    assertThat(page.more()).isFalse();
  }

  @Test
  void olderEpoch_isRefused() throws Exception {
    reopen();
    await(sink.write(batch(0, 0, 10)));
    epoch = 1;
    assertThatThrownBy(() -> await(sink.write(batch(0, 0, 10))))
        .cause()
        .isInstanceOfSatisfying(
            SinkException.class, e -> assertThat(e.kind()).isEqualTo(SinkException.Kind.PERMANENT))
        .hasMessageContaining("older 1");
    assertThat(readAll(100)).hasSize(10);
  }

  @Test
  void foreignEntries_arePassedOver() throws Exception {
    await(sink.write(batch(0, 0, 10)));
    redis(Command.XADD, "shardbus:shard:0", "*", "what", "ever");
    await(sink.write(batch(0, 10, 10)));
    assertThat(sequences(readAll(3), 0)).isEqualTo(range(0, 20));
  }

  @Test
  void foreignShards_arePassedOver() throws Exception {
    await(sink.write(batch(0, 0, 10)));
    redis(Command.SADD, "shardbus:shards", "what", "-1", "99999", "");
    redis(Command.XADD, "shardbus:shard:what", "*", "what", "ever");
    reopen();
    assertThat(await(sink.endCursor())).isNotEmpty();
    assertThat(sequences(readAll(3), 0)).isEqualTo(range(0, 10));
  }

  @Test
  void keyOfAnotherType_failsToOpen() throws Exception {
    redis(Command.SET, "shardbus:shards", "x");
    ReplayableSink second = create();
    assertThatThrownBy(() -> await(second.open(context())))
        .hasMessageContaining("WRONGTYPE")
        .hasMessageContaining("127.0.0.1:" + port);
    await(second.close());
  }

  @Test
  void serverWithoutMemory_takesTheBatchLater() throws Exception {
    redis(Command.CONFIG, "SET", "maxmemory", "1");
    assertThatThrownBy(() -> await(sink.write(batch(0, 0, 10))))
        .cause()
        .isInstanceOfSatisfying(
            SinkException.class, e -> assertThat(e.kind()).isEqualTo(SinkException.Kind.TRANSIENT))
        .hasMessageContaining("OOM");
    redis(Command.CONFIG, "SET", "maxmemory", "0");
    await(sink.write(batch(0, 0, 10)));
    assertThat(sequences(readAll(100), 0)).isEqualTo(range(0, 10));
  }

  /**
   * Although the ids of new entries are below those of the old ones, as after a clock went back.
   */
  @Test
  void cursorOfAStoreThatIsGone_missesNothingOfTheNewOne() throws Exception {
    await(sink.write(batch(0, 0, 10)));
    redis(Command.XADD, "shardbus:shard:0", "9999999999999-0", "what", "ever");
    String cursor = await(sink.endCursor());
    loseState();
    await(sink.write(batch(0, 10, 10)));
    assertThat(sequences(readAll(cursor, 7), 0)).isEqualTo(range(10, 20));
  }

  /** A value that is larger than the server takes ends the connection, often without a word. */
  @Test
  void tooLargeEvents_areDeadLettersAndTakeNoOthersAlong() throws Exception {
    for (String limit : new String[] {"proto-max-bulk-len", "client-query-buffer-limit"}) {
      redis(Command.FLUSHALL);
      redis(Command.CONFIG, "SET", limit, "1mb");
      ShardBusOptions options = new ShardBusOptions().setShards(2).setMaxEventBytes(4 << 20);
      options.getSink().setName("redis");
      ShardBus bus = await(ShardBus.start(vertx, options, new FaultySink("redis", sink::write)));
      for (int i = 0; i < 200; i++) {
        boolean large = i % 50 == 7;
        Buffer bytes = large ? Buffer.buffer(new byte[3 << 20]) : Buffer.buffer("" + i);
        assertThat(bus.ingest(RawEvent.ofHash(bytes, (long) i << 63)).accepted()).isTrue();
      }
      await(bus.flush());
      assertThat(bus.stats().total().delivered()).as(limit).isEqualTo(196);
      assertThat(bus.stats().total().deadLettered()).isEqualTo(4);
      assertThat(await(bus.deadLetters().list(0, 10)))
          .allSatisfy(kept -> assertThat(kept.letter().cause()).contains("larger than the server"));
      assertThat(readAll(1000)).hasSize(196);
      await(bus.close());
      redis(Command.CONFIG, "SET", limit, "512mb");
    }
  }

  /** One address, behind which another server becomes the master. */
  @Test
  void serverThatBecomesAReplica_isLeftForTheNewMaster() throws Exception {
    int otherPort = Ports.free();
    ServerProcess other =
        new ServerProcess(
            otherPort,
            Files.createDirectory(dir.resolve("other")),
            "redis-server",
            "--port",
            "" + otherPort);
    other.start();
    try (Proxy proxy = new Proxy(vertx)) {
      proxy.forwardTo(port);
      int mine = port;
      port = proxy.port();
      reopen();
      port = mine;
      // All connections of the pool are in use.
      List<Future<Void>> writes = new ArrayList<>();
      for (int shard = 0; shard < 8; shard++) {
        writes.add(deliver(batch(shard, 0, 10)));
      }
      await(Future.all(writes));
      redis(Command.REPLICAOF, "127.0.0.1", otherPort);
      await(sink.write(batch(0, 10, 10)).transform(refused -> Future.succeededFuture()));
      proxy.forwardTo(otherPort);
      for (int shard = 0; shard < 8; shard++) {
        await(deliver(batch(shard, 10, 10)));
      }
      // A connection each was given up, and then every write was taken at once.
      assertThat(failures.get()).isLessThanOrEqualTo(RedisSinkOptions.DEFAULT_CONNECTIONS);
      assertThat(readAll(1000)).hasSize(80);
      redis(Command.REPLICAOF, "NO", "ONE");
    } finally {
      other.kill();
    }
  }

  @Test
  void events_areFieldsOfEntries() throws Exception {
    Headers headers = Headers.of(Map.of("traceparent", "00-é"));
    ShardEvent event =
        new ShardEvent(7, 4, 4_000_007, Buffer.buffer("{\"n\":4}"), "key é", "id 4", headers);
    ShardEvent bare = new ShardEvent(7, 5, 5_000_000, Buffer.buffer("x"), null);
    await(sink.write(new Batch(7, 4, List.of(event, bare), new ProducerId("test", 1))));
    Response entries = redis(Command.XRANGE, "shardbus:shard:7", "-", "+");
    assertThat(entries.get(0).get(1).stream().map(Response::toString))
        .containsExactly(
            "producer",
            "test",
            "epoch",
            "1",
            "sequence",
            "4",
            "time",
            "1970-01-01T00:00:00.004000007Z",
            "payload",
            "{\"n\":4}",
            "key",
            "key é",
            "id",
            "id 4",
            "header:traceparent",
            "00-é");
    assertThat(entries.get(1).get(1).stream().map(Response::toString))
        .endsWith("time", "1970-01-01T00:00:00.005000000Z", "payload", "x");
    assertThat(redis(Command.SMEMBERS, "shardbus:shards").get(0)).hasToString("7");
  }

  /** The ids of entries tell when they were written. */
  @Test
  void until_endsAWalkEarly() throws Exception {
    long from = now();
    await(sink.write(timed(0, 0, 50, from)));
    redis(
        Command.EVAL,
        "for i = 1, %d do redis.call('XADD', 'shardbus:shard:0', '%d-' .. i, 'what', 'ever') end"
            .formatted(
                MANY, TimeUnit.NANOSECONDS.toMillis(from) + EventQuery.LATEST.toMillis() + 1_000),
        0);
    EventPage page = await(sink.read(EventQuery.of(null, 100).withUntil(from + 40 * MILLI)));
    assertThat(sequences(page.events(), 0)).isEqualTo(range(0, 40));
    assertThat(page.more()).isFalse();
  }

  @Test
  void badConnectionString_isRefusedWithoutShowingIt() {
    for (String bad : new String[] {"", "http://:hush@host", "redis://", "redis://:hu sh@host"}) {
      assertThatThrownBy(() -> new RedisSinkOptions().setConnectionString(bad))
          .hasMessageContaining("connectionString")
          .hasMessageNotContaining("hush");
    }
  }
}
