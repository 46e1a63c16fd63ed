package io.shardbus;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.Headers;
import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.DeadLetters;
import io.shardbus.sink.SinkException;
import io.shardbus.sink.SinkOptions;
import io.shardbus.sink.eventbus.EventBusConsumer;
import io.shardbus.testing.Attributes;
import io.shardbus.testing.RecordingSink;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.json.JsonObject;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Key, id and headers of an event, through a whole bus. */
class AttributesTest {

  private Vertx vertx;

  @BeforeEach
  void setUp() {
    vertx = Vertx.vertx();
  }

  @AfterEach
  void tearDown() throws Exception {
    await(vertx.close());
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
  }

  private static void assertSame(ShardEvent event, String key, String id, Headers headers) {
    assertThat(event.key()).isEqualTo(key);
    assertThat(event.id()).isEqualTo(id);
    assertThat(event.headers()).isEqualTo(headers);
  }

  @Test
  void consumers_getThem() throws Exception {
    List<ShardEvent> got = new CopyOnWriteArrayList<>();
    await(
        EventBusConsumer.start(
            vertx,
            "there",
            1,
            batch -> {
              got.addAll(batch.events());
              return Future.succeededFuture();
            }));
    ShardBusOptions options = new ShardBusOptions().setShards(1);
    options.setSink(
        new SinkOptions("eventbus").setConfig(new JsonObject().put("address", "there")));
    ShardBus bus = await(ShardBus.start(vertx, options));
    Headers trace = Headers.of(Map.of("traceparent", "00-4bf9-00f0-01", "tracestate", "a=b, c=d"));
    for (Headers headers : List.of(trace, Attributes.most(), Headers.none())) {
      RawEvent event =
          RawEvent.builder(Buffer.buffer("{}"))
              .key("k é")
              .id("id " + headers.size())
              .headers(headers)
              .build();
      assertThat(await(bus.deliver(event)).accepted()).isTrue();
      assertSame(got.get(got.size() - 1), "k é", "id " + headers.size(), headers);
    }
    await(bus.close());
  }

  @Test
  void replay_offersThemAgain(@TempDir Path folder) throws Exception {
    RecordingSink sink =
        new RecordingSink()
            .behave(batch -> Future.failedFuture(SinkException.permanentFailure("not today")));
    ShardBusOptions options = new ShardBusOptions().setShards(2).setDataDir(folder.toString());
    ShardBus bus = await(ShardBus.start(vertx, options, sink));
    RawEvent event =
        RawEvent.builder(Buffer.buffer("{}"))
            .key("k é")
            .id("an id")
            .headers(Attributes.most())
            .build();
    assertThat(bus.ingest(event).accepted()).isTrue();
    await(bus.flush());
    assertThat(await(bus.replayDeadLetters())).isEqualTo(new DeadLetters.ReplayResult(0, 1, 0));
    sink.behave(batch -> Future.succeededFuture());
    assertThat(await(bus.replayDeadLetters())).isEqualTo(new DeadLetters.ReplayResult(1, 0, 0));
    assertThat(sink.count()).isEqualTo(1);
    assertSame(sink.all().get(0), "k é", "an id", Attributes.most());
    assertThat(await(bus.deadLetters().count())).isZero();
    await(bus.close());
  }
}
