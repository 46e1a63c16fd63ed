package io.shardbus.sink.kafka;

import io.shardbus.event.Batch;
import io.shardbus.sink.SinkException;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.BitSet;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Function;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.errors.RecordBatchTooLargeException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.jspecify.annotations.Nullable;

/**
 * Gathers the answers to the records of a batch. Safe for any thread. Its failures have no cause
 * from Kafka, because that may quote secrets.
 */
final class RecordAnswers {

  /** The answer that is no failure. */
  private static final Object STORED = new Object();

  private final Batch batch;
  private final AtomicReferenceArray<@Nullable Object> answers;

  /** The first in time that the event is not to blame for; others may fail because of it. */
  private final AtomicReference<@Nullable Throwable> firstPassing = new AtomicReference<>();

  private final AtomicInteger open;
  private final Function<Throwable, String> describe;
  private final Promise<Void> promise = Promise.promise();

  /**
   * @param batch what the records are of
   * @param describe puts a failure into words
   */
  RecordAnswers(Batch batch, Function<Throwable, String> describe) {
    this.batch = batch;
    answers = new AtomicReferenceArray<>(batch.size());
    open = new AtomicInteger(batch.size());
    this.describe = describe;
  }

  /** Whether the event itself is to blame, so that it will never be taken. */
  static boolean isOfTheEvent(Throwable failure) {
    return failure instanceof RecordTooLargeException
        || (failure instanceof InvalidRecordException && !RecordTimes.isRefusal(failure));
  }

  Future<Void> future() {
    return promise.future();
  }

  int bytes(int index) {
    return batch.events().get(index).size();
  }

  /** Only the first answer to a record counts. */
  void settle(int index, @Nullable Throwable failure) {
    if (!answers.compareAndSet(index, null, failure == null ? STORED : failure)) {
      return;
    }
    if (failure != null && !isOfTheEvent(failure)) {
      firstPassing.compareAndSet(null, failure);
    }
    if (open.decrementAndGet() == 0) {
      SinkException summary = summary();
      if (summary == null) {
        promise.complete();
      } else {
        promise.fail(summary);
      }
    }
  }

  void settleAll(Throwable failure) {
    for (int i = 0; i < answers.length(); i++) {
      settle(i, failure);
    }
  }

  private @Nullable SinkException summary() {
    BitSet failed = new BitSet();
    Throwable blamed = null;
    Throwable passing = firstPassing.get();
    Throwable takesOthersAlong = null;
    for (int i = 0; i < answers.length(); i++) {
      if (answers.get(i) instanceof Throwable failure) {
        failed.set(i);
        if (isOfTheEvent(failure)) {
          blamed = failure;
        }
        if (takesOthersAlong(failure)) {
          takesOthersAlong = failure;
        }
      }
    }
    if (passing == null) {
      return blamed == null ? null : SinkException.partial(batch, failed, permanent(blamed));
    }
    if (takesOthersAlong != null) {
      // If a batch is refused for good, the bus halves it until the events to blame stand alone.
      return permanent(takesOthersAlong);
    }
    // Confirmed events must not be written again. An event that is too large is refused again next
    // time.
    SinkException cause = SinkException.transientFailure(describe.apply(passing));
    return failed.cardinality() == answers.length()
        ? cause
        : SinkException.partial(batch, failed, cause);
  }

  /** Whether Kafka also refuses the other events of the request, although they are good. */
  private static boolean takesOthersAlong(Throwable failure) {
    return failure instanceof RecordBatchTooLargeException
        || (isOfTheEvent(failure) && !(failure instanceof RecordTooLargeException));
  }

  private SinkException permanent(Throwable failure) {
    return SinkException.permanentFailure(describe.apply(failure));
  }
}
