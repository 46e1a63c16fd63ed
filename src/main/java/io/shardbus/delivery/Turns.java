package io.shardbus.delivery;

import io.shardbus.shard.ScalingException;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/*
 * Ownership: the fields are guarded by the monitor. No code of others runs while it is held.
 *
 * Ordering: a request is in `waiting` before `begin` is asked for. `begin` takes one only if none is under way, and the
 * end of each asks for it again. So it may be asked for too often, and never too seldom.
 *
 * Why it is safe: each turn begins on a thread of its own, and the listener to its end is there before it begins. So
 * the end of a turn never runs on the stack of the one before, however many end at once.
 */
/** Requests that are carried out one at a time, in the order in which they came. */
final class Turns {

  private final Queue<Turn<?>> waiting = new ArrayDeque<>();

  /** Begins a turn if there was no memory or no stack to ask another thread for it. */
  private final Rescue.Call rescue = new Rescue.Call(this::begin);

  private @Nullable Turn<?> underWay;
  private Future<?> last = Future.succeededFuture();
  private boolean closed;

  /** All that it needs is made before it waits: memory may run out. */
  private final class Turn<T> {

    final Callable<Future<T>> request;
    final Promise<T> end = Promise.promise();
    final Promise<T> answer = Promise.promise();

    Turn(Callable<Future<T>> request) {
      this.request = request;
      end.future()
          .onComplete(
              result -> {
                ended();
                if (result.succeeded()) {
                  answer.tryComplete(result.result());
                } else {
                  answer.tryFail(result.cause());
                }
              });
    }

    void run() {
      NoContext.begin(request, end);
    }
  }

  /**
   * Carries out a request once it is its turn.
   *
   * @param request begins it, on a thread without a context; must not block
   * @return its result, on any thread; fails if this is closed before the request begins
   */
  <T> Future<T> take(Callable<Future<T>> request) {
    Turn<T> turn = new Turn<>(request);
    synchronized (this) {
      if (closed) {
        return Future.failedFuture(refusal("the bus is closing"));
      }
      waiting.add(turn);
      last = turn.answer.future();
    }
    beginNext();
    return turn.answer.future();
  }

  /** The result of the request that came last. */
  synchronized Future<?> last() {
    return last;
  }

  private void beginNext() {
    try {
      NoContext.THREADS.execute(this::begin);
    } catch (Throwable e) {
      rescue.ask();
    }
  }

  private void begin() {
    Turn<?> next;
    synchronized (this) {
      if (underWay != null) {
        return;
      }
      next = waiting.poll();
      underWay = next;
    }
    if (next != null) {
      next.run();
    }
  }

  private void ended() {
    synchronized (this) {
      underWay = null;
      if (waiting.isEmpty()) {
        return;
      }
    }
    beginNext();
  }

  /**
   * Refuses the requests that wait, and later ones.
   *
   * @return completes when the current request has ended
   */
  Future<Void> close() {
    Future<?> current;
    List<Turn<?>> refused;
    synchronized (this) {
      closed = true;
      current = underWay == null ? Future.succeededFuture() : underWay.answer.future();
      refused = new ArrayList<>(waiting);
      waiting.clear();
    }
    refused.forEach(turn -> turn.answer.tryFail(refusal("the bus is closing")));
    return current.<Void>mapEmpty().otherwiseEmpty();
  }

  /** Fails the request that is under way: nothing waits for its end any more. */
  void end() {
    Turn<?> current;
    synchronized (this) {
      current = underWay;
    }
    if (current != null) {
      current.answer.tryFail(refusal("the bus is closed"));
    }
  }

  private static ScalingException refusal(String why) {
    return new ScalingException(ScalingException.Reason.ILLEGAL_STATE, why);
  }
}
