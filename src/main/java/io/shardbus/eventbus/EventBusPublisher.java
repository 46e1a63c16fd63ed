package io.shardbus.eventbus;

import io.shardbus.delivery.CloseHook;
import io.shardbus.event.NotDeliveredException;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.vertx.core.Context;
import io.vertx.core.Future;
import io.vertx.core.Handler;
import io.vertx.core.Promise;
import io.vertx.core.Vertx;
import io.vertx.core.streams.WriteStream;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * A stream of events to a bus on this or another node of the Vert.x cluster, with flow control. The
 * stream is full while {@code maxInFlightEvents} events, or {@code maxInFlightBytes} of them, are
 * written and not settled. Pipe any {@code ReadStream} into it, or look at {@link
 * #writeQueueFull()}. If the producer ignores that, the stream takes at most twice its limit;
 * further writes fail with BACKPRESSURE.
 *
 * <p>The future of a write completes when the bus has accepted the event, or when its sink has
 * confirmed it; {@code ack} chooses. It fails with a {@link NotDeliveredException}: after {@code
 * timeout} with NO_BUS or BACKPRESSURE, else with the reason of the bus. The bus did not take the
 * event, unless the reason is UNKNOWN, EVICTED or DEAD_LETTERED. No event is taken twice: if an
 * answer is lost, the publisher asks again, and if no answer can be had, the reason is UNKNOWN. But
 * if the store recognises ids ({@link io.shardbus.sink.Sink#idStore}), the publisher sends an event
 * with an id again to another bus of that store, which stores it once.
 *
 * <p>The bus takes events of one shard, and of one key, in the order in which they were written. A
 * publisher stays with one router of one bus. If that router goes away, or is silent for {@code
 * silence}, the publisher looks for another one, until {@code timeout} has passed for the events
 * that wait. In a cluster a router with more than its share asks publishers to move. Before a
 * publisher moves, it waits until what it sent is settled, so each key keeps its order; only a
 * router that is silent or gone is not waited for.
 *
 * <p>A publisher ends with the verticle that made it, or else with its Vert.x: writes that were not
 * sent then fail with CLOSED, the others with UNKNOWN. To wait for their fates, call {@link
 * #close()} before, such as in the {@code stop} of the verticle. Safe for any thread; handlers run
 * on the context on which it was made.
 */
public final class EventBusPublisher implements WriteStream<RawEvent> {

  private final Context context;
  private final PublisherQueue queue;
  private final PublisherLink link;
  private final AtomicBoolean woken = new AtomicBoolean();
  private final Promise<Void> allSettled = Promise.promise();
  private volatile int fullEvents;
  private volatile boolean ended;

  /** Its verticle or its Vert.x has ended. */
  private volatile boolean abandoned;

  private @Nullable Handler<Void> drainHandler;
  private volatile @Nullable Handler<Throwable> exceptionHandler;

  private EventBusPublisher(Vertx vertx, EventBusPublisherOptions options) {
    context = vertx.getOrCreateContext();
    fullEvents = options.getMaxInFlightEvents();
    queue = new PublisherQueue(options);
    link = new PublisherLink(vertx, context, options, queue, this::settled);
    Runnable unhook = CloseHook.set(context, this::abandon);
    allSettled.future().onComplete(end -> unhook.run());
  }

  /** The timers end with the verticle, so the publisher could not wait for answers any more. */
  private Future<Void> abandon() {
    abandoned = true;
    return end();
  }

  /**
   * A publisher with the default options.
   *
   * @param vertx where it works
   * @return a publisher; the bus need not be there yet
   */
  public static EventBusPublisher create(Vertx vertx) {
    return create(vertx, new EventBusPublisherOptions());
  }

  /**
   * A publisher.
   *
   * @param vertx where it works
   * @param options how; copied
   * @return a publisher; the bus need not be there yet
   */
  public static EventBusPublisher create(Vertx vertx, EventBusPublisherOptions options) {
    return new EventBusPublisher(vertx, new EventBusPublisherOptions(options));
  }

  @Override
  public Future<Void> write(RawEvent event) {
    if (ended) {
      return Future.failedFuture(new IllegalStateException("the publisher has ended"));
    }
    Future<Void> written = queue.add(event, fullEvents);
    if (written == null) {
      NotDeliveredException failure = new NotDeliveredException(Outcome.BACKPRESSURE);
      report(failure);
      return Future.failedFuture(failure);
    }
    wake();
    return written;
  }

  private void wake() {
    if (woken.compareAndSet(false, true)) {
      context.runOnContext(
          now -> {
            woken.set(false);
            if (abandoned) {
              link.giveUp();
            } else {
              link.run();
            }
            if (ended && queue.isEmpty()) {
              allSettled.tryComplete();
            }
          });
    }
  }

  /** Some events were settled, with a failure or none. On the context. */
  private void settled(@Nullable Throwable failure) {
    if (failure != null) {
      report(failure);
    }
    callIfDrained();
    if (ended && queue.isEmpty()) {
      allSettled.tryComplete();
    }
  }

  private void report(Throwable failure) {
    Handler<Throwable> handler = exceptionHandler;
    if (handler != null) {
      context.runOnContext(now -> handler.handle(failure));
    }
  }

  private synchronized void callIfDrained() {
    Handler<Void> handler = drainHandler;
    if (handler != null && queue.isHalfEmpty(fullEvents)) {
      drainHandler = null;
      context.runOnContext(handler);
    }
  }

  /**
   * Takes no more events.
   *
   * @return completes when the fate of all written events is known; it succeeds even if some failed
   */
  @Override
  public Future<Void> end() {
    ended = true;
    wake();
    return allSettled.future();
  }

  /**
   * The same as {@link #end()}.
   *
   * @return completes when the fate of all that were written is known
   */
  public Future<Void> close() {
    return end();
  }

  /**
   * Sets when it is full.
   *
   * @param events events written and not settled, at least 1; {@code maxInFlightEvents} by default
   * @return this
   */
  @Override
  public EventBusPublisher setWriteQueueMaxSize(int events) {
    if (events < 1) {
      throw new IllegalArgumentException("write queue size: " + events + " must be at least 1");
    }
    fullEvents = events;
    return this;
  }

  @Override
  public boolean writeQueueFull() {
    return queue.isFull(fullEvents);
  }

  @Override
  public EventBusPublisher drainHandler(@Nullable Handler<Void> handler) {
    synchronized (this) {
      drainHandler = handler;
    }
    callIfDrained();
    return this;
  }

  @Override
  public EventBusPublisher exceptionHandler(@Nullable Handler<Throwable> handler) {
    exceptionHandler = handler;
    return this;
  }
}
