package io.shardbus;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.app.EventGenerator;
import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.shardbus.gateway.Gateway;
import io.shardbus.gateway.GatewayOptions;
import io.shardbus.shard.ScalingPolicy;
import io.shardbus.sink.EventPage;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.ReplayableSink;
import io.shardbus.sink.StoredEvent;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.eventbus.DeliveryOptions;
import io.vertx.core.http.WebSocket;
import io.vertx.core.http.WebSocketClient;
import io.vertx.core.http.WebSocketConnectOptions;
import io.vertx.core.json.JsonObject;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Real input through each of the four ways in, into the log and out again, while shards come and
 * go.
 */
@Tag("hot")
@Tag("slow")
class EndToEndTest {

  private static final int GENERATED = 100_000;
  private static final Path REAL = Path.of("../shared/data/real-events.ndjson.gz");

  @TempDir Path dir;
  private Vertx vertx;
  private ShardBus bus;
  private Gateway gateway;
  private final List<Buffer> input = new ArrayList<>();

  @BeforeEach
  void start() throws Exception {
    vertx = Vertx.vertx();
    ShardBusOptions options =
        new ShardBusOptions()
            .setShards(2)
            .setRingCapacity(1 << 17) // nothing is refused, however late the disk is
            .setMaxRingBytes(256 << 20)
            .setDataDir(dir.toString())
            .setScaling(ScalingPolicy.defaults(6).setAutoScale(false));
    bus = await(ShardBus.start(vertx, options));
    gateway = await(Gateway.start(vertx, bus, new GatewayOptions().setPort(0)));
    EventGenerator generator = new EventGenerator(11);
    for (int i = 0; i < GENERATED; i++) {
      input.add(Buffer.buffer(generator.next()));
    }
    if (Files.exists(REAL)) {
      try (BufferedReader reader =
          new BufferedReader(
              new InputStreamReader(
                  new GZIPInputStream(Files.newInputStream(REAL)), StandardCharsets.UTF_8))) {
        reader.lines().forEach(line -> input.add(Buffer.buffer(line)));
      }
    }
  }

  @AfterEach
  void stop() throws Exception {
    await(gateway.close());
    await(bus.close());
    await(vertx.close());
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(120, TimeUnit.SECONDS);
  }

  private interface Way {
    void send() throws Exception;
  }

  /** Sends by a way while shards come and go, and compares what the log has with what was sent. */
  private void check(Way way) throws Exception {
    AtomicBoolean sending = new AtomicBoolean(true);
    Thread scaling =
        new Thread(
            () -> {
              try {
                do {
                  await(bus.scaleUp(2));
                  await(bus.scaleDown(2));
                } while (sending.get());
              } catch (Exception e) {
                throw new AssertionError(e);
              }
            });
    List<Throwable> failures = new ArrayList<>();
    scaling.setUncaughtExceptionHandler((thread, e) -> failures.add(e));
    scaling.start();
    try {
      way.send();
    } finally {
      sending.set(false);
      scaling.join();
    }
    assertThat(failures).isEmpty();
    await(bus.flush());
    compare();
    BusStats stats = bus.stats();
    assertThat(stats.total().delivered()).isEqualTo(input.size());
    assertThat(stats.scaling().removed()).isPositive();
  }

  private void compare() throws Exception {
    Map<String, Integer> places = new HashMap<>();
    for (int i = 0; i < input.size(); i++) {
      // The real events repeat themselves: the n-th of the same bytes is an event of its own.
      places.merge(input.get(i).toString(), 1, Integer::sum);
    }
    Map<Integer, Long> lastSequence = new HashMap<>();
    Map<Integer, Integer> lastNumber = new HashMap<>();
    String cursor = null;
    EventPage page;
    int count = 0;
    do {
      page = await(((ReplayableSink) bus.sink()).read(EventQuery.of(cursor, 10_000)));
      cursor = page.cursor();
      for (StoredEvent stored : page.events()) {
        count++;
        ShardEvent event = stored.event();
        String text = event.payload().toString();
        assertThat(places.merge(text, -1, Integer::sum)).as("sent, and once").isNotNegative();
        Long before = lastSequence.put(event.shard(), event.sequence());
        assertThat(event.sequence()).isEqualTo(before == null ? 0 : before + 1);
        if (text.startsWith("{\"id\":")) {
          JsonObject json = new JsonObject(text);
          if (json.containsKey("type")
              && json.getValue("id") instanceof Integer number
              && number < GENERATED) {
            Integer earlier = lastNumber.put(event.shard(), number);
            assertThat(earlier == null || earlier < number).as("in order").isTrue();
          }
        }
      }
    } while (page.more());
    assertThat(count).isEqualTo(input.size());
    assertThat(places.values()).allMatch(left -> left == 0);
  }

  @Test
  void direct() throws Exception {
    check(
        () -> {
          for (Buffer bytes : input) {
            while (!bus.ingest(RawEvent.of(bytes)).accepted()) {
              Thread.onSpinWait();
            }
          }
        });
  }

  @Test
  void eventBus() throws Exception {
    check(
        () -> {
          DeliveryOptions accepted = new DeliveryOptions().addHeader("ack", "accepted");
          for (int from = 0; from < input.size(); from += 500) {
            List<Future<?>> replies = new ArrayList<>();
            for (Buffer bytes : input.subList(from, Math.min(input.size(), from + 500))) {
              replies.add(vertx.eventBus().request("shardbus.ingest", bytes, accepted));
            }
            await(Future.all(replies));
          }
        });
  }

  private Buffer ndjson(int from, int to) {
    Buffer body = Buffer.buffer();
    input.subList(from, to).forEach(bytes -> body.appendBuffer(bytes).appendByte((byte) '\n'));
    return body;
  }

  @Test
  void http() throws Exception {
    check(
        () -> {
          String uri = "http://127.0.0.1:" + gateway.port() + "/v1/events?ack=delivered";
          HttpRequest request =
              HttpRequest.newBuilder(URI.create(uri))
                  .header("Content-Type", "application/x-ndjson")
                  .POST(HttpRequest.BodyPublishers.ofByteArray(ndjson(0, input.size()).getBytes()))
                  .build();
          String answer =
              HttpClient.newHttpClient().send(request, HttpResponse.BodyHandlers.ofString()).body();
          assertThat(new JsonObject(answer).getInteger("delivered")).isEqualTo(input.size());
        });
  }

  @Test
  void webSocket() throws Exception {
    check(
        () -> {
          WebSocketClient client = vertx.createWebSocketClient();
          WebSocket socket =
              await(
                  client.connect(
                      new WebSocketConnectOptions()
                          .setHost("127.0.0.1")
                          .setPort(gateway.port())
                          .setURI("/v1/ingest?ack=delivered")));
          BlockingQueue<Long> acked = new LinkedBlockingQueue<>();
          socket.textMessageHandler(text -> acked.add(new JsonObject(text).getLong("acked")));
          for (int i = 0; i < input.size(); i += 5) {
            await(socket.writeBinaryMessage(ndjson(i, Math.min(input.size(), i + 5))));
          }
          Long last = 0L;
          while (last != null && last < input.size()) {
            last = acked.poll(60, TimeUnit.SECONDS);
          }
          assertThat(last).isEqualTo(input.size());
          await(client.close());
        });
  }
}
