package io.shardbus.delivery;

import io.shardbus.event.Batch;
import io.shardbus.event.Outcome;
import io.shardbus.event.ProducerId;
import io.shardbus.event.ShardEvent;
import io.shardbus.shard.DrainBuffer;
import io.shardbus.shard.SafeLog;
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
 * A batch is a queue of parts, written one after the other, one write in flight. At first there is one part. If a part
 * fails for a passing reason, it is tried again. If it fails partly, only the failed events are. If the sink refuses a
 * part for good, or all its attempts have failed, the part is halved until the events to blame stand alone. These go to
 * the dead letters, in a write like any other: it is tried until it succeeds. So events are delivered in the order of
 * the batch, and a bad event takes no other with it.
 *
 * Trying again is a circuit breaker: after some failures in a row the circuit is open, and after each pause one attempt
 * is a probe.
 *
 * Ownership: all methods run on the loop of the shard, but the object outlives the loop. When a verticle stops, the
 * delivery is suspended with its undelivered events, and another verticle resumes it.
 *
 * Why it is safe: a sink may throw, return null, or answer twice, late or on any thread; each counts as one answer to
 * one attempt. If anything else throws, for example for lack of memory, the batch is in one of three states: an attempt
 * is under way; a timer is set; or neither, and then `rescue` brings a turn that goes on. So each step first makes its
 * objects and then only changes fields; `attempt = null` is the first change. Events are settled once, because their
 * part leaves the queue in the same step.
 */
final class Delivery {

  private static final Logger LOG = LoggerFactory.getLogger(Delivery.class);

  /**
   * The failures in a row that a search for one event to blame may take: more than the steps from
   * the largest batch, 2^20 events, to one event.
   */
  private static final int MOST_HALVINGS = 24;

  /** More than halving the largest batch leaves at once, so that the queue of parts never grows. */
  private static final int MOST_PARTS = 64;

  /**
   * A loop looks at its sockets and timers only when it has no task left, or has run tasks for a
   * second (Netty's {@code io.netty.eventLoop.maxTaskProcessingQuantumMs}). A sink that answers at
   * once, with producers that never stop, would keep the loop from them. So it pauses after this
   * time.
   */
  private static final long MOST_RESTLESS_NANOS = 20_000_000;

  private final Shard shard;
  private final Sink sink;
  private final String sinkName;
  private final DeadLetterSink deadLetters;
  private final ProducerId producer;
  private final RetryOptions options;
  private final DeliveryObserver observer;
  private final Runnable onSettled;
  private final Rescue.Call rescue;

  private volatile @Nullable ShardLoop loop;
  private @Nullable DrainBuffer batch;

  /** The indexes of all events of a batch: the same for each. */
  private int[] ascending = {};

  private final Deque<BatchPart> parts = new ArrayDeque<>(MOST_PARTS);

  /** The write under way; null if there is none. */
  private @Nullable Attempt attempt;

  /** The failure of a write that is not answered in time. */
  private final SinkException timeout;

  /** Attempts that failed since the sink took anything of this batch. */
  private int failuresInBatch;

  private boolean verdictLogged;

  /** Of the attempt under way, or of the pause before the next one; -1 if none is set. */
  private long timer = -1;

  /** Since when every write was answered at once and followed by the next. */
  private long restlessSince;

  private boolean restless;
  private @Nullable Promise<Void> suspended;
  private volatile SinkHealth health = SinkHealth.GOOD;

  /**
   * @param onSettled called on the loop when a batch has ended
   * @param rescue brings a turn of the loop, which calls {@link #goOn}
   */
  Delivery(
      Shard shard,
      Sink sink,
      DeadLetterSink deadLetters,
      ProducerId producer,
      RetryOptions options,
      DeliveryObserver observer,
      Runnable onSettled,
      Rescue.Call rescue) {
    this.shard = shard;
    this.sink = sink;
    this.sinkName = nameOf(sink);
    this.deadLetters = deadLetters;
    this.producer = producer;
    this.options = options;
    this.observer = observer;
    this.onSettled = onSettled;
    this.rescue = rescue;
    timeout =
        SinkException.transientFailure(
            "no answer within " + options.getTimeout().toMillis() + " ms");
  }

  private static String nameOf(Sink sink) {
    try {
      return String.valueOf(sink.name());
    } catch (Throwable e) {
      return sink.getClass().getName();
    }
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
    BatchPart head = parts.peek();
    return current.firstSequence() + (head == null ? 0 : head.index(0));
  }

  /** Takes a batch over; {@link #write} is to follow. If it throws, the batch is the caller's. */
  void take(DrainBuffer next) {
    BatchPart whole = new BatchPart(all(next.size()), 0, next.size(), 0);
    parts.add(whole);
    batch = next;
    verdictLogged = false;
    failuresInBatch = 0;
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
    timer = -1; // whatever it was, it ended with the verticle before
    goOn();
  }

  /** Goes on after an interruption by an Error or by the end of a verticle. */
  void goOn() {
    Attempt underWay = attempt;
    if (underWay != null) {
      if (underWay.isAnswered()) {
        answered(underWay);
      }
    } else if (timer < 0) {
      write();
    }
  }

  /** Starts no further attempt. Completes when the one under way is answered. */
  Future<Void> suspend() {
    Promise<Void> promise = Promise.promise();
    suspended = promise;
    if (attempt != null) {
      return promise.future();
    }
    cancelTimer();
    promise.complete();
    return promise.future();
  }

  /** Gives up the undelivered events, and ignores later answers. */
  void abandon() {
    attempt = null;
    cancelTimer();
    DrainBuffer current = batch;
    batch = null;
    if (current != null) {
      for (BatchPart part : parts) {
        current.acknowledge(part.indexes, part.from, part.to, Outcome.UNKNOWN);
      }
      parts.clear();
    }
    Promise<Void> waiting = suspended;
    if (waiting != null) {
      waiting.tryComplete();
    }
  }

  /** Notes an exception that is not an answer of a sink. For any thread; does not throw. */
  void rescue(Throwable cause) {
    SafeLog.error(LOG, "a shard could not go on; it tries again", cause);
    rescue.ask();
  }

  /** Writes the next part, if there is one and no verticle is about to stop. Does not throw. */
  void write() {
    DrainBuffer current = batch;
    ShardLoop here = loop;
    BatchPart part = parts.peek();
    if (current == null || here == null || part == null || suspended != null) {
      return;
    }
    List<ShardEvent> events;
    Attempt mine;
    try {
      events = events(current, part);
      mine = new Attempt(this, here);
      timer = here.setTimer(options.getTimeout(), () -> mine.timeOut(timeout));
      if (part.verdict == null) {
        health = health.attempt(options.getBreakerFailures());
      }
    } catch (Throwable e) {
      cancelTimer();
      rescue(e);
      return;
    }
    attempt = mine;
    try {
      Future<Void> answer =
          part.verdict == null
              ? sink.write(new Batch(shard.id(), events.get(0).sequence(), events, producer))
              : deadLetters.add(letters(events, part, part.verdict));
      if (answer == null) {
        throw new NullPointerException(destination(part) + " returned null in place of a future");
      }
      if (tooRestless(answer.isComplete(), mine.startedNanos())) {
        mine.pauseBeforeAnswer();
      }
      answer.onComplete(mine);
    } catch (Throwable e) {
      mine.answer(e);
    }
  }

  private String destination(BatchPart part) {
    return part.verdict == null ? "sink " + sinkName : "the dead-letter sink";
  }

  private boolean tooRestless(boolean answeredAtOnce, long startedNanos) {
    if (answeredAtOnce && !restless) {
      restlessSince = startedNanos;
    }
    boolean tooLong = answeredAtOnce && startedNanos - restlessSince >= MOST_RESTLESS_NANOS;
    restless = answeredAtOnce && !tooLong;
    return tooLong;
  }

  /** There was nothing to do for the loop. */
  void rested() {
    restless = false;
  }

  private static List<ShardEvent> events(DrainBuffer batch, BatchPart part) {
    if (part.size() == batch.size()) {
      return batch.events();
    }
    List<ShardEvent> some = new ArrayList<>(part.size());
    for (int i = 0; i < part.size(); i++) {
      some.add(batch.events().get(part.index(i)));
    }
    return some;
  }

  private List<DeadLetter> letters(List<ShardEvent> events, BatchPart part, Throwable verdict) {
    String cause = SinkHealth.describe(verdict);
    return events.stream()
        .map(event -> new DeadLetter(producer, event, cause, part.attempts, part.verdictTime))
        .toList();
  }

  /** On the loop. Does not throw. */
  void answered(Attempt which) {
    if (which == attempt && which.loop() == loop) { // else it was given up meanwhile
      try {
        handle(which);
      } catch (Throwable e) {
        rescue(e);
      }
    }
  }

  private void handle(Attempt answered) {
    ShardLoop here = answered.loop();
    BatchPart part = parts.element();
    Throwable failure = answered.failure();
    cancelTimer();
    if (part.verdict == null && !answered.noted) {
      answered.noted = true;
      part.attempts++;
      long nanos = here.nanoTime() - answered.startedNanos();
      if (failure == null) {
        shard.recordFlush(nanos);
      }
      observer.answered(nanos, failure == null);
    }
    boolean goOn = failure == null ? taken(part) : failed(part, failure);
    Promise<Void> waiting = suspended;
    if (parts.isEmpty()) {
      batch = null;
      onSettled.run();
    } else if (waiting == null) {
      if (goOn) {
        write();
      } else {
        timer = here.setTimer(backoff(parts.element().failures), this::pauseIsOver);
      }
    }
    if (waiting != null) {
      waiting.tryComplete();
    }
  }

  private void pauseIsOver() {
    timer = -1;
    write();
  }

  /** Whether to go on at once. */
  private boolean taken(BatchPart part) {
    attempt = null;
    parts.remove();
    settle(part, part.verdict);
    if (part.verdict == null) {
      health = SinkHealth.GOOD;
      failuresInBatch = 0;
    }
    return true;
  }

  private boolean failed(BatchPart part, Throwable failure) {
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

  private boolean failedPartly(BatchPart part, SinkException failure) {
    BitSet failed = failure.failed();
    if (failed.length() > part.size()) {
      return tryAgain(part, failure); // it names events that do not exist: ignore it
    }
    BitSet good = new BitSet();
    good.set(0, part.size());
    good.andNot(failed);
    BatchPart took = part.only(good);
    BatchPart rest = part.only(failed);
    rest.failures = part.failures;
    attempt = null;
    parts.remove();
    parts.addFirst(rest);
    settle(took, null);
    if (took.size() > 0) {
      failuresInBatch = 0;
    }
    Throwable cause = failure.getCause();
    if (failure.isForGood() && cause != null) {
      health = SinkHealth.GOOD; // it did answer
      return condemn(rest, cause);
    }
    return tryAgain(rest, failure);
  }

  private boolean tryAgain(BatchPart part, Throwable failure) {
    SinkHealth worse = health.failed(options.getBreakerFailures(), failure);
    attempt = null;
    part.failures++;
    if (part.verdict == null) {
      health = worse;
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
          destination(part),
          part.size(),
          part.failures,
          SinkHealth.describe(failure));
    }
    return false;
  }

  private boolean refused(BatchPart part, Throwable failure) {
    boolean goOn = isolate(part, failure);
    health = SinkHealth.GOOD; // it did answer
    return goOn;
  }

  /**
   * One event may be to blame, so each half gets another attempt. If the sink does not answer, or
   * has taken nothing for long, the sink is to blame.
   */
  private boolean triedEnough(BatchPart part, Throwable failure) {
    boolean sink = failure == timeout || failuresInBatch > options.getMaxAttempts() + MOST_HALVINGS;
    return sink ? condemn(part, failure) : isolate(part, failure);
  }

  private boolean isolate(BatchPart part, Throwable failure) {
    int count = part.size();
    if (count == 1) {
      return condemn(part, failure);
    }
    BatchPart first = part.slice(0, count / 2);
    BatchPart second = part.slice(count / 2, count);
    attempt = null;
    parts.remove();
    parts.addFirst(second);
    parts.addFirst(first);
    return true;
  }

  /** Sends the first part to the dead letters. */
  private boolean condemn(BatchPart part, Throwable verdict) {
    long time = ChronoUnit.NANOS.between(Instant.EPOCH, Instant.now());
    attempt = null;
    part.verdict = verdict;
    part.verdictTime = time;
    part.failures = 0;
    if (!verdictLogged) { // once a batch: the dead letters tell of each
      verdictLogged = true;
      LOG.error(
          "shard {}: sink {} refuses events for good, {} at first: {}",
          shard.id(),
          sinkName,
          part.size(),
          SinkHealth.describe(verdict));
    }
    return true;
  }

  /** Does not throw: the part has left the queue. */
  private void settle(BatchPart part, @Nullable Throwable failure) {
    DrainBuffer current = batch;
    if (current == null) {
      throw new IllegalStateException("no batch");
    }
    int count = part.size();
    shard.settle(failure == null ? count : 0, failure == null ? 0 : count);
    current.acknowledge(
        part.indexes, part.from, part.to, failure == null ? null : Outcome.DEAD_LETTERED);
    if (failure == null && count > 0) {
      boolean whole = count == current.size();
      observer.confirmed(
          whole ? current.oldestIngested() : current.timestamp(part.index(0)),
          current.timestamp(part.index(count - 1)));
    }
  }

  /**
   * Doubles with each failure, less up to a half at random, so that shards do not try at the same
   * moment.
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
