package io.shardbus.verticle;

import io.shardbus.event.Batch;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.shardbus.shard.DeliveryAck;
import io.shardbus.shard.DrainBuffer;
import io.shardbus.shard.Shard;
import io.shardbus.sink.DeadLetter;
import io.shardbus.sink.DeadLetterSink;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkException;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/*
 * Gets one batch at a time into the sink, whatever it takes.
 *
 * A batch is a queue of parts, written one after the other, one write in flight. At first there is one part. A part
 * that failed for a passing reason is tried again; of a part that failed partly, what failed is. A part that the sink
 * will never take, or did not take in all its attempts, is halved until the events to blame stand alone, and these go
 * to the dead letters, which is a write like any other: it is tried until it succeeds. So the order of what is
 * delivered is the order of the batch, and a poisonous event takes no other with it.
 *
 * Trying again is a circuit breaker: after some failures in a row the circuit is open, and after each pause one attempt
 * is a probe.
 *
 * All methods run on the shard's loop, but the object outlives the loop: when a verticle stops it is suspended, with
 * what is not delivered yet, and another one resumes it.
 */
final class Delivery {

  private static final Logger LOG = LoggerFactory.getLogger(Delivery.class);

  /**
   * Failures in a row that looking for one event to blame may take: more than it takes to come from
   * the largest batch, 2^20 events, to a single one.
   */
  private static final int MOST_HALVINGS = 24;

  /**
   * A loop looks at its sockets and timers only when it has no task left, or has run tasks for a
   * second (Netty's {@code io.netty.eventLoop.maxTaskProcessingQuantumMs}). A sink that answers at
   * once, with producers that never stop, would keep it from them: after so long it pauses.
   */
  private static final long MOST_RESTLESS_NANOS = 20_000_000;

  private static final Duration PAUSE = Duration.ofMillis(1);

  private final Shard shard;
  private final Sink sink;
  private final DeadLetterSink deadLetters;
  private final ProducerId producer;
  private final DeliveryOptions options;
  private final DeliveryObserver observer;

  private volatile @Nullable ShardLoop loop;
  private @Nullable DrainBuffer batch;
  private Runnable onSettled = () -> {};

  /** The indexes of all events of a batch: the same for each. */
  private int[] ascending = {};

  private final Deque<Part> parts = new ArrayDeque<>();

  /**
   * Raised with every attempt, so that an answer that comes after the timeout is not taken for the
   * next one's.
   */
  private long attempt;

  /** What a write that is not answered in time fails with. */
  private final SinkException timeout;

  /** Attempts that failed since the sink took anything of this batch. */
  private int failuresInBatch;

  private boolean writing;
  private boolean verdictLogged;
  private long timer = -1;
  private long writeStarted;

  /** Since when every write was answered at once and followed by the next. */
  private long restlessSince;

  private boolean restless;
  private @Nullable Promise<Void> suspended;
  private volatile SinkHealth health = SinkHealth.GOOD;

  /** Events that are written together: indexes into the batch, a range of an array of them. */
  private static final class Part {

    private final int[] indexes;
    private final int from;
    private final int to;

    /** Attempts to write it to the sink. */
    int attempts;

    /** Failures in a row, for a passing reason, of whatever is tried now. */
    int failures;

    /** Why it goes to the dead letters; null while it goes to the sink. */
    @Nullable Throwable verdict;

    /** When it was given up, in nanoseconds since the epoch; no matter while it is not. */
    long verdictTime;

    Part(int[] indexes, int from, int to, int attempts) {
      this.indexes = indexes;
      this.from = from;
      this.to = to;
      this.attempts = attempts;
    }

    int size() {
      return to - from;
    }

    int index(int at) {
      return indexes[from + at];
    }

    Part slice(int first, int end) {
      return new Part(indexes, from + first, from + end, attempts);
    }

    Part only(BitSet chosen) {
      int[] some = chosen.stream().map(this::index).toArray();
      return new Part(some, 0, some.length, attempts);
    }
  }

  Delivery(
      Shard shard,
      Sink sink,
      DeadLetterSink deadLetters,
      ProducerId producer,
      DeliveryOptions options,
      DeliveryObserver observer) {
    this.shard = shard;
    this.sink = sink;
    this.deadLetters = deadLetters;
    this.producer = producer;
    this.options = options;
    this.observer = observer;
    timeout =
        SinkException.transientFailure(
            "no answer within " + options.getTimeout().toMillis() + " ms");
  }

  /** For any thread. */
  SinkHealth health() {
    return health;
  }

  boolean busy() {
    return batch != null;
  }

  /** The sequence of the oldest event that is not settled; only while busy. */
  long oldestSequence() {
    DrainBuffer current = batch;
    if (current == null) {
      throw new IllegalStateException("no batch");
    }
    Part head = parts.peek();
    return current.events().get(head == null ? 0 : head.index(0)).sequence();
  }

  void start(DrainBuffer next, Runnable whenSettled) {
    batch = next;
    onSettled = whenSettled;
    parts.add(new Part(all(next.size()), 0, next.size(), 0));
    verdictLogged = false;
    failuresInBatch = 0;
    observer.batchFormed(next.size());
    write();
  }

  /** At least so many. */
  private int[] all(int count) {
    if (ascending.length < count) {
      ascending = IntStream.range(0, count).toArray();
    }
    return ascending;
  }

  /** Goes on, on another loop, where {@link #suspend} stopped. */
  void resume(ShardLoop on) {
    loop = on;
    suspended = null;
    if (busy() && !writing) {
      write();
    }
  }

  /** Starts no further attempt. Completes when the one under way is answered. */
  Future<Void> suspend() {
    Promise<Void> promise = Promise.promise();
    suspended = promise;
    if (writing) {
      return promise.future();
    }
    cancelTimer();
    promise.complete();
    return promise.future();
  }

  /** Gives up what is not delivered; an answer that still comes is not heard. */
  void abandon() {
    attempt++;
    writing = false;
    cancelTimer();
    DrainBuffer current = batch;
    if (current != null) {
      for (Part part : parts) {
        current.acknowledge(part.indexes, part.from, part.to, DeliveryAck.Failure.ABANDONED);
      }
      parts.clear();
      batch = null;
    }
    Promise<Void> waiting = suspended;
    if (waiting != null) {
      waiting.tryComplete();
    }
  }

  private void write() {
    DrainBuffer current = batch;
    ShardLoop here = loop;
    Part part = parts.peek();
    if (current == null || here == null || part == null || suspended != null) {
      return;
    }
    List<ShardEvent> events = events(current, part);
    long mine = ++attempt;
    writing = true;
    writeStarted = here.nanoTime();
    timer = here.setTimer(options.getTimeout(), () -> answered(mine, timeout));
    if (part.verdict == null) {
      health = health.attempt(options.getBreakerFailures());
    }
    Future<Void> answer;
    try {
      answer =
          part.verdict == null
              ? sink.write(new Batch(shard.id(), events.get(0).sequence(), events, producer))
              : deadLetters.add(letters(events, part, part.verdict));
    } catch (RuntimeException e) {
      answer = Future.failedFuture(e);
    }
    boolean pause = tooRestless(answer.isComplete());
    answer.onComplete(
        result -> {
          Runnable next =
              () -> {
                if (loop == here) { // else it is an answer to a verticle that is gone
                  answered(mine, result.cause());
                }
              };
          if (pause) {
            here.setTimer(PAUSE, next);
          } else {
            here.execute(next);
          }
        });
  }

  private boolean tooRestless(boolean answeredAtOnce) {
    if (answeredAtOnce && !restless) {
      restlessSince = writeStarted;
    }
    boolean tooLong = answeredAtOnce && writeStarted - restlessSince >= MOST_RESTLESS_NANOS;
    restless = answeredAtOnce && !tooLong;
    return tooLong;
  }

  /** There was nothing to do for the loop. */
  void rested() {
    restless = false;
  }

  private static List<ShardEvent> events(DrainBuffer batch, Part part) {
    if (part.size() == batch.size()) {
      return batch.events();
    }
    List<ShardEvent> some = new ArrayList<>(part.size());
    for (int i = 0; i < part.size(); i++) {
      some.add(batch.events().get(part.index(i)));
    }
    return some;
  }

  private List<DeadLetter> letters(List<ShardEvent> events, Part part, Throwable verdict) {
    String cause = String.valueOf(verdict.getMessage());
    return events.stream()
        .map(event -> new DeadLetter(producer, event, cause, part.attempts, part.verdictTime))
        .toList();
  }

  private void answered(long which, @Nullable Throwable failure) {
    ShardLoop here = loop;
    Part part = parts.peek();
    if (which != attempt || !writing || here == null || part == null) {
      return;
    }
    writing = false;
    cancelTimer();
    if (part.verdict == null) {
      part.attempts++;
      long nanos = here.nanoTime() - writeStarted;
      if (failure == null) {
        shard.recordFlush(nanos);
      }
      observer.answered(nanos, failure == null);
    }
    boolean goOn = failure == null ? taken(part) : failed(part, failure);
    Promise<Void> waiting = suspended;
    if (parts.isEmpty()) {
      batch = null;
      Runnable done = onSettled;
      done.run();
    } else if (waiting == null) {
      if (goOn) {
        write();
      } else {
        Part head = parts.element();
        timer = here.setTimer(backoff(head.failures), this::write);
      }
    }
    if (waiting != null) {
      waiting.tryComplete();
    }
  }

  /** Whether to go on at once. */
  private boolean taken(Part part) {
    parts.remove();
    settle(part, part.verdict);
    if (part.verdict == null) {
      health = SinkHealth.GOOD;
      failuresInBatch = 0;
    }
    return true;
  }

  private boolean failed(Part part, Throwable failure) {
    SinkException.Kind kind =
        part.verdict == null && failure instanceof SinkException known
            ? known.kind()
            : SinkException.Kind.TRANSIENT;
    switch (kind) {
      case PERMANENT:
        return refused(part, failure);
      case PARTIAL:
        return failedPartly(part, (SinkException) failure);
      default:
        return tryAgain(part, failure);
    }
  }

  private boolean failedPartly(Part part, SinkException failure) {
    BitSet failed = failure.failed();
    if (failed.length() > part.size()) {
      return tryAgain(part, failure); // it names events that are not there: believe nothing of it
    }
    parts.remove();
    BitSet good = new BitSet();
    good.set(0, part.size());
    good.andNot(failed);
    settle(part.only(good), null);
    if (!good.isEmpty()) {
      failuresInBatch = 0;
    }
    Part rest = part.only(failed);
    rest.failures = part.failures;
    parts.addFirst(rest);
    Throwable cause = failure.getCause();
    if (failure.isForGood() && cause != null) {
      health = SinkHealth.GOOD; // it did answer
      return condemn(rest, cause);
    }
    return tryAgain(rest, failure);
  }

  private boolean tryAgain(Part part, Throwable failure) {
    part.failures++;
    if (part.verdict == null) {
      health = health.failed(options.getBreakerFailures(), failure);
      failuresInBatch++;
      if (options.getMaxAttempts() > 0 && part.attempts >= options.getMaxAttempts()) {
        return triedEnough(part, failure);
      }
      observer.retried(part.size());
    }
    // The first failure, and then ever more rarely: a sink that is down for hours must not flood
    // the log.
    if (Integer.bitCount(part.failures) == 1) {
      LOG.warn(
          "shard {}: {} did not take {} events, attempt {}: {}",
          shard.id(),
          part.verdict == null ? "sink " + sink.name() : "the dead-letter sink",
          part.size(),
          part.failures,
          String.valueOf(failure.getMessage()));
    }
    return false;
  }

  private boolean refused(Part part, Throwable failure) {
    health = SinkHealth.GOOD; // it did answer
    return isolate(part, failure);
  }

  /**
   * One event may be to blame for it all, so each half gets another attempt; not if the sink does
   * not answer, or took nothing for long: then it is the sink.
   */
  private boolean triedEnough(Part part, Throwable failure) {
    boolean sink = failure == timeout || failuresInBatch > options.getMaxAttempts() + MOST_HALVINGS;
    return sink ? condemn(part, failure) : isolate(part, failure);
  }

  private boolean isolate(Part part, Throwable failure) {
    int count = part.size();
    if (count == 1) {
      return condemn(part, failure);
    }
    parts.remove();
    parts.addFirst(part.slice(count / 2, count));
    parts.addFirst(part.slice(0, count / 2));
    return true;
  }

  /** Sends the first part to the dead letters. */
  private boolean condemn(Part part, Throwable verdict) {
    if (!verdictLogged) { // once a batch: the dead letters tell of each
      verdictLogged = true;
      LOG.error(
          "shard {}: sink {} refuses events for good, {} at first: {}",
          shard.id(),
          sink.name(),
          part.size(),
          String.valueOf(verdict.getMessage()));
    }
    part.verdict = verdict;
    part.verdictTime = ChronoUnit.NANOS.between(Instant.EPOCH, Instant.now());
    part.failures = 0;
    return true;
  }

  private void settle(Part part, @Nullable Throwable failure) {
    DrainBuffer current = batch;
    if (current == null) {
      throw new IllegalStateException("no batch");
    }
    int count = part.size();
    shard.settle(failure == null ? count : 0, failure == null ? 0 : count);
    if (failure == null && count > 0) {
      List<ShardEvent> events = current.events();
      observer.confirmed(
          events.get(part.index(0)).timestamp(), events.get(part.index(count - 1)).timestamp());
    }
    current.acknowledge(
        part.indexes,
        part.from,
        part.to,
        failure == null ? null : DeliveryAck.Failure.DEAD_LETTERED);
  }

  /**
   * Doubles with each failure; up to a half is taken off at random, so that shards do not knock in
   * step.
   */
  private Duration backoff(int failures) {
    long most = options.getMaxBackoff().toNanos();
    long full = options.getInitialBackoff().toNanos();
    for (int i = 1; i < failures && full < most; i++) {
      full *= 2;
    }
    full = Math.min(full, most);
    return Duration.ofNanos(full - ThreadLocalRandom.current().nextLong(full / 2 + 1));
  }

  private void cancelTimer() {
    ShardLoop here = loop;
    if (timer >= 0 && here != null) {
      here.cancelTimer(timer);
    }
    timer = -1;
  }
}
