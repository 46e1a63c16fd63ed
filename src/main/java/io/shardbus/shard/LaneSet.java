package io.shardbus.shard;

import java.util.Arrays;

/*
 * Ownership: the mapper adds lanes, and the consumer retires settled ones, both under the monitor. Any thread reads.
 *
 * Ordering: readers take one volatile snapshot, which never changes.
 *
 * Why it is safe: a lane leaves the snapshot together with the count of its events, so a sum never counts a lane twice
 * or not at all.
 */
/**
 * The lanes of one shard, and the sums over them. Any thread may read: the lanes are an immutable
 * snapshot behind a volatile. The mapper, which adds lanes, and the consumer, which takes settled
 * ones out, replace it under the monitor.
 */
final class LaneSet {

  private volatile Snapshot now;

  /** Never changed. */
  private static final class Snapshot {

    /** By age. */
    final Lane[] all;

    /** Takes what no other lane is for. */
    final Lane main;

    /** Events that were accepted by lanes that are gone. */
    final long retired;

    Snapshot(Lane[] all, Lane main, long retired) {
      this.all = all;
      this.main = main;
      this.retired = retired;
    }
  }

  LaneSet(Lane first) {
    now = new Snapshot(new Lane[] {first}, first, 0);
  }

  // ---------------------------------------------------------------- changes

  /** Adds a lane for keys that come from other shards. */
  synchronized void add(Lane lane) {
    now = new Snapshot(with(now.all, lane), now.main, now.retired);
  }

  /** Adds a lane, which is the main lane from now on. */
  synchronized void addMain(Lane lane) {
    now = new Snapshot(with(now.all, lane), lane, now.retired);
  }

  /** Takes out a lane that is settled. */
  synchronized void retire(Lane gone) {
    Lane[] rest = Arrays.stream(now.all).filter(lane -> lane != gone).toArray(Lane[]::new);
    now = new Snapshot(rest, now.main, now.retired + gone.ring().accepted());
  }

  private static Lane[] with(Lane[] all, Lane more) {
    Lane[] next = Arrays.copyOf(all, all.length + 1);
    next[all.length] = more;
    return next;
  }

  // ---------------------------------------------------------------- reading

  /** By age. Not to be changed. */
  Lane[] all() {
    return now.all;
  }

  /** Takes the events for which there is no other lane. It stays when the shard is settled. */
  Lane main() {
    return now.main;
  }

  int count() {
    return now.all.length;
  }

  int size() {
    int total = 0;
    for (Lane lane : now.all) {
      total += lane.ring().size();
    }
    return total;
  }

  boolean isEmpty() {
    for (Lane lane : now.all) {
      if (!lane.ring().isEmpty()) {
        return false;
      }
    }
    return true;
  }

  /** Events that were accepted since the start; never goes back. */
  long accepted() {
    Snapshot snapshot = now;
    long total = snapshot.retired;
    for (Lane lane : snapshot.all) {
      total += lane.ring().accepted();
    }
    return total;
  }

  /** Whether so many can be drained. */
  boolean holds(int events) {
    long found = 0;
    for (Lane lane : now.all) {
      if (lane.isOpen()) {
        if (lane.ring().holds(events)) {
          return true;
        }
        found += lane.ring().size();
      }
    }
    return found >= events;
  }

  /** Whether some of the keys wait for other shards. */
  boolean isFenced() {
    for (Lane lane : now.all) {
      if (lane.fences().length > 0) {
        return true;
      }
    }
    return false;
  }

  int fencedEvents() {
    int total = 0;
    for (Lane lane : now.all) {
      total += lane.fences().length > 0 ? lane.ring().size() : 0;
    }
    return total;
  }

  /** How long the oldest fence has been closed; 0 if none is. */
  long fencedNanos() {
    long time = System.nanoTime();
    long longest = 0;
    for (Lane lane : now.all) {
      longest = Math.max(longest, lane.fences().length > 0 ? time - lane.madeNanos() : 0);
    }
    return longest;
  }

  /** Whether there is a sealed lane that is not settled. */
  boolean hasUnsettled() {
    for (Lane lane : now.all) {
      if (lane.isSealRequested()) {
        return true;
      }
    }
    return false;
  }

  /** Whether all are closed to producers. */
  boolean isSealed() {
    for (Lane lane : now.all) {
      if (!lane.ring().isFrozen()) {
        return false;
      }
    }
    return true;
  }
}
