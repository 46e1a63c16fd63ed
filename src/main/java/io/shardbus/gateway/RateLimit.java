package io.shardbus.gateway;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * How many events a second each client may send: a bucket of tokens for each, that holds those of
 * one second. Safe for any thread.
 */
final class RateLimit {

  /** In picoseconds: at high rates an event costs a few nanoseconds. */
  private static final long SECOND = 1_000_000_000_000L;

  private final long perSecond;
  private final LongSupplier nanoTime;
  private final ConcurrentMap<String, Bucket> buckets = new ConcurrentHashMap<>();

  /**
   * @param perSecond 0 for no limit
   */
  RateLimit(long perSecond, LongSupplier nanoTime) {
    this.perSecond = perSecond;
    this.nanoTime = nanoTime;
  }

  Bucket of(String client) {
    return perSecond == 0
        ? new Bucket(0)
        : buckets.computeIfAbsent(client, name -> new Bucket(SECOND / perSecond));
  }

  /** Forgets clients whose buckets are full: they would begin with a full one. */
  void forgetIdle() {
    buckets.values().removeIf(Bucket::full);
  }

  int clients() {
    return buckets.size();
  }

  String refusal() {
    return "gateway.maxEventsPerSecondPerClient: more than "
        + perSecond
        + " events in a second from this address";
  }

  /** Kept as the time at which it will be full again: one number is all there is. */
  final class Bucket {

    private final long cost;
    private final long start = nanoTime.getAsLong();
    private final AtomicLong fullAt = new AtomicLong();

    private Bucket(long cost) {
      this.cost = cost;
    }

    private long now() {
      return (nanoTime.getAsLong() - start) * 1_000;
    }

    boolean tryTake() {
      if (cost == 0) {
        return true;
      }
      long now = now();
      while (true) {
        long before = fullAt.get();
        long after = Math.max(before, now) + cost;
        if (after - now > SECOND) {
          return false;
        }
        if (fullAt.compareAndSet(before, after)) {
          return true;
        }
      }
    }

    /** For an event that was not taken after all. */
    void giveBack() {
      fullAt.addAndGet(-cost);
    }

    private boolean full() {
      return fullAt.get() <= now();
    }
  }
}
