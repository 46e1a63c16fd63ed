package io.shardbus.delivery;

import static org.assertj.core.api.Assertions.assertThat;

import io.shardbus.event.Batch;
import io.shardbus.event.Outcome;
import io.shardbus.event.ProducerId;
import io.shardbus.event.RawEvent;
import io.shardbus.event.ShardEvent;
import io.shardbus.junit5.RecordingSink;
import io.shardbus.shard.BackpressureMode;
import io.shardbus.shard.DeliveryAck;
import io.shardbus.shard.Shard;
import io.shardbus.shard.ShardAccounting;
import io.shardbus.shard.ShardManager;
import io.shardbus.sink.DeadLetter;
import io.shardbus.sink.DeliveryObserver;
import io.shardbus.sink.SinkException;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.time.Duration;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whatever is thrown at a shard's consumer: it goes on, and its counts stay exact. */
@Tag("once")
class ShardFaultsTest {

  private static final int ROUNDS = Integer.getInteger("faults.rounds", 60);

  private final ShardManager manager = new ShardManager(1, 1024, BackpressureMode.FAIL_PRODUCER);
  private final Shard shard = manager.shard(0).orElseThrow();
  private final RecordingSink sink = new RecordingSink();
  private final List<DeadLetter> letters = new ArrayList<>();
  private final RetryOptions delivery = new RetryOptions();
  private final ManualLoop loop = new ManualLoop();

  private ShardPump pump() {
    return new ShardPump(
        shard,
        sink,
        more -> {
          letters.addAll(more);
          return Future.succeededFuture();
        },
        new ProducerId("p", 1),
        new BatchOptions(),
        delivery,
        new DeliveryObservers());
  }

  private void send(int from, int to) {
    for (int i = from; i < to; i++) {
      assertThat(manager.ingestRaw(RawEvent.of("event " + i)).accepted()).isTrue();
    }
  }

  /** How a call can end badly. */
  enum Impolite {
    RUNTIME_EXCEPTION("sunk") {
      @Override
      Future<Void> write() {
        throw new IllegalStateException("sunk");
      }
    },
    CHECKED_EXCEPTION("sunk") {
      @Override
      Future<Void> write() {
        throw sneaky(new Exception("sunk"));
      }
    },
    ERROR("java.lang.StackOverflowError: sunk") {
      @Override
      Future<Void> write() {
        throw new StackOverflowError("sunk");
      }
    },
    NULL("sink recording returned null in place of a future") {
      @Override
      Future<Void> write() {
        return null;
      }
    },
    FAILED_WITH_AN_ERROR("java.lang.OutOfMemoryError: sunk") {
      @Override
      Future<Void> write() {
        return Future.failedFuture(new OutOfMemoryError("sunk"));
      }
    },
    FAILURE_THAT_CANNOT_BE_PRINTED(ShardFaultsTest.class.getName() + "$Unprintable") {
      @Override
      Future<Void> write() {
        throw new Unprintable();
      }
    };

    final String cause;

    Impolite(String cause) {
      this.cause = cause;
    }

    abstract Future<Void> write();
  }

  private static final class Unprintable extends RuntimeException {

    private static final long serialVersionUID = 1L;

    @Override
    public String getMessage() {
      throw new IllegalStateException("no message");
    }
  }

  @SuppressWarnings("unchecked")
  private static <T extends Throwable> RuntimeException sneaky(Throwable any) throws T {
    throw (T) any;
  }

  /** A sink whose call ends badly itself, not only the future that it returns. */
  private void behave(Function<Batch, Future<Void>> behaviour) {
    sink.behave(behaviour);
  }

  @ParameterizedTest
  @EnumSource
  void writeThatEndsBadly_isAFailedAttemptAtOnce(Impolite how) {
    AtomicInteger writes = new AtomicInteger();
    behave(batch -> writes.incrementAndGet() == 1 ? how.write() : Future.succeededFuture());
    ShardPump pump = pump();
    pump.attach(loop);
    send(0, 100);
    loop.run();
    assertThat(pump.sinkHealth().failures()).as("no time has passed").isEqualTo(1);
    assertThat(pump.sinkHealth().lastError()).isEqualTo(how.cause);
    loop.pass(Duration.ofSeconds(1));
    assertThat(sink.count()).isEqualTo(100);
    assertThat(sink.faults()).isEmpty();
    assertThat(loop.pendingTimers()).isZero();
  }

  @ParameterizedTest
  @EnumSource
  void writeThatEndsBadly_deadLettersTheEventToBlameAlone(Impolite how) {
    delivery.setMaxAttempts(3);
    behave(
        batch ->
            batch.events().stream().anyMatch(e -> e.payload().toString().equals("event 77"))
                ? how.write()
                : Future.succeededFuture());
    ShardPump pump = pump();
    pump.attach(loop);
    send(0, 1000);
    loop.pass(Duration.ofMinutes(5));
    assertThat(letters).extracting(l -> l.event().payload().toString()).containsExactly("event 77");
    assertThat(letters.get(0).cause()).isEqualTo(how.cause);
    assertThat(sink.all()).hasSize(999);
    assertThat(shard.accounting().pending()).isZero();
  }

  @ParameterizedTest
  @EnumSource
  void verticleThatStopsMeanwhile_isFollowedByOneThatDelivers(Impolite how) {
    behave(batch -> how.write());
    ShardPump pump = pump();
    for (int i = 0; i < 3; i++) {
      ManualLoop one = new ManualLoop();
      pump.attach(one);
      send(i * 100, i * 100 + 100);
      one.pass(Duration.ofMillis(i * 40L));
      assertThat(pump.detach().succeeded()).isTrue();
      one.run();
    }
    behave(batch -> Future.succeededFuture());
    pump.attach(loop);
    loop.pass(Duration.ofSeconds(1));
    assertThat(sink.count()).isEqualTo(300);
    assertThat(sink.faults()).isEmpty();
  }

  @Test
  void ackThatThrowsAnything_harmsNobody() {
    List<Integer> told = new ArrayList<>();
    ShardPump pump = pump();
    pump.attach(loop);
    for (Throwable thrown : List.of(new Exception("checked"), new StackOverflowError())) {
      manager.ingestRaw(
          RawEvent.of("{}"),
          new DeliveryAck() {
            @Override
            public void delivered(int events) {
              told.add(events);
              throw sneaky(thrown);
            }

            @Override
            public void failed(Outcome failure, int events) {}
          });
    }
    send(0, 10);
    Future<Void> flushed = pump.flush();
    loop.run();
    assertThat(told).containsExactly(1, 1);
    assertThat(flushed.succeeded()).isTrue();
    assertThat(shard.accounting().delivered()).isEqualTo(12);
  }

  @Test
  void flushWhoseListenerThrows_keepsNoOtherWaiting() {
    ShardPump pump = pump();
    Future<Void> first = pump.flush();
    Future<Void> second = pump.flush();
    first.onComplete(
        done -> {
          throw new StackOverflowError();
        });
    pump.attach(loop);
    Awaitility.await()
        .until(
            () -> {
              loop.run();
              return second.succeeded();
            });
  }

  @Test
  void loopThatThrows_leavesNoEventBehind() {
    for (int round = 0; round < ROUNDS; round++) {
      long seed = Long.getLong("faults.seed", System.nanoTime() + round);
      try {
        new Chaos(seed).run();
      } catch (Throwable e) {
        throw new AssertionError("-Dfaults.seed=" + seed, e);
      }
    }
  }

  /** Everything that a consumer touches fails at random, then all is well again. */
  private static final class Chaos {

    private final Random random;
    private final ShardManager manager = new ShardManager(1, 1024, BackpressureMode.FAIL_PRODUCER);
    private final Shard shard = manager.shard(0).orElseThrow();
    private final RecordingSink sink = new RecordingSink();
    private final Set<String> letters = new HashSet<>();
    private final Map<Integer, Integer> fates = new ConcurrentHashMap<>();
    private final DeliveryObservers observers = new DeliveryObservers();
    private final ShardPump pump;
    private volatile boolean healed;
    private FaultyLoop loop = new FaultyLoop();
    private int accepted;

    Chaos(long seed) {
      random = new Random(seed);
      observers.add(
          new DeliveryObserver() {
            @Override
            public void confirmed(int shard, long oldest, long newest) {
              throwNowAndThen();
            }

            @Override
            public void batchFormed(int events) {
              throwNowAndThen();
            }
          });
      sink.behave(this::write);
      pump =
          new ShardPump(
              shard,
              sink,
              this::keep,
              new ProducerId("p", 1),
              new BatchOptions().setMinSize(1 + random.nextInt(50)).setMaxSize(50),
              new RetryOptions()
                  .setMaxAttempts(random.nextInt(4))
                  .setInitialBackoff(Duration.ofMillis(1))
                  .setMaxBackoff(Duration.ofMillis(20)),
              observers);
    }

    private synchronized boolean now(int oneIn) {
      return !healed && random.nextInt(oneIn) == 0;
    }

    private void throwNowAndThen() {
      if (now(5)) {
        Error injected = new OutOfMemoryError("injected");
        injected.setStackTrace(new StackTraceElement[0]); // it is logged a thousand times
        throw injected;
      }
    }

    private final class FaultyLoop extends ManualLoop {

      @Override
      public void execute(Runnable task) {
        throwNowAndThen();
        super.execute(task);
      }

      @Override
      public long setTimer(Duration delay, Runnable task) {
        throwNowAndThen();
        return super.setTimer(delay, task);
      }
    }

    private Future<Void> write(Batch batch) {
      if (healed) {
        return Future.succeededFuture();
      }
      Impolite[] all = Impolite.values();
      int what = random.nextInt(all.length + 6);
      if (what < all.length) {
        return all[what].write();
      }
      Promise<Void> answer = Promise.promise();
      switch (what - all.length) {
        case 0 -> {
          BitSet failed = new BitSet();
          failed.set(random.nextInt(batch.size()));
          return Future.failedFuture(SinkException.partial(failed, new IllegalStateException()));
        }
        case 1 -> {
          return Future.failedFuture(SinkException.permanentFailure("never"));
        }
        case 2 -> ManualLoop.later(loop, Duration.ofMillis(3), () -> answer.tryComplete());
        case 3 -> {
          answer.complete();
          answer.tryFail("and not");
        }
        default -> answer.complete();
      }
      return answer.future();
    }

    private Future<Void> keep(List<DeadLetter> more) {
      throwNowAndThen();
      if (now(5)) {
        return null;
      }
      if (now(5)) {
        return Future.failedFuture("full");
      }
      more.forEach(letter -> assertThat(letters.add(name(letter.event()))).isTrue());
      return Future.succeededFuture();
    }

    private static String name(ShardEvent event) {
      return event.payload().toString();
    }

    private void send() {
      int number = accepted;
      DeliveryAck ack =
          new DeliveryAck() {
            @Override
            public void delivered(int events) {
              fates.merge(number, events, Integer::sum);
              throwNowAndThen();
            }

            @Override
            public void failed(Outcome failure, int events) {
              fates.merge(number, events, Integer::sum);
              throwNowAndThen();
            }
          };
      if (manager.ingestRaw(RawEvent.of("event " + number), ack).accepted()) {
        accepted++;
      }
    }

    void run() {
      pump.attach(loop);
      List<Future<Void>> flushes = new ArrayList<>();
      for (int i = 0; i < 300; i++) {
        send();
        if (random.nextInt(10) == 0) {
          loop.pass(Duration.ofMillis(random.nextInt(30)));
        }
        if (random.nextInt(60) == 0) {
          flushes.add(pump.flush());
        }
        if (random.nextInt(100) == 0) {
          move();
        }
      }
      healed = true;
      flushes.add(pump.flush());
      Awaitility.await()
          .pollInterval(Duration.ZERO) // the loop's time is not that of the clock
          .until(
              () -> {
                loop.pass(Duration.ofMillis(50));
                return flushes.stream().allMatch(Future::succeeded);
              });
      ShardAccounting account = shard.accounting();
      assertThat(account.accepted()).isEqualTo(accepted);
      assertThat(account.pending()).isZero();
      assertThat(account.delivered() + account.deadLettered()).isEqualTo(accepted);
      Map<String, Integer> seen = new HashMap<>();
      sink.all().forEach(event -> seen.merge(name(event), 1, Integer::sum));
      letters.forEach(letter -> seen.merge(letter, 1, Integer::sum));
      assertThat(seen).hasSize(accepted).allSatisfy((name, n) -> assertThat(n).isEqualTo(1));
      assertThat(fates).hasSize(accepted).allSatisfy((name, n) -> assertThat(n).isEqualTo(1));
    }

    /** To a verticle on another loop. */
    private void move() {
      Future<Void> detached = pump.detach();
      Awaitility.await()
          .pollInterval(Duration.ZERO) // the loop's time is not that of the clock
          .until(
              () -> {
                loop.pass(Duration.ofMillis(50));
                return detached.succeeded();
              });
      loop = new FaultyLoop();
      pump.attach(loop);
    }
  }
}
