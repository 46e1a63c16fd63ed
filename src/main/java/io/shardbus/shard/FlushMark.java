package io.shardbus.shard;

/**
 * What a shard had at a moment. What is accepted later does not count, so that a flush ends while
 * events keep coming. Safe for any thread.
 */
public final class FlushMark {

  private final Lane[] lanes;
  private final long[] accepted;

  FlushMark(Lane[] lanes) {
    this.lanes = lanes;
    accepted = new long[lanes.length];
    for (int i = 0; i < lanes.length; i++) {
      accepted[i] = lanes[i].ring().accepted();
    }
  }

  /**
   * Whether all of it has been taken or evicted, and what is closed to producers waits for no other
   * shard.
   *
   * @return true if so; it stays so
   */
  public boolean isPassed() {
    for (int i = 0; i < lanes.length; i++) {
      boolean waits = lanes[i].isSealRequested() && !lanes[i].isOpen();
      if (waits || lanes[i].ring().left() < accepted[i]) {
        return false;
      }
    }
    return true;
  }
}
