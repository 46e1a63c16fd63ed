package io.shardbus.sink.jetstream;

import io.shardbus.event.Batch;
import io.shardbus.sink.SinkException;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/*
 * Ownership: the sink's thread and the client's report answers, and that one is missing. The monitor guards all fields.
 * Once `ended` is set, the call that set it may read them without.
 *
 * Ordering: the one call that sets `ended` completes the promise, after it has released the monitor: listeners run
 * there, and may write the next batch.
 *
 * Why it is safe: `ended` is set once, so the promise is completed once, and later answers are ignored. It is set only
 * when all events were answered, or when the rest is given up; `refuse` counts what was confirmed in the same step.
 */
/**
 * The answers to the events of one batch. It ends when all were answered, or with the first
 * failure. Safe for any thread.
 */
final class Publication {

  private final Batch batch;
  private final Promise<Void> promise = Promise.promise();
  private final BitSet confirmed = new BitSet();
  private final BitSet tooLarge = new BitSet();
  private @Nullable Link link;
  private boolean ended;

  Publication(Batch batch) {
    this.batch = batch;
  }

  Future<Void> future() {
    return promise.future();
  }

  synchronized void goesOver(Link over) {
    link = over;
  }

  synchronized boolean hasEnded() {
    return ended;
  }

  void confirm(int index) {
    synchronized (this) {
      confirmed.set(index);
    }
    endIfAnswered();
  }

  /** An event that the server never takes; the others do not wait for it. */
  void refuseTooLarge(int index) {
    synchronized (this) {
      tooLarge.set(index);
    }
    endIfAnswered();
  }

  private void endIfAnswered() {
    synchronized (this) {
      if (ended || confirmed.cardinality() + tooLarge.cardinality() < batch.size()) {
        return;
      }
      ended = true;
    }
    if (tooLarge.isEmpty()) {
      promise.complete();
      return;
    }
    SinkException cause = SinkException.permanentFailure("larger than the server takes");
    promise.fail(confirmed.isEmpty() ? cause : SinkException.partial(batch, tooLarge, cause));
  }

  /** Ends it because an answer is missing. The retry must not use the same connection. */
  void fail(SinkException cause) {
    Link over;
    synchronized (this) {
      over = ended ? null : link;
    }
    if (over != null) {
      over.doubt();
    }
    refuse(cause);
  }

  /** Ends it because the server refused: all unconfirmed events have failed. */
  void refuse(SinkException cause) {
    BitSet failed = new BitSet();
    synchronized (this) {
      if (ended) {
        return;
      }
      ended = true;
      failed.set(0, batch.size());
      failed.andNot(confirmed);
    }
    promise.fail(
        failed.cardinality() == batch.size() ? cause : SinkException.partial(batch, failed, cause));
  }
}
