package io.shardbus.delivery;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.shardbus.event.Batch;
import io.shardbus.event.Outcome;
import io.shardbus.event.ProducerId;
import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.shardbus.shard.DeliveryAck;
import io.shardbus.sink.SinkException;
import io.shardbus.sink.SinkHealth;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** What a pump does when its sink fails. */
@Tag("once")
class DeliveryFailureTest extends PumpFixture {

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

  private void loseTimersAfter(Future<Void> firstAnswer) {
    int[] attempts = {0};
    sink.behave(b -> ++attempts[0] == 1 ? firstAnswer : Future.succeededFuture());
    start();
    send(10);
    loop.run();
    loop.loseTimers();
    helped();
    assertThat(attempts[0]).isEqualTo(2);
  }

  @Test
  void pauseWhoseTimerIsLost_endsAllTheSame() {
    loseTimersAfter(Future.failedFuture(new IllegalStateException("down")));
  }

  @Test
  void writeWhoseTimerIsLost_isGivenUpAllTheSame() {
    loseTimersAfter(Promise.<Void>promise().future());
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
    sink.fail(new IllegalStateException("down"));
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
    sink.fail(SinkException.permanentFailure("poison"));
    start();
    send(1);
    loop.pass(Duration.ofMinutes(1));
    assertThat(pump.sinkHealth()).isEqualTo(SinkHealth.GOOD);
  }

  /** Not when the dead-letter sink took it, which can be hours later. */
  @Test
  void deadLetter_carriesTheTimeAtWhichItWasGivenUp() {
    sink.fail(SinkException.permanentFailure("never"));
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
}
