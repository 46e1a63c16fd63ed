package io.shardbus.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.shardbus.event.Batch;
import io.shardbus.event.Outcome;
import io.shardbus.event.ProducerId;
import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.shardbus.shard.BackpressureMode;
import io.shardbus.shard.DeliveryAck;
import io.shardbus.shard.Shard;
import io.shardbus.shard.ShardAccounting;
import io.shardbus.shard.ShardManager;
import io.shardbus.sink.DeadLetter;
import io.shardbus.sink.SinkException;
import io.shardbus.sink.SinkHealth;
import io.shardbus.testing.RecordingSink;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Test;

class ShardPumpTest {

  private final ShardManager manager = new ShardManager(1, 1024, BackpressureMode.FAIL_PRODUCER);
  private final Shard shard = manager.shard(0).orElseThrow();
  private final List<Batch> writes = new ArrayList<>();
  private final RecordingSink sink = new RecordingSink();
  private final BatchOptions batch = new BatchOptions();
  private final RetryOptions delivery = new RetryOptions();
  private final List<DeadLetter> letters = new ArrayList<>();
  private Future<Void> deadLetterAnswer = Future.succeededFuture();
  private final DeliveryObservers observers = new DeliveryObservers();
  private ManualLoop loop = new ManualLoop();
  private ShardPump pump;
  private int sent;

  private void start() {
    pump = newPump();
    pump.attach(loop);
    loop.run();
  }

  private ShardPump newPump() {
    return new ShardPump(
        shard, sink, this::keep, new ProducerId("p", 1), batch, delivery, observers);
  }

  private Future<Void> keep(List<DeadLetter> more) {
    return deadLetterAnswer.onSuccess(done -> letters.addAll(more));
  }

  private void send(int count) {
    for (int i = 0; i < count; i++) {
      assertThat(manager.ingestRaw(RawEvent.of("event " + sent++)).accepted()).isTrue();
    }
  }

  private List<String> delivered() {
    return sink.ofShard(0).stream().map(e -> e.payload().toString()).toList();
  }

  private List<String> events(int from, int to) {
    List<String> all = new ArrayList<>();
    for (int i = from; i < to; i++) {
      all.add("event " + i);
    }
    return all;
  }

  private void assertBalanced() {
    ShardAccounting a = shard.accounting();
    assertThat(a.accepted())
        .isEqualTo(
            a.delivered() + a.evicted() + a.deadLettered() + a.pendingInRing() + a.inFlight());
    assertThat(sink.faults()).isEmpty();
  }

  private Future<Void> record(Batch written) {
    writes.add(written);
    return Future.succeededFuture();
  }

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
    Promise<Void> gate = Promise.promise();
    sink.behave(b -> gate.future());
    start();
    manager.ingestRaw(RawEvent.of("first"), ack);
    loop.run();
    for (int i = 0; i < 5; i++) {
      manager.ingestRaw(RawEvent.of("meanwhile " + i), ack);
    }
    loop.run();
    gate.complete();
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
    Promise<Void> gate = Promise.promise();
    batch.setMinSize(1).setMaxSize(100);
    sink.behave(b -> gate.future());
    start();
    send(1);
    loop.run();
    send(1024);
    loop.run();
    assertThat(shard.size()).isEqualTo(924);
    assertThat(loop.pendingTasks()).as("does not spin").isZero();
    gate.complete();
    loop.pass(Duration.ofSeconds(1));
    assertThat(delivered()).isEqualTo(events(0, 1025));
    assertBalanced();
  }

  @Test
  void flush_completesWhenWhatWasAcceptedIsSettled() {
    Promise<Void> gate = Promise.promise();
    batch.setAdaptive(false).setMinSize(1000).setMaxDelay(Duration.ofMinutes(1));
    start();
    assertThat(pump.flush().isComplete()).isFalse();
    loop.run();
    sink.behave(b -> gate.future());
    send(5);
    Future<Void> flushed = pump.flush();
    loop.run();
    assertThat(flushed.isComplete()).isFalse();
    gate.complete();
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

  // ------------------------------------------------------------------ delivery

  @Test
  void transientFailure_isRetriedWithGrowingPauses() {
    int[] attempts = {0};
    List<Long> times = new ArrayList<>();
    delivery.setInitialBackoff(Duration.ofMillis(100)).setMaxBackoff(Duration.ofSeconds(1));
    sink.behave(
        b -> {
          times.add(loop.nanoTime() / 1_000_000);
          return ++attempts[0] < 8
              ? Future.failedFuture(new IllegalStateException("down"))
              : Future.succeededFuture();
        });
    start();
    send(10);
    loop.pass(Duration.ofSeconds(20));
    assertThat(attempts[0]).isEqualTo(8);
    assertThat(delivered()).isEqualTo(events(0, 10));
    assertThat(manager.stats().batchesDispatched()).isEqualTo(1);
    for (int i = 1; i < 8; i++) {
      long most = Math.min(1_000, 100L << (i - 1));
      assertThat(times.get(i) - times.get(i - 1)).isBetween(most / 2 - 1, most + 1);
    }
    assertBalanced();
  }

  @Test
  void hangingSink_isGivenUpAfterTheTimeoutAndALateAnswerIsIgnored() {
    delivery.setTimeout(Duration.ofSeconds(1));
    Promise<Void> late = Promise.promise();
    List<Batch> tries = new ArrayList<>();
    sink.behave(
        b -> {
          tries.add(b);
          return tries.size() == 1 ? late.future() : record(b);
        });
    start();
    send(1);
    loop.pass(Duration.ofSeconds(5));
    assertThat(tries).hasSize(2);
    assertThat(tries.get(1)).isEqualTo(tries.get(0));
    assertThat(writes).hasSize(1);
    late.fail("too late");
    loop.pass(Duration.ofSeconds(5));
    assertThat(tries).hasSize(2);
    assertThat(shard.accounting().delivered()).isEqualTo(1);
  }

  /** What brings help is a thread that looks at each shard once in ten seconds. */
  private void helped() {
    loop.pass(Duration.ofMinutes(1));
    await()
        .atMost(Duration.ofSeconds(30))
        .until(
            () -> {
              loop.pass(Duration.ofSeconds(1));
              return shard.accounting().pending() == 0;
            });
    assertThat(shard.accounting().delivered()).isEqualTo(sent);
  }

  @Test
  void pauseWhoseTimerIsLost_endsAllTheSame() {
    int[] attempts = {0};
    sink.behave(
        b ->
            ++attempts[0] == 1
                ? Future.failedFuture(new IllegalStateException("down"))
                : Future.succeededFuture());
    start();
    send(10);
    loop.run();
    loop.loseTimers();
    helped();
    assertThat(attempts[0]).isEqualTo(2);
  }

  @Test
  void writeWhoseTimerIsLost_isGivenUpAllTheSame() {
    int[] attempts = {0};
    sink.behave(
        b -> ++attempts[0] == 1 ? Promise.<Void>promise().future() : Future.succeededFuture());
    start();
    send(10);
    loop.run();
    loop.loseTimers();
    helped();
    assertThat(attempts[0]).isEqualTo(2);
  }

  @Test
  void lateAnswer_isNotTakenForThatOfTheAttemptUnderWay() {
    delivery.setTimeout(Duration.ofSeconds(1)).setInitialBackoff(Duration.ofMillis(100));
    List<Promise<Void>> answers = new ArrayList<>();
    sink.behave(
        b -> {
          answers.add(Promise.promise());
          return answers.get(answers.size() - 1).future();
        });
    start();
    send(1);
    loop.pass(Duration.ofMillis(1_200));
    assertThat(answers).as("the second attempt is under way").hasSize(2);
    answers.get(0).complete();
    loop.run();
    assertThat(shard.accounting().delivered()).isZero();
    loop.pass(Duration.ofMillis(1_500));
    assertThat(answers).as("the third").hasSize(3);
    answers.get(1).fail("late as well");
    answers.get(2).complete();
    loop.run();
    assertThat(shard.accounting().delivered()).isEqualTo(1);
    assertThat(shard.accounting().inFlight()).isZero();
  }

  @Test
  void permanentFailure_isolatesThePoison() {
    sink.behave(
        b ->
            b.events().stream().anyMatch(e -> e.sequence() == 37 || e.sequence() == 3)
                ? Future.failedFuture(SinkException.permanentFailure("poison"))
                : record(b));
    batch.setAdaptive(false).setMinSize(100);
    start();
    send(100);
    loop.pass(Duration.ofSeconds(1));
    List<String> expected = events(0, 100);
    expected.remove("event 37");
    expected.remove("event 3");
    assertThat(writes.stream().flatMap(b -> b.events().stream()).map(e -> e.payload().toString()))
        .isEqualTo(expected);
    assertThat(shard.accounting().deadLettered()).isEqualTo(2);
    assertThat(shard.accounting().delivered()).isEqualTo(98);
    assertThat(letters).extracting(letter -> letter.event().sequence()).containsExactly(3L, 37L);
    assertThat(letters)
        .allSatisfy(
            letter -> {
              assertThat(letter.cause()).isEqualTo("poison");
              assertThat(letter.attempts()).as("halved until alone").isBetween(7, 8);
              assertThat(letter.event().shard()).isZero();
              assertThat(letter.producer()).isEqualTo(new ProducerId("p", 1));
            });
  }

  @Test
  void partialFailure_retriesOnlyWhatFailed() {
    List<List<Long>> tries = new ArrayList<>();
    sink.behave(
        b -> {
          tries.add(b.events().stream().map(ShardEvent::sequence).toList());
          if (tries.size() > 1) {
            return Future.succeededFuture();
          }
          BitSet failed = new BitSet();
          failed.set(2);
          failed.set(5);
          return Future.failedFuture(
              SinkException.partial(failed, SinkException.transientFailure("busy")));
        });
    batch.setAdaptive(false).setMinSize(10);
    start();
    send(10);
    loop.pass(Duration.ofSeconds(10));
    assertThat(tries.get(1)).containsExactly(2L, 5L);
    assertThat(shard.accounting().delivered()).isEqualTo(10);
  }

  /** As a sink does that keeps order: it takes nothing behind an event that failed. */
  @Test
  void manyPoisonousEvents_areIsolatedWhileTheSinkTakesTheOthers() {
    sink.behave(
        b -> {
          int good = 0;
          while (good < b.size() && b.events().get(good).sequence() % 2 == 0) {
            good++;
          }
          BitSet failed = new BitSet();
          failed.set(good, b.size());
          return failed.isEmpty()
              ? Future.succeededFuture()
              : Future.failedFuture(
                  SinkException.partial(failed, SinkException.transientFailure("busy")));
        });
    delivery.setMaxAttempts(2);
    batch.setAdaptive(false).setMinSize(300);
    start();
    send(300);
    loop.pass(Duration.ofHours(1));
    assertThat(letters).hasSize(150).allMatch(letter -> letter.event().sequence() % 2 == 1);
    assertThat(shard.accounting().delivered()).isEqualTo(150);
  }

  @Test
  void maxAttempts_deadLetters() {
    List<String> fates = new ArrayList<>();
    delivery.setMaxAttempts(3);
    sink.behave(b -> Future.failedFuture("down"));
    start();
    manager.ingestRaw(
        RawEvent.of("x"),
        new DeliveryAck() {
          @Override
          public void delivered(int events) {
            fates.add("delivered");
          }

          @Override
          public void failed(Outcome failure, int events) {
            fates.add(failure.name());
          }
        });
    loop.pass(Duration.ofMinutes(1));
    assertThat(fates).containsExactly("DEAD_LETTERED");
    assertThat(shard.accounting().deadLettered()).isEqualTo(1);
    assertThat(letters).hasSize(1);
    assertThat(letters.get(0).cause()).isEqualTo("down");
    assertThat(letters.get(0).attempts()).isEqualTo(3);
  }

  @Test
  void maxAttempts_findTheOneToBlame() {
    delivery.setMaxAttempts(3);
    sink.behave(
        b ->
            b.events().stream().anyMatch(e -> e.sequence() == 500)
                ? Future.failedFuture("always")
                : record(b));
    batch.setAdaptive(false).setMinSize(1000);
    start();
    send(1000);
    loop.pass(Duration.ofMinutes(1));
    assertThat(letters).extracting(letter -> letter.event().sequence()).containsExactly(500L);
    assertThat(shard.accounting().delivered()).isEqualTo(999);
    List<String> expected = events(0, 1000);
    expected.remove("event 500");
    assertThat(writes.stream().flatMap(b -> b.events().stream()).map(e -> e.payload().toString()))
        .isEqualTo(expected);
  }

  @Test
  void maxAttempts_doNotAskASinkThatIsDownForEachEvent() {
    delivery.setMaxAttempts(3);
    int[] attempts = {0};
    sink.behave(
        b -> {
          attempts[0]++;
          return Future.failedFuture("down");
        });
    batch.setAdaptive(false).setMinSize(1000);
    start();
    send(1000);
    loop.pass(Duration.ofMinutes(1));
    assertThat(letters).hasSize(1000);
    assertThat(attempts[0]).isLessThan(60);
    assertThat(pump.sinkHealth().circuit())
        .as("dead letters say nothing of the sink")
        .isEqualTo(SinkHealth.Circuit.OPEN);
  }

  @Test
  void deadLetterSinkThatFails_isNoFailureOfTheSink() {
    delivery.setBreakerFailures(2);
    deadLetterAnswer = Future.failedFuture("disk full");
    sink.behave(b -> Future.failedFuture(SinkException.permanentFailure("poison")));
    start();
    send(1);
    loop.pass(Duration.ofMinutes(1));
    assertThat(pump.sinkHealth()).isEqualTo(SinkHealth.GOOD);
  }

  /** Not when the dead-letter sink took it, which can be hours later. */
  @Test
  void deadLetter_carriesTheTimeAtWhichItWasGivenUp() {
    sink.behave(b -> Future.failedFuture(SinkException.permanentFailure("never")));
    deadLetterAnswer = Future.failedFuture("no room");
    start();
    send(1);
    Instant before = Instant.now();
    loop.run();
    Instant after = Instant.now();
    Awaitility.await().until(() -> Instant.now().isAfter(after));
    deadLetterAnswer = Future.succeededFuture();
    loop.pass(Duration.ofSeconds(30));
    assertThat(letters).hasSize(1);
    assertThat(Instant.EPOCH.plusNanos(letters.get(0).time())).isBetween(before, after);
  }

  @Test
  void ackThatThrows_stopsNothing() {
    start();
    manager.ingestRaw(
        RawEvent.of("x"),
        new DeliveryAck() {
          @Override
          public void delivered(int events) {
            throw new AssertionError("not my day");
          }

          @Override
          public void failed(Outcome failure, int events) {}
        });
    loop.run();
    send(3);
    Future<Void> flushed = pump.flush();
    loop.run();
    assertThat(flushed.succeeded()).isTrue();
    assertThat(sink.count()).isEqualTo(4);
  }

  @Test
  void deadLetterSinkThatFails_holdsTheShardAndLosesNothing() {
    deadLetterAnswer = Future.failedFuture("disk full");
    sink.behave(
        b ->
            b.events().stream().anyMatch(e -> e.sequence() == 0)
                ? Future.failedFuture(SinkException.permanentFailure("poison"))
                : record(b));
    start();
    send(3);
    loop.pass(Duration.ofMinutes(5));
    assertThat(shard.accounting().deadLettered()).isZero();
    assertThat(shard.accounting().inFlight()).isEqualTo(3);
    // Another verticle takes over where this one stopped.
    pump.detach();
    loop.run();
    deadLetterAnswer = Future.succeededFuture();
    loop = new ManualLoop();
    pump.attach(loop);
    loop.pass(Duration.ofMinutes(5));
    assertThat(letters).hasSize(1);
    assertThat(shard.accounting().deadLettered()).isEqualTo(1);
    assertThat(shard.accounting().delivered()).isEqualTo(2);
  }

  @Test
  void circuit_opensAfterFailuresInARowAndClosesWithTheFirstSuccess() {
    delivery.setBreakerFailures(3).setMaxBackoff(Duration.ofSeconds(1));
    List<SinkHealth.Circuit> atWrite = new ArrayList<>();
    List<Promise<Void>> answers = new ArrayList<>();
    sink.behave(
        b -> {
          atWrite.add(pump.sinkHealth().circuit());
          answers.add(Promise.promise());
          return answers.get(answers.size() - 1).future();
        });
    start();
    send(1);
    loop.pass(Duration.ofSeconds(1));
    for (int i = 0; i < 4; i++) {
      answers.get(i).fail("down");
      loop.run();
      assertThat(pump.sinkHealth().circuit())
          .isEqualTo(i < 2 ? SinkHealth.Circuit.CLOSED : SinkHealth.Circuit.OPEN);
      assertThat(pump.sinkHealth().lastError()).isEqualTo("down");
      loop.pass(Duration.ofSeconds(1));
    }
    assertThat(atWrite)
        .containsExactly(
            SinkHealth.Circuit.CLOSED,
            SinkHealth.Circuit.CLOSED,
            SinkHealth.Circuit.CLOSED,
            SinkHealth.Circuit.HALF_OPEN,
            SinkHealth.Circuit.HALF_OPEN);
    answers.get(4).complete();
    loop.run();
    assertThat(pump.sinkHealth()).isEqualTo(SinkHealth.GOOD);
    assertThat(shard.accounting().delivered()).isEqualTo(1);
  }

  @Test
  void detached_keepsWhatItDrainedForTheNextLoop() {
    Promise<Void> gate = Promise.promise();
    batch.setMinSize(1).setMaxSize(10);
    sink.behave(b -> gate.future());
    start();
    send(100);
    loop.run();
    Future<Void> detached = pump.detach();
    loop.run();
    assertThat(detached.isComplete()).as("a write is under way").isFalse();
    gate.fail("the sink went away");
    loop.run();
    assertThat(detached.succeeded()).isTrue();
    send(10);
    loop.pass(Duration.ofMinutes(1));
    assertThat(sink.count()).isZero();
    loop = new ManualLoop();
    sink.behave(this::record);
    pump.attach(loop);
    loop.pass(Duration.ofSeconds(1));
    assertThat(delivered()).isEqualTo(events(0, 110));
    assertBalanced();
  }

  @Test
  void timerOfTheLoopBefore_isNotTrusted() {
    Promise<Void> gate = Promise.promise();
    batch.setAdaptive(false).setMinSize(10).setMaxDelay(Duration.ofSeconds(2));
    sink.behave(b -> gate.future());
    start();
    send(10);
    loop.run();
    send(3);
    loop.run();
    pump.detach();
    gate.complete();
    loop.run();
    loop = new ManualLoop();
    sink.behave(this::record);
    pump.attach(loop);
    loop.pass(Duration.ofSeconds(3));
    assertThat(delivered()).isEqualTo(events(0, 13));
  }

  @Test
  void end_tellsAllWhoWait() {
    List<Outcome> failures = new ArrayList<>();
    DeliveryAck ack =
        new DeliveryAck() {
          @Override
          public void delivered(int events) {}

          @Override
          public void failed(Outcome failure, int events) {
            for (int i = 0; i < events; i++) {
              failures.add(failure);
            }
          }
        };
    Promise<Void> never = Promise.promise();
    batch.setAdaptive(false).setMinSize(10).setMaxSize(20);
    sink.behave(b -> never.future());
    start();
    for (int i = 0; i < 50; i++) { // written, forming and in the ring
      manager.ingestRaw(RawEvent.of("event " + i), ack);
      if (i == 9) {
        loop.run();
      }
    }
    loop.run();
    Future<Void> flushed = pump.flush();
    Future<Void> ended = pump.end();
    Future<Void> flushedLate = pump.flush();
    loop.run();
    assertThat(ended.succeeded()).isTrue();
    assertThat(failures).hasSize(50).containsOnly(Outcome.UNKNOWN);
    assertThat(flushed.cause()).hasMessageContaining("50 events were not delivered");
    assertThat(flushedLate.failed()).isTrue();
    assertThat(pump.flush().failed()).isTrue();
    assertThat(shard.accounting().inFlight()).isEqualTo(50);
    never.complete();
    loop.run();
    assertThat(failures).as("a late answer").hasSize(50);
    assertBalanced();
  }

  /** A bus may give up before a verticle has started. Its end was told, so it is not told again. */
  @Test
  void verticleThatComesAfterTheEnd_isRefused() {
    pump = newPump();
    assertThat(pump.end().succeeded()).isTrue();
    assertThatThrownBy(() -> pump.attach(loop)).hasMessageContaining("has ended");
    send(3);
    assertThat(loop.pendingTasks()).isZero();
    assertThat(pump.flush().failed()).isTrue();
    start();
    assertThat(delivered()).isEqualTo(events(0, 3));
  }

  @Test
  void end_whenAllIsDeliveredIsASuccess() {
    start();
    send(5);
    loop.run();
    pump.detach();
    Future<Void> flushed = pump.flush();
    assertThat(flushed.isComplete()).as("another loop may come").isFalse();
    pump.end();
    loop.run();
    assertThat(flushed.succeeded()).isTrue();
    assertThat(pump.flush().succeeded()).isTrue();
  }

  /** The rescue may have chosen its loop just before the verticle was deployed again elsewhere. */
  @Test
  void rescueOnTheLoopBefore_leavesTheNextLoopAlone() {
    ManualLoop before =
        new ManualLoop() {
          private boolean failed;

          @Override
          public void execute(Runnable task) {
            if (!failed) {
              failed = true;
              throw new OutOfMemoryError("no memory for a task");
            }
            super.execute(task);
          }
        };
    loop = before;
    start();
    send(1);
    Awaitility.await().until(() -> before.pendingTasks() > 0);
    pump.detach();
    Promise<Void> gate = Promise.promise();
    sink.behave(b -> gate.future());
    loop = new ManualLoop();
    pump.attach(loop);
    loop.run();
    gate.complete();
    before.run();
    assertThat(shard.accounting().delivered()).as("the next loop has not run").isZero();
    loop.run();
    assertThat(shard.accounting().delivered()).isEqualTo(1);
    assertBalanced();
  }

  @Test
  void endOnTheLoopBefore_leavesTheNextLoopAlone() {
    ManualLoop before = loop;
    sink.behave(b -> Promise.<Void>promise().future());
    start();
    Future<Void> ended = pump.end();
    pump.detach();
    loop = new ManualLoop();
    pump.attach(loop);
    send(1);
    loop.run();
    before.run();
    assertThat(ended.isComplete()).as("the next loop has not run").isFalse();
    loop.run();
    assertThat(ended.succeeded()).isTrue();
    assertThat(loop.pendingTimers()).isZero();
    assertThat(shard.accounting().inFlight()).isEqualTo(1);
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
