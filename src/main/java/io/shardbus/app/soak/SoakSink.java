package io.shardbus.app.soak;

import io.shardbus.event.Batch;
import io.shardbus.event.ShardEvent;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkContext;
import io.shardbus.sink.SinkException;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * A backend that fails in every way a backend can, by the dice of a seed, and writes down what it
 * took. Like a real one it recognises a repeated event by its sequence.
 */
final class SoakSink implements Sink {

  private final long seed;
  private final Violations violations;
  private final Map<Integer, Lane> lanes = new ConcurrentHashMap<>();
  private volatile @Nullable Vertx vertx;

  private enum Fault {
    SLOW(100),
    REFUSES(30),
    THROWS(10),
    TAKES_THE_FIRST_ONLY(30),
    HANGS(10),
    TAKES_BUT_NEVER_ANSWERS(10);

    /** Out of ten thousand batches. */
    final int often;

    Fault(int often) {
      this.often = often;
    }
  }

  /** What was taken of one shard. */
  static final class Lane {

    static final long REFUSED = -1;

    private final int shard;
    private final Random dice;

    /** By sequence. */
    private long[] codes = new long[1024];

    private int count;
    private int refused;
    private long lastTimestamp = Long.MIN_VALUE;

    Lane(int shard, long seed) {
      this.shard = shard;
      this.dice = new Random(seed ^ shard * 0x9E3779B97F4A7C15L);
    }

    int taken() {
      return count - refused;
    }

    int refused() {
      return refused;
    }

    int count() {
      return count;
    }

    /** The code of the event with a sequence, or {@link #REFUSED}. */
    long code(int sequence) {
      return codes[sequence];
    }

    private void append(long code) {
      if (count == codes.length) {
        codes = Arrays.copyOf(codes, 2 * count);
      }
      codes[count++] = code;
    }
  }

  SoakSink(long seed, Violations violations) {
    this.seed = seed;
    this.violations = violations;
  }

  Map<Integer, Lane> lanes() {
    return lanes;
  }

  @Override
  public String name() {
    return "soak";
  }

  @Override
  public Future<Void> open(SinkContext context) {
    vertx = context.vertx();
    return Future.succeededFuture();
  }

  @Override
  public Future<Void> write(Batch batch) {
    Lane lane = lanes.computeIfAbsent(batch.shard(), id -> new Lane(id, seed));
    synchronized (lane) {
      if (batch.events().stream().anyMatch(e -> SoakEvent.poisonous(code(e)))) {
        if (batch.size() == 1) {
          take(lane, batch.events().get(0), Lane.REFUSED);
          lane.refused++;
        }
        return Future.failedFuture(SinkException.permanentFailure("poison"));
      }
      Fault fault = fault(lane.dice);
      if (fault == null) {
        takeFirst(lane, batch, batch.size());
        return Future.succeededFuture();
      }
      return fail(lane, batch, fault);
    }
  }

  private static @Nullable Fault fault(Random dice) {
    int roll = dice.nextInt(10_000);
    for (Fault fault : Fault.values()) {
      roll -= fault.often;
      if (roll < 0) {
        return fault;
      }
    }
    return null;
  }

  private Future<Void> fail(Lane lane, Batch batch, Fault fault) {
    switch (fault) {
      case SLOW:
        takeFirst(lane, batch, batch.size());
        return later(1 + lane.dice.nextInt(10));
      case REFUSES:
        return Future.failedFuture(SinkException.transientFailure("not now"));
      case THROWS:
        throw new IllegalStateException("thrown on purpose");
      case TAKES_THE_FIRST_ONLY:
        int first = lane.dice.nextInt(batch.size());
        takeFirst(lane, batch, first);
        BitSet rest = new BitSet();
        rest.set(first, batch.size());
        return Future.failedFuture(
            SinkException.partial(rest, SinkException.transientFailure("not all of it")));
      case TAKES_BUT_NEVER_ANSWERS:
        takeFirst(lane, batch, batch.size());
        return Future.future(promise -> {});
      default:
        return Future.future(promise -> {});
    }
  }

  private Future<Void> later(long millis) {
    Promise<Void> promise = Promise.promise();
    Vertx timers = vertx;
    if (timers == null) {
      throw new IllegalStateException("not open");
    }
    timers.setTimer(millis, timer -> promise.complete());
    return promise.future();
  }

  private void takeFirst(Lane lane, Batch batch, int count) {
    for (ShardEvent event : batch.events().subList(0, count)) {
      take(lane, event, code(event));
    }
  }

  private void take(Lane lane, ShardEvent event, long code) {
    long sequence = event.sequence();
    if (sequence < lane.count) {
      violations.check(
          lane.codes[(int) sequence] == code,
          "shard %d: sequence %d was repeated with another event",
          lane.shard,
          sequence);
      return;
    }
    violations.check(
        sequence == lane.count, "shard %d: %d follows %d", lane.shard, sequence, lane.count - 1);
    violations.check(
        event.timestamp() > lane.lastTimestamp,
        "shard %d: the timestamp does not rise at %d",
        lane.shard,
        sequence);
    lane.lastTimestamp = event.timestamp();
    lane.append(code);
  }

  private static long code(ShardEvent event) {
    return SoakEvent.code(event.payload());
  }

  @Override
  public Future<Void> close() {
    return Future.succeededFuture();
  }
}
