package io.shardbus.delivery;

import java.util.BitSet;
import org.jspecify.annotations.Nullable;

/**
 * Events of a batch that are written together: a range of an array of indexes into the batch. Not
 * safe for threads.
 */
final class BatchPart {

  final int[] indexes;
  final int from;
  final int to;

  /** Attempts to write it to the sink. */
  int attempts;

  /**
   * Failures in a row, for a passing reason, of the current target: the sink or the dead letters.
   */
  int failures;

  /** Why it goes to the dead letters; null while it goes to the sink. */
  @Nullable Throwable verdict;

  /** When it was given up, in nanoseconds since the epoch; 0 until then. */
  long verdictTime;

  BatchPart(int[] indexes, int from, int to, int attempts) {
    this.indexes = indexes;
    this.from = from;
    this.to = to;
    this.attempts = attempts;
  }

  int size() {
    return to - from;
  }

  int index(int at) {
    return indexes[from + at];
  }

  BatchPart slice(int first, int end) {
    return new BatchPart(indexes, from + first, from + end, attempts);
  }

  BatchPart only(BitSet chosen) {
    int[] some = chosen.stream().map(this::index).toArray();
    return new BatchPart(some, 0, some.length, attempts);
  }
}
