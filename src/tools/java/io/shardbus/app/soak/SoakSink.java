package io.shardbus.app.soak;

import io.shardbus.event.Batch;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkContext;
import io.shardbus.sink.SinkException;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.BitSet;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A backend that fails in every way a backend can, drawn from a seed, and records what it took.
 * Like a real one it recognises a repeated event by its sequence.
 */
final class SoakSink implements Sink {

  private final long seed;
  private final long timeoutMillis;
  private final boolean silent;
  private final SoakKeys keys;
  private final Violations violations;
  private final Map<Integer, SoakLane> lanes = new ConcurrentHashMap<>();

  /** The ways to answer or to fail. */
  private enum Fault {
    SLOW(100),
    REFUSES(30),
    TAKES_THE_FIRST_ONLY(30),
    HANGS(10, true),
    TAKES_BUT_NEVER_ANSWERS(10, true),
    TAKES_AND_ANSWERS_LATE(10, true),
    ANSWERS_TWICE(20),
    FAILS_WITH_AN_ERROR(5),
    THROWS(10),
    THROWS_CHECKED(5),
    THROWS_AN_ERROR(5),
    TAKES_AND_THROWS_AN_ERROR(5),
    RETURNS_NULL(5);

    /** Out of ten thousand batches. */
    final int often;

    /** Whether no answer comes before the bus gives up. */
    final boolean silent;

    Fault(int often) {
      this(often, false);
    }

    Fault(int often, boolean silent) {
      this.often = often;
      this.silent = silent;
    }
  }

  /**
   * @param timeoutMillis after which the bus gives up a write
   * @param silent whether it may not answer until then
   */
  SoakSink(long seed, long timeoutMillis, boolean silent, SoakKeys keys, Violations violations) {
    this.seed = seed;
    this.timeoutMillis = timeoutMillis;
    this.silent = silent;
    this.keys = keys;
    this.violations = violations;
  }

  Map<Integer, SoakLane> lanes() {
    return lanes;
  }

  @Override
  public String name() {
    return "soak";
  }

  @Override
  public Future<Void> open(SinkContext context) {
    return Future.succeededFuture();
  }

  @Override
  public Future<Void> write(Batch batch) {
    SoakLane lane =
        lanes.computeIfAbsent(batch.shard(), id -> new SoakLane(id, seed, keys, violations));
    synchronized (lane) {
      if (batch.events().stream().anyMatch(SoakSink::poisonous)) {
        if (batch.size() == 1) {
          lane.refuse(batch.events().get(0));
        }
        return Future.failedFuture(SinkException.permanentFailure("poison"));
      }
      Fault fault = fault(lane.dice);
      if (fault == null) {
        lane.take(batch.events());
        return Future.succeededFuture();
      }
      return fail(lane, batch, fault);
    }
  }

  private static boolean poisonous(ShardEvent event) {
    return SoakEvent.poisonous(SoakEvent.code(event.payload()));
  }

  private @Nullable Fault fault(Random dice) {
    int roll = dice.nextInt(10_000);
    for (Fault fault : Fault.values()) {
      roll -= fault.often;
      if (roll < 0) {
        return fault.silent && !silent ? null : fault;
      }
    }
    return null;
  }

  @SuppressWarnings("NullAway") // null is what a bad sink returns
  private Future<Void> fail(SoakLane lane, Batch batch, Fault fault) {
    switch (fault) {
      case SLOW:
        lane.take(batch.events());
        return later(1 + lane.dice.nextInt(10));
      case REFUSES:
        return Future.failedFuture(SinkException.transientFailure("not now"));
      case FAILS_WITH_AN_ERROR:
        return Future.failedFuture(new AssertionError("failed on purpose"));
      case TAKES_THE_FIRST_ONLY:
        int first = lane.dice.nextInt(batch.size());
        BitSet rest = new BitSet();
        rest.set(first, batch.size());
        lane.takeAllBut(rest, batch.events());
        return Future.failedFuture(
            SinkException.partial(rest, SinkException.transientFailure("not all of it")));
      case TAKES_BUT_NEVER_ANSWERS:
        lane.take(batch.events());
        return Future.future(promise -> {});
      case TAKES_AND_ANSWERS_LATE:
        lane.take(batch.events());
        return later(timeoutMillis + 1 + lane.dice.nextInt(20));
      case ANSWERS_TWICE:
        lane.take(batch.events());
        return twice();
      case THROWS:
        throw new IllegalStateException("thrown on purpose");
      case THROWS_CHECKED:
        throw SoakSink.<RuntimeException>unchecked(new Exception("thrown on purpose"));
      case TAKES_AND_THROWS_AN_ERROR:
        lane.take(batch.events());
        throw new NoClassDefFoundError("thrown on purpose");
      case THROWS_AN_ERROR:
        throw new AssertionError("thrown on purpose");
      case RETURNS_NULL:
        return null;
      default:
        return Future.future(promise -> {});
    }
  }

  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
  private static <E extends Throwable> E unchecked(Exception e) throws E {
    throw (E) e;
  }

  /** On a thread of its own, as drivers do. */
  private static Future<Void> later(long millis) {
    Promise<Void> promise = Promise.promise();
    CompletableFuture.delayedExecutor(millis, TimeUnit.MILLISECONDS).execute(promise::complete);
    return promise.future();
  }

  /** Two threads answer. */
  private static Future<Void> twice() {
    Promise<Void> promise = Promise.promise();
    ForkJoinPool.commonPool().execute(promise::tryComplete);
    ForkJoinPool.commonPool().execute(promise::tryComplete);
    return promise.future();
  }

  @Override
  public Future<Void> close() {
    return Future.succeededFuture();
  }
}
