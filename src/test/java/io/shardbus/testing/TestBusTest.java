package io.shardbus.testing;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.shardbus.ShardBusOptions;
import io.shardbus.event.Intercepted;
import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.junit5.TestBus;
import io.shardbus.junit5.TestBusProvider;
import io.shardbus.shard.BackpressureMode;
import io.shardbus.shard.Shard;
import io.shardbus.sink.EventQuery;
import io.shardbus.sink.ReplayableSink;
import io.shardbus.sink.SinkException;
import io.vertx.core.Future;
import io.vertx.core.Vertx;
import io.vertx.core.buffer.Buffer;
import io.vertx.junit5.VertxExtension;
import java.time.Duration;
import java.util.BitSet;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ParameterContext;
import org.junit.jupiter.api.extension.ParameterResolutionException;
import org.junit.jupiter.api.extension.ParameterResolver;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The kit for tests of applications. */
@ExtendWith(VertxExtension.class)
class TestBusTest {

  @ParameterizedTest
  @ValueSource(strings = {"fail-producer", "drop-oldest", "drop-newest", "sample(10)"})
  void fullRings_stayFullUntilTheSinkHeals(String mode, Vertx vertx) {
    var options = new ShardBusOptions().setShards(2).setRingCapacity(1024);
    options.setBackpressure(BackpressureMode.parse(mode)).getBatch().setMinSize(1).setMaxSize(10);
    TestBus test = TestBus.start(vertx, options).await();
    test.bus().intercept(event -> Intercepted.refuse("no_fillers"));
    test.fillRings();
    assertThat(test.bus().shards().shards()).extracting(Shard::size).containsOnly(1024);
    assertThat(test.bus().stats().total().evicted()).isZero();
    test.sink().heal();
    test.bus().flush().await();
    assertThat(test.bus().stats().total().delivered()).isGreaterThan(2 * 1024);
    assertThat(test.sink().count()).isZero();
    assertThat(test.sink().all()).isEmpty();
    assertThat(test.sink().faults()).isEmpty();
    test.close().await();
  }

  /** Asks for a bus in a test without a Vert.x, and returns the error. */
  static final class WithoutVertx implements ParameterResolver {

    @Override
    public boolean supportsParameter(ParameterContext parameter, ExtensionContext test) {
      return parameter.getParameter().getType() == ParameterResolutionException.class;
    }

    @Override
    public Object resolveParameter(ParameterContext parameter, ExtensionContext test) {
      return catchThrowableOfType(
          ParameterResolutionException.class,
          () -> new TestBusProvider().newInstance(test, parameter));
    }
  }

  @Test
  @ExtendWith(WithoutVertx.class)
  void busWithoutVertx_saysWhatToWrite(ParameterResolutionException error) {
    assertThat(error)
        .hasMessage(
            "busWithoutVertx_saysWhatToWrite: the parameter of type TestBus needs one of type Vertx"
                + " before it, as in busWithoutVertx_saysWhatToWrite(Vertx vertx, TestBus test)");
  }

  @Test
  void oneRing_isFullAndTheOthersAreNot(Vertx vertx, TestBus test) {
    test.sink().fillRings(test.bus(), 1);
    assertThat(test.bus().shards().shards()).extracting(Shard::isFull).containsExactly(false, true);
  }

  @Test
  void hangingWrite_isAnsweredAsTheSinkBehavesNext(Vertx vertx, TestBus test) {
    RecordingSink sink = test.sink().hang();
    Future<?> delivered = test.bus().deliver(RawEvent.of("a"));
    sink.hang();
    assertThat(delivered.isComplete()).isFalse();
    sink.fail(SinkException.permanentFailure("no"));
    assertThatThrownBy(delivered::await).hasMessageContaining("no");
    sink.slow(Duration.ofMillis(1));
    test.bus().deliver(RawEvent.of("b")).await();
    assertThat(sink.texts()).containsExactly("b");
  }

  @Test
  void partialFailure_recordsWhatWasTaken(Vertx vertx) {
    var options = new ShardBusOptions().setShards(1).setRingCapacity(1024);
    options.getBatch().setMinSize(3).setMaxSize(3);
    options.getBatch().setAdaptive(false).setMaxDelay(Duration.ofMinutes(1));
    TestBus test = TestBus.start(vertx, options).await();
    AtomicBoolean again = new AtomicBoolean();
    BitSet second = new BitSet();
    second.set(1);
    test.sink()
        .behave(
            batch ->
                again.getAndSet(true)
                    ? Future.succeededFuture()
                    : Future.failedFuture(
                        SinkException.partial(second, SinkException.transientFailure("busy"))));
    for (String text : new String[] {"a", "b", "c"}) {
      test.bus().ingest(RawEvent.of(text));
    }
    assertThat(test.sink().await(3)).extracting(ShardEvent::sequence).containsExactly(0L, 2L, 1L);
    test.close().await();
  }

  @Tag("slow")
  @Test
  void fewerEventsThanAwaited_failWithWhatThereIs(Vertx vertx, TestBus test) {
    test.bus().deliver(RawEvent.of(Buffer.buffer("only"), "k")).await();
    assertThatThrownBy(() -> test.sink().await(2))
        .isInstanceOf(AssertionError.class)
        .hasMessage("2 events were awaited, but 1 were delivered: [only]");
    assertThat(test.sink().ofKey("k")).hasSize(1);
    assertThat(test.sink().ofKey(null)).isEmpty();
  }

  @Test
  void events_canBeReadBack(Vertx vertx, TestBus test) {
    test.bus().deliver(RawEvent.of("a")).await();
    ReplayableSink sink = (ReplayableSink) test.bus().sink();
    assertThat(sink.read(EventQuery.of(null, 10)).await().events())
        .extracting(stored -> stored.event().payload().toString())
        .containsExactly("a");
  }
}
