package io.shardbus.sink.support;

import io.shardbus.sink.SinkException;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.Objects;
import java.util.function.Supplier;

/** Counts the operations under way, so that a sink can end after them. Safe for any thread. */
public final class InFlight {

  private final Promise<Void> drained = Promise.promise();
  private int count;
  private boolean closed;

  /** Nothing under way. */
  public InFlight() {}

  /**
   * Starts an operation, unless {@link #close} was called.
   *
   * @param operation starts it
   * @param <T> what it gives
   * @return the operation's own future, or a transient failure
   */
  public <T> Future<T> run(Supplier<Future<T>> operation) {
    synchronized (this) {
      if (closed) {
        return Future.failedFuture(SinkException.transientFailure("the sink is closed"));
      }
      count++;
    }
    Future<T> future;
    try {
      future = Objects.requireNonNull(operation.get(), "the operation returned no future");
    } catch (Throwable e) { // also an Error: closing waits for the end
      future = Future.failedFuture(e);
    }
    return future.onComplete(done -> left());
  }

  private void left() {
    boolean last;
    synchronized (this) {
      count--;
      last = closed && count == 0;
    }
    if (last) {
      drained.tryComplete();
    }
  }

  /**
   * Lets no new operation begin.
   *
   * @return completes when nothing is under way
   */
  public Future<Void> close() {
    boolean idle;
    synchronized (this) {
      closed = true;
      idle = count == 0;
    }
    if (idle) {
      drained.tryComplete();
    }
    return drained.future();
  }
}
