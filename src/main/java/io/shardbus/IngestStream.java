package io.shardbus;

import io.shardbus.delivery.WaitingRoom;
import io.shardbus.event.IngestResult;
import io.shardbus.event.NotDeliveredException;
import io.shardbus.event.RawEvent;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Promise;
import io.vertx.core.streams.WriteStream;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * A stream into the bus. It is full while too many of its events, or too many bytes of them, wait
 * for room. If the producer ignores {@code writeQueueFull()}, the stream holds at most twice its
 * limit and refuses the rest. Handlers, also those of its futures, run on the context on which the
 * stream was made.
 */
final class IngestStream implements WriteStream<RawEvent> {

  private static final int DEFAULT_MAX_SIZE = 1024;

  private final WaitingRoom waitingRoom;
  private final Context context;
  private final Promise<Void> empty = Promise.promise();
  private final LongSupplier maxBytes;
  private int waiting;
  private long waitingBytes;
  private int maxSize = DEFAULT_MAX_SIZE;
  private @Nullable Handler<Void> drainHandler;
  private volatile @Nullable Handler<Throwable> exceptionHandler;
  private boolean ended;

  /**
   * @param maxBytes how much may wait so that one event more is not refused for that
   */
  IngestStream(WaitingRoom waitingRoom, LongSupplier maxBytes, Context context) {
    this.waitingRoom = waitingRoom;
    this.maxBytes = maxBytes;
    this.context = context;
  }

  @Override
  public Future<Void> write(RawEvent event) {
    int bytes = event.totalSize(); // before anything is counted: it may be null
    Promise<Void> written = Promise.promise();
    Consumer<IngestResult> then = result -> settled(event, result, written);
    boolean mayWait;
    synchronized (this) {
      if (ended) {
        return Future.failedFuture(new IllegalStateException("the stream has ended"));
      }
      mayWait = waiting < 2L * maxSize && waitingBytes <= 2 * maxBytes.getAsLong();
      waiting++;
      waitingBytes += bytes;
    }
    try {
      if (mayWait) {
        waitingRoom.ingestOfStream(event, null, then);
      } else {
        waitingRoom.ingestWithin(event, 0, null, then);
      }
    } catch (Throwable e) { // memory may be missing
      if (written.tryFail(e)) {
        left(event);
      }
    }
    return OnCaller.answer(context, written.future());
  }

  private void settled(RawEvent event, IngestResult result, Promise<Void> written) {
    boolean first; // else the write has failed already, for lack of memory
    if (result.accepted()) {
      first = written.tryComplete();
    } else {
      first = fail(result, written);
    }
    if (first) {
      left(event);
    }
  }

  private boolean fail(IngestResult result, Promise<Void> written) {
    boolean first = false;
    try {
      NotDeliveredException failure = new NotDeliveredException(result);
      Handler<Throwable> handler = exceptionHandler;
      first = written.tryFail(failure);
      if (first && handler != null) {
        context.runOnContext(now -> handler.handle(failure));
      }
    } catch (Throwable e) { // memory may be missing
      first |= written.tryFail(e);
    }
    return first;
  }

  private synchronized void left(RawEvent event) {
    waiting--;
    waitingBytes -= event.totalSize();
    if (ended && waiting == 0) {
      empty.tryComplete();
    }
    callIfDrained();
  }

  private void callIfDrained() {
    Handler<Void> handler = drainHandler;
    if (handler != null && waiting <= maxSize / 2 && waitingBytes <= maxBytes.getAsLong() / 2) {
      drainHandler = null;
      context.runOnContext(handler);
    }
  }

  @Override
  public synchronized Future<Void> end() {
    ended = true;
    if (waiting == 0) {
      empty.tryComplete();
    }
    return OnCaller.answer(context, empty.future());
  }

  @Override
  public synchronized WriteStream<RawEvent> setWriteQueueMaxSize(int size) {
    if (size < 1) {
      throw new IllegalArgumentException("write queue size: " + size + " must be at least 1");
    }
    maxSize = size;
    return this;
  }

  @Override
  public synchronized boolean writeQueueFull() {
    return waiting >= maxSize || waitingBytes > maxBytes.getAsLong();
  }

  /** If the stream fell below the mark before the handler was set, the handler is called too. */
  @Override
  public synchronized WriteStream<RawEvent> drainHandler(@Nullable Handler<Void> handler) {
    drainHandler = handler;
    callIfDrained();
    return this;
  }

  @Override
  public WriteStream<RawEvent> exceptionHandler(@Nullable Handler<Throwable> handler) {
    exceptionHandler = handler;
    return this;
  }
}
