package io.shardbus.shard;

import io.shardbus.event.JsonCheck;

/**
 * What events and rings may be. A ring is bounded by its capacity for events of up to 1 KiB, and by
 * {@code maxRingBytes} for the larger ones.
 *
 * @param maxEventBytes the largest event, with its key, in bytes; at least 1
 * @param maxRingBytes the sum of the events over 1 KiB in one ring, in bytes; at least {@code
 *     maxEventBytes}
 * @param json the check of events that must be JSON; the ways in apply it, not the shards
 */
public record ShardLimits(int maxEventBytes, long maxRingBytes, JsonCheck json) {

  /** Larger events count against {@code maxRingBytes}; smaller ones are bounded by the capacity. */
  static final int SMALL_EVENT_BYTES = 1024;

  private static final int MIN_RING_CAPACITY = 1024;
  private static final int MAX_RING_CAPACITY = 1 << 26;

  /** 16 MiB an event, 64 MiB of events over 1 KiB a ring. */
  public static final ShardLimits DEFAULT = new ShardLimits(16 << 20, 64L << 20, JsonCheck.DEFAULT);

  /**
   * Checks the ranges.
   *
   * @param maxEventBytes bytes
   * @param maxRingBytes bytes
   * @param json the check
   */
  public ShardLimits {
    if (maxEventBytes < 1) {
      throw new IllegalArgumentException("maxEventBytes: " + maxEventBytes + " must be at least 1");
    }
    if (maxRingBytes < maxEventBytes) {
      throw new IllegalArgumentException(
          "maxRingBytes: "
              + maxRingBytes
              + " must be at least maxEventBytes, which is "
              + maxEventBytes);
    }
  }

  /**
   * What one ring can hold.
   *
   * @param ringCapacity events
   * @return bytes of events and keys
   */
  public long mostBytes(int ringCapacity) {
    return (long) ringCapacity * SMALL_EVENT_BYTES + maxRingBytes;
  }

  /**
   * Checks the capacity of a ring.
   *
   * @param events the capacity
   * @return the same
   * @throws IllegalArgumentException if it is not a power of two from 1024 to 67,108,864
   */
  public static int requireRingCapacity(int events) {
    if (events < MIN_RING_CAPACITY || events > MAX_RING_CAPACITY || Integer.bitCount(events) != 1) {
      throw new IllegalArgumentException(
          "ringCapacity: "
              + events
              + " must be a power of two from "
              + MIN_RING_CAPACITY
              + " to "
              + MAX_RING_CAPACITY);
    }
    return events;
  }
}
