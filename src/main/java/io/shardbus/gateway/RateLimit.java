package io.shardbus.gateway;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;

/**
 * How many events a second each client may send: a bucket of tokens for each, that holds those of
 * one second. The limit may change at any time. Safe for any thread.
 */
final class RateLimit {

  /** In picoseconds: at high rates an event costs a few nanoseconds. */
  private static final long SECOND = 1_000_000_000_000L;

  private final IntSupplier perSecond;
  private final LongSupplier nanoTime;
  private final ConcurrentMap<String, Bucket> buckets = new ConcurrentHashMap<>();

  /**
   * @param perSecond the limit in force; 0 for none
   */
  RateLimit(IntSupplier perSecond, LongSupplier nanoTime) {
    this.perSecond = perSecond;
    this.nanoTime = nanoTime;
  }

  Client of(String client) {
    return new Client(client);
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
        + perSecond.getAsInt()
        + " events in a second from this address";
  }

  /** One client, as one of its connections sees it: all share a bucket. */
  final class Client {

    private final String name;

    private Client(String name) {
      this.name = name;
    }

    boolean tryTake() {
      int limit = perSecond.getAsInt();
      return limit == 0 || bucket().tryTake(SECOND / limit);
    }

    /** For an event that was not taken after all. */
    void giveBack() {
      int limit = perSecond.getAsInt();
      if (limit != 0) {
        bucket().giveBack(SECOND / limit);
      }
    }

    private Bucket bucket() {
      return buckets.computeIfAbsent(name, first -> new Bucket());
    }
  }

  /** Kept as the time at which it will be full again: one number is all there is. */
  private final class Bucket {

    private final long start = nanoTime.getAsLong();
    private final AtomicLong fullAt = new AtomicLong();

    private long now() {
      return (nanoTime.getAsLong() - start) * 1_000;
    }

    boolean tryTake(long cost) {
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

    void giveBack(long cost) {
      fullAt.addAndGet(-cost);
    }

    private boolean full() {
      return fullAt.get() <= now();
    }
  }
}
