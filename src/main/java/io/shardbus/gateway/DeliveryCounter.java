package io.shardbus.gateway;

import io.shardbus.event.Outcome;
import io.shardbus.shard.DeliveryAck;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Counts the fates of one request's or frame's events: one object, however many events. Safe for
 * any thread.
 */
final class DeliveryCounter implements DeliveryAck {

  private final AtomicLong delivered = new AtomicLong();

  /** Has the refusals only; guarded by itself. */
  private final OutcomeCounts failures = new OutcomeCounts();

  private final Runnable onChange;

  /** What runs at a change must be quick; it runs on the thread that settled the event. */
  DeliveryCounter(Runnable onChange) {
    this.onChange = onChange;
  }

  @Override
  public void delivered(int events) {
    delivered.addAndGet(events);
    onChange.run();
  }

  @Override
  public void failed(Outcome why, int events) {
    synchronized (failures) {
      failures.refuse(why, events);
    }
    onChange.run();
  }

  long deliveredCount() {
    return delivered.get();
  }

  long failedCount() {
    synchronized (failures) {
      return failures.refused();
    }
  }

  /** How many failed, by reason: a copy. */
  OutcomeCounts failures() {
    OutcomeCounts copy = new OutcomeCounts();
    synchronized (failures) {
      copy.addRefusalsOf(failures);
    }
    return copy;
  }

  long settled() {
    return delivered.get() + failedCount();
  }
}
