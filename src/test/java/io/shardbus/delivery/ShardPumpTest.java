package io.shardbus.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.shardbus.shard.DeliveryAck;
import io.shardbus.sink.SinkException;
import io.vertx.core.Future;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.Test;

class ShardPumpTest extends PumpFixture {

  @Test
  void firstEvent_wakesTheConsumerOnce() {
    start();
    assertThat(loop.pendingTasks()).isZero();
    send(10);
    assertThat(loop.pendingTasks()).as("one wake-up for ten events").isEqualTo(1);
    loop.run();
    assertThat(delivered()).isEqualTo(events(0, 10));
    assertThat(loop.pendingTimers()).as("idle").isZero();
    send(1);
    assertThat(loop.pendingTasks()).isEqualTo(1);
  }

  @Test
  void batch_waitsForItsTargetAndNeverLongerThanTheDelay() {
    batch.setAdaptive(false).setMinSize(100).setMaxDelay(Duration.ofMillis(10));
    sink.behave(this::record);
    start();
    send(99);
    loop.pass(Duration.ofMillis(9));
    assertThat(writes).isEmpty();
    loop.pass(Duration.ofMillis(1));
    assertThat(writes).hasSize(1);
    send(100);
    loop.run();
    assertThat(writes).hasSize(2);
    assertThat(delivered()).isEqualTo(events(0, 199));
  }

  @Test
  void formingBatch_isOnlyWokenForWhenItIsComplete() {
    batch.setAdaptive(false).setMinSize(100).setMaxDelay(Duration.ofMinutes(1));
    start();
    send(1);
    loop.run();
    send(98);
    assertThat(loop.pendingTasks()).as("99 of 100 events").isZero();
    send(1);
    assertThat(loop.pendingTasks()).isEqualTo(1);
    loop.run();
    assertThat(delivered()).isEqualTo(events(0, 100));
  }

  @Test
  void batchThatSomebodyWaitsFor_isWrittenAtOnce() {
    batch.setAdaptive(false).setMinSize(100).setMaxDelay(Duration.ofMinutes(1));
    List<Integer> told = new ArrayList<>();
    DeliveryAck ack =
        new DeliveryAck() {
          @Override
          public void delivered(int events) {
            told.add(events);
          }

          @Override
          public void failed(Outcome failure, int events) {}
        };
    sink.hang();
    start();
    manager.ingestRaw(RawEvent.of("first"), ack);
    loop.run();
    for (int i = 0; i < 5; i++) {
      manager.ingestRaw(RawEvent.of("meanwhile " + i), ack);
    }
    loop.run();
    sink.heal();
    loop.run();
    assertThat(told).containsExactly(1, 5);
  }

  @Test
  void targetBeyondTheRing_isNoReasonToLetItFill() {
    batch.setAdaptive(false).setMinSize(10_000).setMaxDelay(Duration.ofMinutes(1));
    start();
    for (int i = 0; i < 10; i++) {
      send(1000);
      loop.run();
    }
    assertThat(delivered()).isEqualTo(events(0, 10_000));
  }

  @Test
  void eventsTakenByAnother_leaveNoGapWithinABatch() {
    batch.setAdaptive(false).setMinSize(100).setMaxDelay(Duration.ofMillis(10));
    sink.behave(
        b -> {
          writes.add(b);
          return Future.failedFuture("only looked at");
        });
    start();
    send(3);
    loop.run();
    send(4);
    manager.withShard(0, taken -> taken.popBatch(4));
    send(5);
    loop.pass(Duration.ofMillis(10));
    assertThat(writes.get(0).events()).extracting(ShardEvent::sequence).containsExactly(0L, 1L, 2L);
    sink.behave(this::record);
    loop.pass(Duration.ofSeconds(10));
    assertThat(writes.get(writes.size() - 1).events())
        .extracting(event -> event.sequence() + " " + event.payload())
        .containsExactly("7 event 7", "8 event 8", "9 event 9", "10 event 10", "11 event 11");
  }

  @Test
  void batch_isNeverLargerThanAllowed() {
    batch.setMinSize(1).setMaxSize(10).setMaxBytes(1 << 20);
    sink.behave(this::record);
    start();
    send(1000);
    loop.pass(Duration.ofSeconds(1));
    assertThat(writes).hasSizeGreaterThanOrEqualTo(100);
    assertThat(writes).allSatisfy(b -> assertThat(b.size()).isLessThanOrEqualTo(10));
    assertThat(delivered()).isEqualTo(events(0, 1000));
  }

  @Test
  void sinkThatAnswersAtOnce_leavesTheLoopToOthersNowAndThen() {
    batch.setMinSize(1).setMaxSize(100);
    sink.behave(
        written -> {
          loop.spend(Duration.ofMillis(1));
          if (sink.count() < 100_000) { // producers that hardly ever stop
            send(written.size());
          }
          return Future.succeededFuture();
        });
    start();
    send(1000);
    loop.run();
    for (int pauses = 1; pauses <= 10; pauses++) {
      assertThat(sink.count()).isEqualTo(pauses * 2100L);
      loop.pass(Duration.ofMillis(1));
    }
  }

  @Test
  void batch_isBoundedInBytes() {
    batch.setMinSize(100).setMaxBytes(5_000);
    sink.behave(this::record);
    start();
    for (int i = 0; i < 20; i++) {
      manager.ingestRaw(RawEvent.of(new byte[1_000]));
    }
    loop.pass(Duration.ofSeconds(1));
    assertThat(writes).allSatisfy(b -> assertThat(b.size()).isLessThanOrEqualTo(5));
    assertThat(sink.count()).isEqualTo(20);
  }

  @Test
  void target_followsTheRate() {
    batch.setMinSize(10).setMaxSize(1000).setMaxDelay(Duration.ofMillis(10));
    BatchTarget target = new BatchTarget(batch);
    assertThat(target.moreExpected()).isFalse();
    long now = 0;
    for (int i = 0; i < 50; i++) {
      now += 1_000_000;
      target.batchFormed(30, now);
    }
    assertThat(target.events()).isBetween(290, 310);
    for (int i = 0; i < 50; i++) {
      now += 1_000_000_000L;
      target.batchFormed(1, now);
    }
    assertThat(target.events()).isEqualTo(10);
    assertThat(target.moreExpected()).isFalse();
    for (int i = 0; i < 50; i++) {
      now += 1_000;
      target.batchFormed(1000, now);
    }
    assertThat(target.events()).isEqualTo(1000);
  }

  @Test
  void oneWrite_isInFlightAndTheRingFillsBehindIt() {
    batch.setMinSize(1).setMaxSize(100);
    sink.hang();
    start();
    send(1);
    loop.run();
    send(1024);
    loop.run();
    assertThat(shard.size()).isEqualTo(924);
    assertThat(loop.pendingTasks()).as("does not spin").isZero();
    sink.heal();
    loop.pass(Duration.ofSeconds(1));
    assertThat(delivered()).isEqualTo(events(0, 1025));
    assertBalanced();
  }

  @Test
  void flush_completesWhenWhatWasAcceptedIsSettled() {
    batch.setAdaptive(false).setMinSize(1000).setMaxDelay(Duration.ofMinutes(1));
    start();
    assertThat(pump.flush().isComplete()).isFalse();
    loop.run();
    sink.hang();
    send(5);
    Future<Void> flushed = pump.flush();
    loop.run();
    assertThat(flushed.isComplete()).isFalse();
    sink.heal();
    loop.run();
    assertThat(flushed.succeeded()).isTrue();
    assertThat(delivered()).isEqualTo(events(0, 5));
  }

  @Test
  void consumerTakenByAnother_isTriedAgainWhenItIsFree() {
    start();
    manager.withShard(
        0,
        taken -> {
          Thread pushing =
              new Thread(
                  () -> {
                    send(3);
                    loop.run();
                  });
          pushing.start();
          try {
            pushing.join();
          } catch (InterruptedException e) {
            throw new IllegalStateException(e);
          }
          assertThat(loop.pendingTasks()).as("does not spin").isZero();
          return taken.popBatch(10).size();
        });
    send(3);
    loop.run();
    assertThat(sink.ofShard(0).stream().map(ShardEvent::sequence)).containsExactly(3L, 4L, 5L);
    assertThat(shard.accounting().delivered()).isEqualTo(6);
  }

  @Test
  void acknowledgements_comeOncePerRunOfNeighbours() {
    List<String> told = new ArrayList<>();
    sink.behave(
        b -> {
          BitSet bad = new BitSet();
          for (int i = 0; i < b.size(); i++) {
            bad.set(i, b.events().get(i).sequence() % 5 == 4);
          }
          return Future.failedFuture(
              SinkException.partial(bad, SinkException.permanentFailure("poison")));
        });
    batch.setAdaptive(false).setMinSize(20);
    start();
    send(2);
    for (String name : List.of("a", "b")) {
      List<RawEvent> events = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        events.add(RawEvent.of(name + i));
      }
      manager.ingestRawBatch(
          events,
          new DeliveryAck() {
            @Override
            public void delivered(int events) {
              told.add(name + " delivered " + events);
            }

            @Override
            public void failed(Outcome failure, int events) {
              told.add(name + " failed " + events);
            }
          });
    }
    send(2);
    loop.pass(Duration.ofSeconds(1));
    // sequences 2 to 9 are a's, 10 to 17 b's; 4, 9, 14 and 19 are refused
    assertThat(told)
        .containsExactlyInAnyOrder("a delivered 6", "a failed 2", "b delivered 7", "b failed 1");
    assertThat(shard.accounting().deadLettered()).isEqualTo(4);
  }
}
