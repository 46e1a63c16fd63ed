package io.shardbus.bench;

import java.util.concurrent.atomic.AtomicLongArray;

/** Events and bytes by lane. Each lane has one writer and a cache line of its own. */
final class Counts {

  private static final int STRIDE = 16;

  private final AtomicLongArray cells;
  private final int lanes;

  Counts(int lanes) {
    this.lanes = lanes;
    cells = new AtomicLongArray((lanes + 1) * STRIDE);
  }

  void add(int lane, long events, long bytes) {
    int at = (lane + 1) * STRIDE;
    cells.lazySet(at, cells.getPlain(at) + events);
    cells.lazySet(at + 1, cells.getPlain(at + 1) + bytes);
  }

  long events() {
    return sum(0);
  }

  long bytes() {
    return sum(1);
  }

  private long sum(int cell) {
    long sum = 0;
    for (int lane = 1; lane <= lanes; lane++) {
      sum += cells.get(lane * STRIDE + cell);
    }
    return sum;
  }
}
