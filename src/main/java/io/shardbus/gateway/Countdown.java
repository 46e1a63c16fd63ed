package io.shardbus.gateway;

import io.shardbus.shard.DeliveryAck;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Counts the fates of one request's or frame's events: one object, however many events. Safe for
 * any thread.
 */
final class Countdown implements DeliveryAck {

  private final AtomicLong delivered = new AtomicLong();
  private final AtomicLong failed = new AtomicLong();
  private final Runnable onChange;

  /** What runs at a change must be quick; it runs on the thread that settled the event. */
  Countdown(Runnable onChange) {
    this.onChange = onChange;
  }

  @Override
  public void delivered(int events) {
    delivered.addAndGet(events);
    onChange.run();
  }

  @Override
  public void failed(Failure failure, int events) {
    failed.addAndGet(events);
    onChange.run();
  }

  long deliveredCount() {
    return delivered.get();
  }

  long failedCount() {
    return failed.get();
  }

  long settled() {
    return delivered.get() + failed.get();
  }
}
