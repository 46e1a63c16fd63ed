package io.shardbus.gateway;

import io.shardbus.event.Outcome;
import io.shardbus.shard.DeliveryAck;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Counts the fates of the events of one request or frame, in one object for all of them. Safe for
 * any thread.
 */
final class DeliveryCounter implements DeliveryAck {

  private final AtomicLong delivered = new AtomicLong();

  /** Only refusals; guarded by itself. */
  private final OutcomeCounts failures = new OutcomeCounts();

  private final Runnable onChange;

  /** The listener must be quick: it runs on the thread that settled the event. */
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

  /** A copy of the number of failed events by reason. */
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
