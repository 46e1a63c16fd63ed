package io.shardbus.shard;

import java.util.ArrayDeque;
import java.util.Deque;

/**
 * The most shards that were needed in a time that ends now: what Kubernetes' HPA calls the
 * stabilization window of scaling down. Not safe for threads.
 */
final class PeakNeed {

  /** Needs fall from the oldest to the latest: what was topped later does not matter. */
  private final Deque<Need> falling = new ArrayDeque<>();

  private long since;
  private boolean empty = true;

  private record Need(long nanos, int shards) {}

  void add(long nowNanos, int shards) {
    since = empty ? nowNanos : since;
    empty = false;
    while (!falling.isEmpty() && falling.getLast().shards() <= shards) {
      falling.removeLast();
    }
    falling.addLast(new Need(nowNanos, shards));
  }

  /** The most in that time; the largest number if it has been watched for less. */
  int most(long nowNanos, long timeNanos) {
    if (empty || nowNanos - since < timeNanos) {
      return Integer.MAX_VALUE;
    }
    since = nowNanos - timeNanos; // the windows before are forgotten
    while (falling.size() > 1 && nowNanos - falling.getFirst().nanos() > timeNanos) {
      falling.removeFirst();
    }
    return falling.getFirst().shards();
  }
}
