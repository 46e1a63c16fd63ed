package io.shardbus.delivery;

import io.shardbus.options.Counted;
import io.shardbus.sink.DeliveryObserver;
import io.shardbus.sink.SinkException;
import io.shardbus.sink.SinkHealth;
import io.shardbus.sink.SinkHealth.Circuit;
import io.vertx.core.internal.logging.Logger;
import io.vertx.core.internal.logging.LoggerFactory;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayDeque;
import java.util.BitSet;
import java.util.Deque;
import java.util.concurrent.ThreadLocalRandom;
import java.util.function.Consumer;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/*
 * The parts of a batch that are not settled, in the order in which they are written, and what becomes of a part after
 * each attempt. No I/O: `Delivery` writes the head.
 *
 * At first there is one part. If a part fails for a passing reason, it is tried again. If it fails partly, only the
 * failed events are. If the sink refuses a part for good, or all its attempts have failed, the part is halved until the
 * events to blame stand alone. These go to the dead letters, in a write like any other: it is tried until it succeeds.
 * So events are delivered in the order of the batch, and a bad event takes no other with it.
 *
 * Trying again is a circuit breaker: after some failures in a row the circuit is open, and after each pause one attempt
 * is a probe.
 *
 * Ownership: as in `Delivery`, all belongs to the loop of the shard; any thread reads `health`.
 *
 * Why it is safe: a step may throw for lack of memory. So it first makes its objects, then calls `forgetAttempt`, and
 * then only changes fields. If it throws before, nothing has changed, and it is done again.
 */
final class BatchParts {

  private static final Logger LOG = LoggerFactory.getLogger(BatchParts.class);

  /**
   * The failures in a row that a search for one event to blame may take: more than the steps from
   * the largest batch, 2^20 events, to one event.
   */
  private static final int MOST_HALVINGS = 24;

  /** More than halving the largest batch leaves at once, so that the queue of parts never grows. */
  private static final int MOST_PARTS = 64;

  private final int shard;
  private final String sinkName;
  private final RetryOptions options;
  private final DeliveryObserver observer;
  private final Throwable timeout;
  private final Listener listener;

  private final Deque<BatchPart> parts = new ArrayDeque<>(MOST_PARTS);

  /** The indexes of all events of a batch: the same for each. */
  private int[] ascending = {};

  /** Attempts that failed since the sink took anything of this batch. */
  private int failuresInBatch;

  private boolean verdictLogged;
  private volatile SinkHealth health = SinkHealth.GOOD;

  /** Told of each step. */
  interface Listener {

    /** The answer is being handled: the attempt is no longer under way. Does not throw. */
    void forgetAttempt();

    /**
     * A part is settled. Does not throw.
     *
     * @param verdict why its events are dead letters; null if they are delivered
     */
    void settle(BatchPart part, @Nullable Throwable verdict);
  }

  /**
   * @param timeout the failure of a write that was not answered in time
   */
  BatchParts(
      int shard,
      String sinkName,
      RetryOptions options,
      DeliveryObserver observer,
      Throwable timeout,
      Listener listener) {
    this.shard = shard;
    this.sinkName = sinkName;
    this.options = options;
    this.observer = observer;
    this.timeout = timeout;
    this.listener = listener;
  }

  /** For any thread. */
  SinkHealth health() {
    return health;
  }

  /** Begins with all events of a batch. If it throws, nothing has changed. */
  void begin(int events) {
    parts.add(new BatchPart(all(events), 0, events, 0));
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

  boolean isEmpty() {
    return parts.isEmpty();
  }

  /** The part to write next; null if there is none. */
  @Nullable BatchPart head() {
    return parts.peek();
  }

  /** Gives up all parts. */
  void drop(Consumer<BatchPart> each) {
    parts.forEach(each);
    parts.clear();
  }

  /** A part is about to be written. */
  void attempted(BatchPart part) {
    if (part.verdict == null) {
      SinkHealth now = health;
      health =
          now.failures() < options.getBreakerFailures()
              ? now
              : new SinkHealth(Circuit.HALF_OPEN, now.failures(), now.lastError());
    }
  }

  /** The sink, or the dead letters, took the first part. Whether to go on at once. */
  boolean taken(BatchPart part) {
    listener.forgetAttempt();
    parts.remove();
    listener.settle(part, part.verdict);
    if (part.verdict == null) {
      health = SinkHealth.GOOD;
      failuresInBatch = 0;
    }
    return true;
  }

  /** The first part was not taken. Whether to go on at once. */
  boolean failed(BatchPart part, Throwable failure) {
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
    listener.forgetAttempt();
    parts.remove();
    parts.addFirst(rest);
    listener.settle(took, null);
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
    SinkHealth worse = worse(failure);
    listener.forgetAttempt();
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
          "shard "
              + shard
              + ": "
              + (part.verdict == null ? "sink " + sinkName : "the dead-letter sink")
              + " did not take "
              + Counted.of(part.size(), "event")
              + ", attempt "
              + part.failures
              + ": "
              + describe(failure));
    }
    return false;
  }

  private SinkHealth worse(Throwable failure) {
    int failures = health.failures() + 1;
    Circuit circuit = failures < options.getBreakerFailures() ? Circuit.CLOSED : Circuit.OPEN;
    return new SinkHealth(circuit, failures, describe(failure));
  }

  /** The message of a failure, with its class if it is an Error or has no message. */
  static String describe(Throwable failure) {
    try {
      String message = failure.getMessage();
      return message == null || failure instanceof Error ? failure.toString() : message;
    } catch (Throwable e) { // code of the sink's
      return failure.getClass().getName();
    }
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
    listener.forgetAttempt();
    parts.remove();
    parts.addFirst(second);
    parts.addFirst(first);
    return true;
  }

  /** Sends the first part to the dead letters. */
  private boolean condemn(BatchPart part, Throwable verdict) {
    long time = ChronoUnit.NANOS.between(Instant.EPOCH, Instant.now());
    listener.forgetAttempt();
    part.verdict = verdict;
    part.verdictTime = time;
    part.failures = 0;
    if (!verdictLogged) { // once a batch: the dead letters tell of each
      verdictLogged = true;
      LOG.error(
          "shard "
              + shard
              + ": sink "
              + sinkName
              + " refuses events for good, "
              + part.size()
              + " so far: "
              + describe(verdict));
    }
    return true;
  }

  /**
   * The pause before the next attempt. Doubles with each failure, less up to a half at random, so
   * that shards do not try at the same moment.
   */
  Duration backoff() {
    int failures = parts.element().failures;
    long most = options.getMaxBackoff().toNanos();
    long full = options.getInitialBackoff().toNanos();
    for (int i = 1; i < failures && full < most; i++) {
      full *= 2;
    }
    full = Math.min(full, most);
    return Duration.ofNanos(full - ThreadLocalRandom.current().nextLong(full / 2 + 1));
  }
}
