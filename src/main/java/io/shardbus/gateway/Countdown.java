package io.shardbus.gateway;

import io.shardbus.shard.DeliveryAck;
import io.vertx.core.json.JsonObject;
import java.util.Locale;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Counts the fates of one request's or frame's events: one object, however many events. Safe for
 * any thread.
 */
final class Countdown implements DeliveryAck {

  private static final Failure[] FAILURES = Failure.values();

  private final AtomicLong delivered = new AtomicLong();
  private final AtomicLongArray failed = new AtomicLongArray(FAILURES.length);
  private final Runnable onChange;

  /** The listener must be quick: it runs on the thread that settled the event. */
  Countdown(Runnable onChange) {
    this.onChange = onChange;
  }

  @Override
  public void delivered(int events) {
    delivered.addAndGet(events);
    onChange.run();
  }

  @Override
  @SuppressWarnings("EnumOrdinal") // the number does not leave this class
  public void failed(Failure failure, int events) {
    failed.addAndGet(failure.ordinal(), events);
    onChange.run();
  }

  long deliveredCount() {
    return delivered.get();
  }

  long failedCount() {
    long sum = 0;
    for (int i = 0; i < FAILURES.length; i++) {
      sum += failed.get(i);
    }
    return sum;
  }

  /** The number of failed events by reason, without reasons that did not occur. */
  JsonObject failures() {
    JsonObject reasons = new JsonObject();
    for (int i = 0; i < FAILURES.length; i++) {
      if (failed.get(i) > 0) {
        reasons.put(FAILURES[i].name().toLowerCase(Locale.ROOT), failed.get(i));
      }
    }
    return reasons;
  }

  long settled() {
    return delivered.get() + failedCount();
  }
}
