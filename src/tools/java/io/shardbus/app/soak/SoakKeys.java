package io.shardbus.app.soak;

import io.shardbus.app.soak.Violations.Kind;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.LongAdder;

/**
 * Checks the order of each key over all shards, as the backend took the events. Safe for any
 * thread, if the events of one shard come from one thread at a time.
 */
final class SoakKeys {

  private final Violations violations;
  private final LongAdder reordered = new LongAdder();
  private final Map<Long, Newest> keys = new ConcurrentHashMap<>();

  /** Guarded by itself. */
  private static final class Newest {
    long place = -1;
  }

  SoakKeys(Violations violations) {
    this.violations = violations;
  }

  /** An event with a key is taken for the first time. */
  void taken(long code) {
    long key = (long) SoakEvent.producer(code) << Integer.SIZE | SoakEvent.key(code);
    long place = SoakEvent.place(code);
    Newest newest = keys.computeIfAbsent(key, first -> new Newest());
    synchronized (newest) {
      if (place < newest.place) {
        reordered.increment();
      } else {
        newest.place = place;
      }
    }
  }

  /** Settles the account. */
  void audit() {
    violations.count(
        Kind.REORDERED, reordered.sum(), "events were taken after a newer one of their key");
  }
}
