package io.shardbus.testing;

import io.shardbus.event.Batch;
import io.shardbus.sink.Sink;
import io.shardbus.sink.SinkContext;
import io.vertx.core.Future;
import java.util.concurrent.Callable;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;

/** Records what it is given, opens and closes as a test says, and counts that. */
public final class HookedSink implements Sink {

  public final RecordingSink taken = new RecordingSink();
  public final AtomicInteger opened = new AtomicInteger();
  public final AtomicInteger closed = new AtomicInteger();
  public final AtomicReference<SinkContext> context = new AtomicReference<>();

  private volatile Callable<Future<Void>> onOpen = Future::succeededFuture;
  private volatile Callable<Future<Void>> onClose = Future::succeededFuture;

  public HookedSink onOpen(Callable<Future<Void>> action) {
    onOpen = action;
    return this;
  }

  public HookedSink onClose(Callable<Future<Void>> action) {
    onClose = action;
    return this;
  }

  @Override
  public String name() {
    return "hooked";
  }

  @Override
  public Future<Void> open(SinkContext lent) {
    context.set(lent);
    opened.incrementAndGet();
    return sneaky(onOpen);
  }

  @Override
  public Future<Void> write(Batch batch) {
    return taken.write(batch);
  }

  @Override
  public Future<Void> close() {
    closed.incrementAndGet();
    return sneaky(onClose);
  }

  private static Future<Void> sneaky(Callable<Future<Void>> action) {
    try {
      return action.call();
    } catch (Throwable e) {
      return throwAnything(e);
    }
  }

  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
  public static <T, E extends Throwable> T throwAnything(Throwable e) throws E {
    throw (E) e;
  }
}
