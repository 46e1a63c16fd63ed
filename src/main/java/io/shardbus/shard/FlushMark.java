package io.shardbus.shard;

/**
 * The events that a shard held at one moment. Later events do not count, so a flush ends even if
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
   * {@return whether all these events were taken or evicted, and no sealed lane waits for another
   * shard; for good}
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
