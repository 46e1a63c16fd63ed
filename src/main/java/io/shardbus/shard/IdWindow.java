package io.shardbus.shard;

import io.shardbus.event.ShardEvent;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;
import net.openhft.hashing.LongTupleHashFunction;
import org.jspecify.annotations.Nullable;

/*
 * Ids are kept as 128-bit hashes with a seed of their own, so that nobody can choose ids that collide. A hash names one
 * of 16 stripes. A stripe is a queue of entries by age, in arrays, and an index from hash to entry. Entries leave at
 * the old end: when their window is over, or when the stripe is full.
 *
 * Ownership: a stripe's arrays belong to the thread that holds its monitor. No other code runs meanwhile.
 *
 * Ordering: an event's id is claimed before it is offered to a ring. A repeat that comes before that offer has ended is
 * neither taken nor called a duplicate, because the first may still be refused.
 *
 * Why it is safe: an entry is taken out only by the claim that made it, which is compared by identity.
 */
/**
 * Remembers for a while which ids of events were taken, so that an event is taken once. Safe for
 * any thread.
 */
public final class IdWindow {

  /**
   * Hash 16, timestamp 8, shard 4, second 4, claim 4 to 8, mark 1, up to four cells of the index.
   */
  private static final int ENTRY_BYTES = 56;

  private static final int STRIPES = 16;
  private static final int FIRST_CAPACITY = 64;
  private static final int MAX_STRIPE_CAPACITY = 1 << 26;
  private static final int EMPTY = -1;
  private static final long NANOS = TimeUnit.SECONDS.toNanos(1);

  private final IdClaim.Entries entries =
      new IdClaim.Entries() {
        @Override
        public void settle(IdClaim claim, int shard, long timestamp) {
          stripe(claim).settle(claim, shard, timestamp);
        }

        @Override
        public void free(IdClaim claim) {
          stripe(claim).free(claim);
        }
      };

  private final LongTupleHashFunction hash =
      LongTupleHashFunction.xx128(ThreadLocalRandom.current().nextLong());
  private final Stripe[] stripes = new Stripe[STRIPES];
  private final int windowSeconds;
  private final int stripeCapacity;
  private final LongSupplier nanoClock;
  private final long begun;
  private final LongAdder duplicates = new LongAdder();
  private final LongAdder forgotten = new LongAdder();
  private volatile boolean recalling;

  /**
   * A window without ids. It takes memory as ids come.
   *
   * @param window how long an id is remembered, at least 1 s; counted in whole seconds
   * @param maxBytes what the ids may take together; when that is full, the oldest are forgotten
   *     early
   */
  public IdWindow(Duration window, long maxBytes) {
    this(window, maxBytes, System::nanoTime);
  }

  /**
   * @param nanoClock monotonic
   */
  IdWindow(Duration window, long maxBytes, LongSupplier nanoClock) {
    windowSeconds = (int) Math.min(Integer.MAX_VALUE, Math.max(1, window.toSeconds()));
    stripeCapacity =
        (int) Math.min(MAX_STRIPE_CAPACITY, Math.max(1, maxBytes / ENTRY_BYTES / STRIPES));
    this.nanoClock = nanoClock;
    begun = nanoClock.getAsLong();
    Arrays.setAll(stripes, i -> new Stripe());
  }

  /** {@return how many events were not taken again since the start} */
  public long duplicates() {
    return duplicates.sum();
  }

  /**
   * {@return how many ids were forgotten before their window was over, because there was no room}
   */
  public long forgotten() {
    return forgotten.sum();
  }

  /** {@return how many ids are remembered} */
  public long size() {
    long total = 0;
    for (Stripe stripe : stripes) {
      total += stripe.size();
    }
    return total;
  }

  /**
   * Begins or ends a time in which ids of an earlier run are recalled. Meanwhile it is not known
   * whether an id is new, so events with an id are refused with BACKPRESSURE.
   *
   * @param goesOn true to begin, false to end
   */
  public void recalling(boolean goesOn) {
    recalling = goesOn;
  }

  /**
   * Remembers an event that an earlier run has delivered.
   *
   * @param event the event; ignored if it has no id
   * @param age how long ago it was taken; ignored if that is longer than the window
   */
  public void recall(ShardEvent event, Duration age) {
    String id = event.id();
    if (id == null || age.toSeconds() >= windowSeconds) {
      return;
    }
    IdClaim claim = claim(id, null);
    Stripe stripe = stripe(claim);
    synchronized (stripe) {
      if (stripe.enter(claim, now() - (int) age.toSeconds()) == null) {
        stripe.settle(claim, event.shard(), event.timestamp());
      }
    }
  }

  /**
   * {@return whether ids of an earlier run are still recalled, so that no id is known to be new}
   */
  public boolean isRecalling() {
    return recalling;
  }

  /** A claim of an id; {@link #enter} is to follow. */
  IdClaim claim(String id, @Nullable DeliveryAck ack) {
    long[] both = hash.hashBytes(id.getBytes(StandardCharsets.UTF_8));
    return new IdClaim(entries, both[0], both[1], ack);
  }

  /** Enters a claim unless its id is taken; returns the entry that has it, or null. */
  @Nullable Taken enter(IdClaim claim) {
    return stripe(claim).enter(claim, now());
  }

  void countDuplicate() {
    duplicates.increment();
  }

  private Stripe stripe(IdClaim claim) {
    return stripes[(int) (claim.high >>> 60)];
  }

  private int now() {
    return (int) ((nanoClock.getAsLong() - begun) / NANOS);
  }

  /**
   * An id that was taken before.
   *
   * @param open the claim of an event whose fate is open; null if it was delivered
   * @param shard of the delivered event
   * @param timestamp of the delivered event
   */
  record Taken(@Nullable IdClaim open, int shard, long timestamp) {}

  private final class Stripe {

    private long[] high = {};
    private long[] low = {};
    private long[] timestamps = {};
    private int[] shards = {};
    private int[] seconds = {};
    private @Nullable IdClaim[] claims = {};
    private boolean[] gone = {};

    /** Places in the arrays by hash: a power of two of cells, at least twice as many as places. */
    private int[] index = {};

    private int oldest;
    private int used;
    private int dead;

    synchronized int size() {
      return used - dead;
    }

    synchronized @Nullable Taken enter(IdClaim claim, int now) {
      forgetOld(now);
      int cell = find(claim.high, claim.low);
      if (cell >= 0) {
        int place = index[cell];
        return new Taken(claims[place], shards[place], timestamps[place]);
      }
      makeRoom();
      int place = (oldest + used) % high.length;
      high[place] = claim.high;
      low[place] = claim.low;
      seconds[place] = now;
      claims[place] = claim;
      gone[place] = false;
      used++;
      index[freeCell(claim.high)] = place;
      return null;
    }

    synchronized void settle(IdClaim claim, int shard, long timestamp) {
      int cell = find(claim.high, claim.low);
      if (cell >= 0 && claims[index[cell]] == claim) {
        int place = index[cell];
        claims[place] = null;
        shards[place] = shard;
        timestamps[place] = timestamp;
      }
    }

    synchronized void free(IdClaim claim) {
      int cell = find(claim.high, claim.low);
      if (cell >= 0 && claims[index[cell]] == claim) {
        int place = index[cell];
        removeCell(cell);
        claims[place] = null;
        gone[place] = true;
        dead++;
      }
    }

    private void forgetOld(int now) {
      while (used > 0 && (gone[oldest] || now - seconds[oldest] >= windowSeconds)) {
        forgetOldest();
      }
    }

    private void forgetOldest() {
      if (gone[oldest]) {
        dead--;
      } else {
        removeCell(find(high[oldest], low[oldest]));
      }
      claims[oldest] = null;
      oldest = (oldest + 1) % high.length;
      used--;
    }

    private void makeRoom() {
      if (used < high.length) {
        return;
      }
      if (dead > 0 && 2 * dead >= used) { // each try of an event that waits leaves one
        rebuild(high.length);
      } else if (high.length < stripeCapacity) {
        rebuild(Math.min(stripeCapacity, Math.max(FIRST_CAPACITY, high.length * 2)));
      } else {
        if (!gone[oldest]) {
          forgotten.increment();
        }
        forgetOldest();
      }
    }

    /** Makes the arrays anew, without dead entries. */
    private void rebuild(int capacity) {
      // All new arrays first: there may be no memory for one of them.
      long[] nextHigh = new long[capacity];
      long[] nextLow = new long[capacity];
      long[] nextTimestamps = new long[capacity];
      int[] nextShards = new int[capacity];
      int[] nextSeconds = new int[capacity];
      @Nullable IdClaim[] nextClaims = new IdClaim[capacity];
      boolean[] nextGone = new boolean[capacity];
      int[] nextIndex = new int[Integer.highestOneBit(2 * capacity - 1) * 2];
      Arrays.fill(nextIndex, EMPTY);
      int live = 0;
      for (int i = 0; i < used; i++) {
        int from = (oldest + i) % high.length;
        if (!gone[from]) {
          nextHigh[live] = high[from];
          nextLow[live] = low[from];
          nextTimestamps[live] = timestamps[from];
          nextShards[live] = shards[from];
          nextSeconds[live] = seconds[from];
          nextClaims[live] = claims[from];
          live++;
        }
      }
      high = nextHigh;
      low = nextLow;
      timestamps = nextTimestamps;
      shards = nextShards;
      seconds = nextSeconds;
      claims = nextClaims;
      gone = nextGone;
      index = nextIndex;
      oldest = 0;
      dead = 0;
      for (used = 0; used < live; used++) {
        index[freeCell(high[used])] = used;
      }
    }

    // The index is a hash table with linear probing (Knuth, The Art of Computer Programming 3, 6.4,
    // algorithm L).

    private int home(long high) {
      return (int) high & (index.length - 1);
    }

    private int find(long wantedHigh, long wantedLow) {
      if (index.length == 0) {
        return EMPTY;
      }
      int cell = home(wantedHigh);
      while (index[cell] != EMPTY) {
        int place = index[cell];
        if (high[place] == wantedHigh && low[place] == wantedLow) {
          return cell;
        }
        cell = (cell + 1) & (index.length - 1);
      }
      return EMPTY;
    }

    private int freeCell(long high) {
      int cell = home(high);
      while (index[cell] != EMPTY) {
        cell = (cell + 1) & (index.length - 1);
      }
      return cell;
    }

    /**
     * Closes the gap, so that later searches do not end there (algorithm R of the same section).
     */
    private void removeCell(int cell) {
      int gap = cell;
      int next = gap;
      while (true) {
        index[gap] = EMPTY;
        int home;
        do {
          next = (next + 1) & (index.length - 1);
          if (index[next] == EMPTY) {
            return;
          }
          home = home(high[index[next]]);
          // Stays where it is if its home is cyclically behind the gap.
        } while (gap <= next ? (gap < home && home <= next) : (gap < home || home <= next));
        index[gap] = index[next];
        gap = next;
      }
    }
  }
}
