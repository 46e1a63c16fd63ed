package io.shardbus.eventbus;

import io.shardbus.event.NotDeliveredException;
import io.shardbus.event.Outcome;
import io.shardbus.event.RawEvent;
import io.vertx.core.Future;
import io.vertx.core.Promise;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import org.jspecify.annotations.Nullable;

/*
 * Ownership: the queue of the publisher's writers, on any thread, and of its link, on one context. The monitor guards all
 * fields.
 *
 * Ordering: `queued` keeps the order of the writes. Events that go to another router go back to its front.
 *
 * Why it is safe: no promise is completed under the monitor, so handlers may write again.
 */
/**
 * The events of a publisher that are not settled: in the queue, or sent. Safe for any thread;
 * {@code onSettled} is called without a lock.
 */
final class PublisherQueue {

  private final EventBusPublisherOptions options;
  private final Deque<Pending> queued = new ArrayDeque<>();
  private int events;
  private long bytes;
  private int sentEvents;
  private long sentBytes;

  /**
   * An event, and the promise of its fate.
   *
   * @param deadline of {@link System#nanoTime()}
   * @param store where it may be already, since it was sent to a router that fell silent; null if
   *     it was not
   */
  record Pending(RawEvent event, Promise<Void> promise, long deadline, @Nullable String store) {

    /** Whoever refuses it cannot say what the silent router has done. */
    NotDeliveredException failure(Outcome reason) {
      return new NotDeliveredException(store == null ? reason : Outcome.UNKNOWN);
    }
  }

  PublisherQueue(EventBusPublisherOptions options) {
    this.options = options;
  }

  /** Null if the queue holds twice its limit. */
  synchronized @Nullable Future<Void> add(RawEvent event, int fullEvents) {
    if (events >= 2L * fullEvents || bytes >= 2 * options.getMaxInFlightBytes()) {
      return null;
    }
    long frame = RawEventCodec.frameBytes(event); // before anything is counted: it may be null
    Promise<Void> promise = Promise.promise();
    long deadline = System.nanoTime() + options.getTimeout().toNanos();
    queued.add(new Pending(event, promise, deadline, null));
    events++;
    bytes += frame;
    return promise.future();
  }

  synchronized boolean isFull(int fullEvents) {
    return events >= fullEvents || bytes >= options.getMaxInFlightBytes();
  }

  synchronized boolean isHalfEmpty(int fullEvents) {
    return events <= fullEvents / 2 && bytes <= options.getMaxInFlightBytes() / 2;
  }

  synchronized boolean isEmpty() {
    return events == 0;
  }

  /** As many as a message takes and the credits allow; none if the credits allow only a few. */
  synchronized List<Pending> nextBatch() {
    List<Pending> batch = new ArrayList<>();
    int most = Math.min(options.getBatchEvents(), options.getMaxInFlightEvents() - sentEvents);
    long mostBytes = Math.min(options.getBatchBytes(), options.getMaxInFlightBytes() - sentBytes);
    boolean fewCredits =
        most < Math.min(options.getBatchEvents(), options.getMaxInFlightEvents() / 4)
            || mostBytes < Math.min(options.getBatchBytes(), options.getMaxInFlightBytes() / 4);
    if (fewCredits && sentEvents > 0) {
      return batch;
    }
    long size = 0;
    while (!queued.isEmpty() && batch.size() < most) {
      long frame = RawEventCodec.frameBytes(queued.element().event());
      // An event larger than the limit in bytes goes when no other event is under way.
      boolean fits = size + frame <= mostBytes || (batch.isEmpty() && mayGoAlone(frame));
      if (!fits) {
        break;
      }
      batch.add(queued.remove());
      size += frame;
    }
    sentEvents += batch.size();
    sentBytes += size;
    return batch;
  }

  private boolean mayGoAlone(long frame) {
    return sentEvents == 0 || sentBytes + frame <= options.getMaxInFlightBytes();
  }

  /** Events that were sent, and perhaps not taken, go back to the front, in order. */
  synchronized void sendAgain(List<Pending> again) {
    for (int i = again.size() - 1; i >= 0; i--) {
      Pending one = again.get(i);
      queued.addFirst(one);
      sentEvents--;
      sentBytes -= RawEventCodec.frameBytes(one.event());
    }
  }

  /** Takes out those that waited for too long, to be {@link #dropped} one by one. */
  synchronized List<Pending> overdue(long now) {
    List<Pending> overdue = new ArrayList<>();
    while (!queued.isEmpty() && queued.element().deadline() - now <= 0) {
      overdue.add(queued.remove());
    }
    return overdue;
  }

  /**
   * Takes out the events that another store may have. The caller must {@link #dropped drop} each.
   */
  synchronized List<Pending> elsewhere(@Nullable String store) {
    List<Pending> elsewhere =
        queued.stream().filter(one -> one.store() != null && !one.store().equals(store)).toList();
    queued.removeAll(new HashSet<>(elsewhere));
    return elsewhere;
  }

  /** The fate of one that was sent is known. */
  synchronized void settled(Pending one) {
    sentEvents--;
    sentBytes -= RawEventCodec.frameBytes(one.event());
    remove(one);
  }

  synchronized void dropped(Pending one) {
    remove(one);
  }

  private void remove(Pending one) {
    events--;
    bytes -= RawEventCodec.frameBytes(one.event());
  }
}
