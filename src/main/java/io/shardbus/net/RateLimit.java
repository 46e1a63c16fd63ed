package io.shardbus.net;

import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;

/**
 * Limits the events and bytes that each client may send in a second, with a token bucket for each
 * that holds the tokens of one second. An event larger than the bytes of a second passes when the
 * bucket is full. The limits may change at any time. Safe for any thread.
 */
public final class RateLimit {

  /** In picoseconds: at high rates an event costs a few nanoseconds. */
  private static final long SECOND = 1_000_000_000_000L;

  private final IntSupplier events;
  private final LongSupplier bytes;
  private final LongSupplier nanoTime;
  private final ConcurrentMap<String, Buckets> clients = new ConcurrentHashMap<>();

  private final class Buckets {

    final Bucket events = new Bucket();
    final Bucket bytes = new Bucket();

    boolean full() {
      return events.full() && bytes.full();
    }
  }

  /**
   * @param events a second; 0 for no limit
   * @param bytes a second; 0 for no limit
   * @param nanoTime the clock
   */
  public RateLimit(IntSupplier events, LongSupplier bytes, LongSupplier nanoTime) {
    this.events = events;
    this.bytes = bytes;
    this.nanoTime = nanoTime;
  }

  /**
   * @param client what names a client
   * @return the client as one of its connections sees it
   */
  public Client of(String client) {
    return new Client(client);
  }

  /**
   * Forgets clients whose buckets are full: they would begin with full ones. An event for which a
   * bucket is looked up at that very moment may go uncounted.
   */
  public void forgetIdle() {
    clients.values().removeIf(Buckets::full);
  }

  /** {@return how many clients are remembered} */
  public int clients() {
    return clients.size();
  }

  /** One client, as one of its connections sees it: all share the buckets. */
  public final class Client {

    private final String name;
    private boolean forBytes;

    private Client(String name) {
      this.name = name;
    }

    /**
     * Takes the tokens of an event, or none.
     *
     * @param size its bytes
     * @return whether it may pass
     */
    public boolean tryTake(int size) {
      int mostEvents = events.getAsInt();
      long mostBytes = bytes.getAsLong();
      if (mostEvents == 0 && mostBytes == 0) {
        return true;
      }
      Buckets mine = clients.computeIfAbsent(name, first -> new Buckets());
      if (mostEvents > 0 && !mine.events.tryTake(SECOND / mostEvents)) {
        forBytes = false;
        return false;
      }
      if (mostBytes > 0 && !mine.bytes.tryTake(cost(size, mostBytes))) {
        if (mostEvents > 0) {
          mine.events.giveBack(SECOND / mostEvents);
        }
        forBytes = true;
        return false;
      }
      return true;
    }

    /**
     * For an event that was not taken after all.
     *
     * @param size its bytes
     */
    public void giveBack(int size) {
      int mostEvents = events.getAsInt();
      long mostBytes = bytes.getAsLong();
      Buckets mine = clients.get(name);
      if (mine != null && mostEvents > 0) {
        mine.events.giveBack(SECOND / mostEvents);
      }
      if (mine != null && mostBytes > 0) {
        mine.bytes.giveBack(cost(size, mostBytes));
      }
    }

    /** {@return why the last event was not let through} */
    public String refusal() {
      return forBytes
          ? "gateway.maxBytesPerSecondPerClient: more than "
              + bytes.getAsLong()
              + " in a second from this address"
          : "gateway.maxEventsPerSecondPerClient: more than "
              + events.getAsInt()
              + " in a second from this address";
    }
  }

  private static long cost(int size, long perSecond) {
    return (long) ((double) size / perSecond * SECOND);
  }

  /** The state is the time at which the bucket will be full again: one number. */
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
        if (after - now > SECOND && before > now) {
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
