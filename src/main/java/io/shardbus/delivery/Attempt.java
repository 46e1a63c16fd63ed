package io.shardbus.delivery;

import io.vertx.core.Completable;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * One write of events to a sink, and its answer. The first answer counts, on whichever thread it
 * comes; later answers are ignored. It is stored here before the loop is told, so that it is not
 * lost if telling fails. {@link #answer} is for any thread, the rest for the loop.
 */
final class Attempt implements Runnable, Completable<Void> {

  private static final Object TAKEN = new Object();

  private static final Duration PAUSE = Duration.ofMillis(1);

  private final Listener listener;
  private final ShardLoop loop;
  private final long startedNanos;
  private final AtomicReference<@Nullable Object> answer = new AtomicReference<>();

  /** Whether the loop must pause before it handles the answer. */
  private boolean pause;

  /** Whether it is in the counts and meters. */
  boolean noted;

  interface Listener {

    /** The answer has come. On the loop. */
    void answered(Attempt which);

    /** The loop could not be told of the answer. For any thread. */
    void rescue(Throwable cause);
  }

  Attempt(Listener listener, ShardLoop loop) {
    this.listener = listener;
    this.loop = loop;
    this.startedNanos = loop.nanoTime();
  }

  ShardLoop loop() {
    return loop;
  }

  long startedNanos() {
    return startedNanos;
  }

  void pauseBeforeAnswer() {
    pause = true;
  }

  /** The sink's future calls this: handing it a listener makes no object. */
  @Override
  public void complete(@Nullable Void nothing, @Nullable Throwable failure) {
    answer(failure);
  }

  /**
   * @param failure why the events were not taken; null if they were
   */
  void answer(@Nullable Throwable failure) {
    if (!answer.compareAndSet(null, failure == null ? TAKEN : failure)) {
      return;
    }
    try {
      loop.execute(this);
    } catch (Throwable e) {
      listener.rescue(e);
    }
  }

  /** On the loop: the time is up, or the answer was lost on its way here. */
  void timeOut(Throwable timeout) {
    answer.compareAndSet(null, timeout);
    listener.answered(this);
  }

  boolean isAnswered() {
    return answer.get() != null;
  }

  /** Null if the events were taken; only once it is answered. */
  @Nullable Throwable failure() {
    return answer.get() instanceof Throwable failure ? failure : null;
  }

  /** Handles the answer, after the pause if one is due. */
  @Override
  public void run() {
    if (!pause) {
      listener.answered(this);
      return;
    }
    pause = false;
    try {
      loop.setTimer(PAUSE, this);
    } catch (Throwable e) {
      listener.rescue(e);
    }
  }
}
