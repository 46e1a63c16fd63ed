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
import io.shardbus.sink.DeliveryObserver;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkException;
import io.shardbus.sink.SinkHealth;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/*
 * Gets one batch at a time into the sink, whatever it takes: writes its parts one after the other, one write in flight.
 * `BatchParts` says what comes next after each answer.
 *
 * Ownership: all methods run on the loop of the shard, but the object outlives the loop. When a verticle stops, the
 * delivery is suspended with its undelivered events, and another verticle resumes it. It belongs to `loop` until no write
 * of that loop is under way; what comes on another loop does nothing.
 *
 * Why it is safe: a sink may throw, return null, or answer twice, late or on any thread; each counts as one answer to
 * one attempt. If anything else throws, for example for lack of memory, the batch is in one of three states: an attempt
 * is under way; a timer is set; or neither, and then `rescue` brings a turn that goes on. Vert.x may lose a timer for lack
 * of memory: a turn finds that by the clock. `attempt = null` is the first
 * change of each step of `BatchParts`, which has made its objects before. Events are settled once, because their part
 * leaves the queue in the same step.
 */
final class Delivery implements Attempt.Listener, BatchParts.Listener {

  private static final Logger LOG = LoggerFactory.getLogger(Delivery.class);

  /**
   * A loop looks at its sockets and timers only when it has no task left, or has run tasks for a
   * second (Netty's {@code io.netty.eventLoop.maxTaskProcessingQuantumMs}). A sink that answers at
   * once, with producers that never stop, would keep the loop from them. So it pauses after this
   * time.
   */
  private static final long MOST_RESTLESS_NANOS = 20_000_000;

  /** A timer that is later than this was lost: Vert.x had no memory to run it. */
  private static final long MOST_LATE_NANOS = 1_000_000_000;

  private final Shard shard;
  private final Sink sink;
  private final String sinkName;
  private final DeadLetterSink deadLetters;
  private final ProducerId producer;
  private final RetryOptions options;
  private final DeliveryObserver observer;
  private final Runnable onSettled;
  private final Rescue.Call rescue;

  /** Null while it is suspended. */
  private volatile @Nullable ShardLoop loop;

  private @Nullable DrainBuffer batch;

  private final BatchParts parts;

  /** The write under way; null if there is none. */
  private @Nullable Attempt attempt;

  /** The failure of a write that is not answered in time. */
  private final SinkException timeout;

  /** Of the attempt under way, or of the pause before the next one; -1 if none is set. */
  private long timer = -1;

  /** When the timer is to fire. */
  private long timerDue;

  /** Since when every write was answered at once and followed by the next. */
  private long restlessSince;

  private boolean restless;
  private @Nullable Promise<Void> suspended;

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
    parts = new BatchParts(shard.id(), sinkName, options, observer, timeout, this);
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
    return parts.health();
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
    BatchPart head = parts.head();
    return current.firstSequence() + (head == null ? 0 : head.index(0));
  }

  /** Takes a batch over; {@link #write} is to follow. If it throws, the batch is the caller's. */
  void take(DrainBuffer next) {
    parts.begin(next.size());
    batch = next;
  }

  /** Goes on, on another loop, where {@link #suspend} stopped. */
  void resume(ShardLoop on) {
    loop = on;
    suspended = null;
    timer = -1; // whatever it was, it ended with the verticle before
    goOn(on);
  }

  /** Goes on after an interruption by an Error or by the end of a verticle. */
  void goOn(ShardLoop here) {
    if (loop != here) {
      return; // another verticle has resumed it meanwhile
    }
    Attempt underWay = attempt;
    if (underWay != null) {
      if (underWay.isAnswered()) {
        answered(underWay);
      } else if (timerIsLost(here)) {
        underWay.timeOut(timeout);
      }
    } else if (suspended != null) {
      leaveLoop();
    } else if (timer < 0 || timerIsLost(here)) {
      cancelTimer();
      write();
    }
  }

  private boolean timerIsLost(ShardLoop here) {
    return timer >= 0 && here.nanoTime() - timerDue > MOST_LATE_NANOS;
  }

  private void setTimer(ShardLoop here, Duration delay, Runnable task) {
    timerDue = here.nanoTime() + delay.toNanos();
    timer = here.setTimer(delay, task);
  }

  /** Starts no further attempt. Completes when the one under way is answered. */
  Future<Void> suspend() {
    Promise<Void> promise = Promise.promise();
    suspended = promise;
    if (attempt == null) {
      cancelTimer();
      leaveLoop();
    }
    return promise.future();
  }

  private void leaveLoop() {
    Promise<Void> waiting = suspended;
    loop = null;
    if (waiting != null) {
      waiting.tryComplete();
    }
  }

  /** Gives up the undelivered events, and ignores later answers. */
  void abandon() {
    attempt = null;
    cancelTimer();
    DrainBuffer current = batch;
    batch = null;
    if (current != null) {
      parts.drop(part -> current.acknowledge(part.indexes, part.from, part.to, Outcome.UNKNOWN));
    }
    leaveLoop();
  }

  /** Notes an exception that is not an answer of a sink. For any thread; does not throw. */
  @Override
  public void rescue(Throwable cause) {
    SafeLog.error(LOG, "a shard could not go on; it tries again", cause);
    rescue.ask();
  }

  /** Writes the next part, or ends the batch if there is none. */
  void write() {
    DrainBuffer current = batch;
    ShardLoop here = loop;
    if (current == null || here == null) {
      return;
    }
    BatchPart part = parts.head();
    if (part == null) {
      batch = null;
      onSettled.run();
      return;
    }
    List<ShardEvent> events;
    Attempt mine;
    try {
      events = events(current, part);
      mine = new Attempt(this, here);
      setTimer(here, options.getTimeout(), () -> mine.timeOut(timeout));
      parts.attempted(part);
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
    String cause = BatchParts.describe(verdict);
    return events.stream()
        .map(event -> new DeadLetter(producer, event, cause, part.attempts, part.verdictTime))
        .toList();
  }

  /** On the loop. Does not throw. */
  @Override
  public void answered(Attempt which) {
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
    BatchPart part = Objects.requireNonNull(parts.head());
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
    boolean goOn = failure == null ? parts.taken(part) : parts.failed(part, failure);
    boolean stays = suspended == null;
    if (parts.isEmpty() || (stays && goOn)) {
      write();
    } else if (stays) {
      setTimer(here, parts.backoff(), this::pauseIsOver);
    }
    if (!stays) {
      leaveLoop();
    }
  }

  private void pauseIsOver() {
    timer = -1;
    write();
  }

  @Override
  public void forgetAttempt() {
    attempt = null;
  }

  /** Does not throw: the part has left the queue. */
  @Override
  public void settle(BatchPart part, @Nullable Throwable failure) {
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
          shard.id(),
          whole ? current.oldestIngested() : current.timestamp(part.index(0)),
          current.timestamp(part.index(count - 1)));
    }
  }

  private void cancelTimer() {
    ShardLoop here = loop;
    if (timer >= 0 && here != null) {
      here.cancelTimer(timer);
    }
    timer = -1;
  }
}
