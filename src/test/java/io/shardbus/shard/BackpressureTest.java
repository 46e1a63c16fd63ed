package io.shardbus.shard;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.JsonCheck;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.vertx.core.buffer.Buffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What each mode does when a ring is full. */
class BackpressureTest extends ManagerFixture {

  private static ShardManager full(BackpressureMode mode) {
    ShardManager manager = new ShardManager(1, 1024, mode);
    for (int i = 0; i < 1024; i++) {
      assertThat(manager.ingestRaw(event(i)).accepted()).isTrue();
    }
    return manager;
  }

  @Test
  void dropNewestAndFailProducer_refuseWhenFull() {
    for (BackpressureMode mode :
        List.of(BackpressureMode.DROP_NEWEST, BackpressureMode.FAIL_PRODUCER)) {
      ShardManager manager = full(mode);
      assertThat(manager.ingestRaw(event(9999)).outcome()).isEqualTo(Outcome.BACKPRESSURE);
      assertThat(manager.stats()).isEqualTo(new ShardStats(1024, 1, 0, 0));
      List<ShardEvent> got = manager.withShard(0, shard -> shard.popBatch(5000)).orElseThrow();
      assertThat(got).hasSize(1024);
      assertThat(got.get(0).payload().toString()).isEqualTo("event 0");
      assertBalanced(manager.accounting());
    }
  }

  @Test
  void dropOldest_evictsAndAccepts() {
    ShardManager manager = full(BackpressureMode.DROP_OLDEST);
    AtomicInteger evicted = new AtomicInteger();
    DeliveryAck ack =
        new DeliveryAck() {
          @Override
          public void delivered(int events) {}

          @Override
          public void failed(Outcome failure, int events) {
            assertThat(failure).isEqualTo(Outcome.EVICTED);
            evicted.incrementAndGet();
          }
        };
    for (int i = 1024; i < 3072; i++) {
      assertThat(manager.ingestRaw(event(i), ack).outcome()).isEqualTo(Outcome.ACCEPTED);
    }
    assertThat(evicted).hasValue(1024);
    List<ShardEvent> got = manager.withShard(0, shard -> shard.popBatch(5000)).orElseThrow();
    assertThat(got.get(0).payload().toString()).isEqualTo("event 2048");
    assertThat(got.get(0).sequence()).isZero();
    assertThat(got).hasSize(1024);
    assertThat(manager.accounting().evicted()).isEqualTo(2048);
    assertThat(manager.stats().eventsDropped()).isEqualTo(2048);
    assertBalanced(manager.accounting());
  }

  /** Whoever closes the ring waits for producers that evict, but not for what an ack does. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void ackOfAnEvictedEvent_mayWaitForAChangeOfTheShards(boolean batch) throws Exception {
    ShardManager manager =
        ShardManager.withMapper(
            2, 1024, BackpressureMode.DROP_OLDEST, new ScalingPolicy().setAutoScale(false));
    AtomicInteger told = new AtomicInteger();
    AtomicBoolean stuck = new AtomicBoolean();
    DeliveryAck ack =
        new DeliveryAck() {
          @Override
          public void delivered(int events) {}

          @Override
          public void failed(Outcome failure, int events) {
            if (told.getAndIncrement() == 0) {
              CompletableFuture<Void> change =
                  CompletableFuture.runAsync(
                      () -> manager.drainShard(0), each -> new Thread(each).start());
              try {
                change.get(10, TimeUnit.SECONDS);
              } catch (Exception e) {
                stuck.set(true);
              }
            }
          }
        };
    List<RawEvent> events = new ArrayList<>();
    for (int i = 0; i < 3000; i++) {
      events.add(RawEvent.ofHash(Buffer.buffer("event " + i), 0)); // all of shard 0
    }
    if (batch) {
      assertThat(manager.ingestRawBatch(events, ack).accepted()).isEqualTo(3000);
    } else {
      events.forEach(each -> manager.ingestRaw(each, ack));
    }
    assertThat(told).hasPositiveValue();
    assertThat(stuck).isFalse();
    assertThat(manager.mapper().orElseThrow().shardState(0)).contains(ShardState.DRAINING);
    assertBalanced(manager.accounting());
  }

  @Test
  void sample_keepsOneInNAboveThreeQuarters() {
    ShardManager manager = new ShardManager(1, 1024, BackpressureMode.sample(10));
    for (int i = 0; i < 769; i++) {
      assertThat(manager.ingestRaw(event(i)).outcome()).isEqualTo(Outcome.ACCEPTED);
    }
    int kept = 0;
    for (int i = 0; i < 1000; i++) {
      Outcome outcome = manager.ingestRaw(event(i)).outcome();
      assertThat(outcome).isIn(Outcome.ACCEPTED, Outcome.SAMPLED);
      kept += outcome == Outcome.ACCEPTED ? 1 : 0;
    }
    assertThat(kept).isEqualTo(100);
    for (int i = 0; i < 10_000; i++) {
      manager.ingestRaw(event(i));
    }
    assertThat(manager.shard(0).orElseThrow().size()).isEqualTo(1024);
    assertThat(manager.ingestRaw(event(1)).outcome()).isEqualTo(Outcome.SAMPLED);
    assertBalanced(manager.accounting());
  }

  @Test
  void bytes_areBoundedForLargeEvents() {
    ShardLimits limits = new ShardLimits(10_000, 20_000, JsonCheck.DEFAULT);
    RawEvent large = RawEvent.of(Buffer.buffer(new byte[9_000]));
    ShardManager manager = new ShardManager(1, 1024, BackpressureMode.DROP_NEWEST, limits);
    assertThat(manager.ingestRaw(large).accepted()).isTrue();
    assertThat(manager.ingestRaw(large).accepted()).isTrue();
    assertThat(manager.ingestRaw(large).outcome()).isEqualTo(Outcome.BACKPRESSURE);
    assertThat(manager.ingestRaw(event(1)).accepted()).isTrue();
    assertThat(manager.ingestRaw(RawEvent.of(new byte[10_001])).outcome())
        .isEqualTo(Outcome.TOO_LARGE);
    manager.withShard(0, shard -> shard.popBatch(1));
    assertThat(manager.ingestRaw(large).accepted()).isTrue();

    ShardManager evicting = new ShardManager(1, 1024, BackpressureMode.DROP_OLDEST, limits);
    for (int i = 0; i < 5; i++) {
      assertThat(evicting.ingestRaw(large).accepted()).isTrue();
    }
    assertThat(evicting.shard(0).orElseThrow().main().ring().largeBytes()).isEqualTo(18_000);
    assertThat(evicting.accounting().evicted()).isEqualTo(3);
    evicting.withShard(0, shard -> shard.popBatch(10));
    assertThat(evicting.shard(0).orElseThrow().main().ring().largeBytes()).isZero();
  }
}
