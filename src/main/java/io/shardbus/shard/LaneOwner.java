package io.shardbus.shard;

/**
 * What a lane knows of its shard. A class, so that not all of this becomes public with the shard.
 */
abstract class LaneOwner {

  /** {@return the shard's id, 0 to 65534} */
  public abstract int id();

  /**
   * The thread that has the consumer side now, or else the caller, does the requested work there.
   */
  abstract void tend();

  /** A fence has opened. */
  abstract void wake();
}
