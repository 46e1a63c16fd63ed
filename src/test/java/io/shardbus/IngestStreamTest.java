package io.shardbus;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.shardbus.event.RawEvent;
import io.shardbus.junit5.RecordingSink;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.core.streams.WriteStream;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class IngestStreamTest {

  private final Vertx vertx = Vertx.vertx();

  @AfterEach
  void tearDown() throws Exception {
    await(vertx.close());
  }

  private static <T> T await(Future<T> future) throws Exception {
    return future.toCompletionStage().toCompletableFuture().get(30, TimeUnit.SECONDS);
  }

  /** Whoever asks whether it is full is never refused. */
  @Test
  void stream_isFullAlsoByBytes() throws Exception {
    RecordingSink sink = new RecordingSink().hang();
    ShardBusOptions options =
        new ShardBusOptions().setShards(1).setMaxEventBytes(100_000).setMaxRingBytes(300_000);
    ShardBus bus = await(ShardBus.start(vertx, options, sink));
    WriteStream<RawEvent> stream = bus.writeStream();
    List<Future<Void>> written = new ArrayList<>();
    while (!stream.writeQueueFull() && written.size() < 1_000) {
      written.add(stream.write(RawEvent.of(Buffer.buffer(new byte[50_000]))));
    }
    assertThat(written).hasSizeLessThan(100).noneMatch(Future::failed);
    Promise<Void> drained = Promise.promise();
    stream.drainHandler(drained::complete);
    sink.heal();
    await(drained.future());
    await(Future.all(written));
    assertThat(stream.writeQueueFull()).isFalse();
    await(stream.end());
    await(bus.flush());
    assertThat(sink.count()).isEqualTo(written.size());
  }

  /** It is found before it is counted: else the stream would wait for it for ever. */
  @Test
  void eventThatIsNull_leavesNoTrace() throws Exception {
    ShardBus bus = await(ShardBus.start(vertx, new ShardBusOptions(), new RecordingSink()));
    WriteStream<RawEvent> stream = bus.writeStream().setWriteQueueMaxSize(1);
    assertThatThrownBy(() -> stream.write(null)).isInstanceOf(NullPointerException.class);
    assertThat(stream.writeQueueFull()).isFalse();
    await(stream.end());
    assertThatThrownBy(() -> bus.ingestAwait(null)).isInstanceOf(NullPointerException.class);
    assertThatThrownBy(() -> bus.deliver(null)).isInstanceOf(NullPointerException.class);
    assertThatThrownBy(() -> bus.deliverAwait(null)).isInstanceOf(NullPointerException.class);
    assertThatThrownBy(() -> bus.ingestAwait(RawEvent.of("x"), (Future<?>) null))
        .isInstanceOf(NullPointerException.class);
    assertThatThrownBy(() -> bus.ingestAwait(RawEvent.of("x"), (Duration) null))
        .isInstanceOf(NullPointerException.class);
    assertThatThrownBy(() -> bus.replayDeadLetters(Collections.singleton(null)))
        .isInstanceOf(NullPointerException.class);
    await(bus.replayDeadLetters());
    assertThat(bus.stats().offered()).isZero();
    assertThat(bus.stats().waiting()).isZero();
  }

  @Test
  void whoDoesNotAskWhetherItIsFull_isRefusedInTheEnd() throws Exception {
    RecordingSink sink = new RecordingSink().hang();
    ShardBusOptions options = new ShardBusOptions().setShards(1).setRingCapacity(1024);
    ShardBus bus = await(ShardBus.start(vertx, options, sink));
    WriteStream<RawEvent> stream = bus.writeStream();
    List<Future<Void>> written = new ArrayList<>();
    for (int i = 0; i < 50_000; i++) {
      written.add(stream.write(RawEvent.of("event")));
    }
    assertThat(bus.stats().waiting()).isBetween(1, 2_048);
    sink.heal();
    await(stream.end());
    await(bus.flush());
    long refused = written.stream().filter(Future::failed).count();
    assertThat(refused).isPositive().isEqualTo(bus.stats().total().backpressure());
    assertThat(sink.count()).isEqualTo(written.size() - refused);
  }
}
