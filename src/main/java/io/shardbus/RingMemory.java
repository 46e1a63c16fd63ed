package io.shardbus;

import io.shardbus.shard.ScalingPolicy;
import io.shardbus.shard.ShardLimits;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** Compares what the shards may hold with the heap. All sizes are in bytes. */
final class RingMemory {

  private static final int MIN_CAPACITY = 1024;
  private static final int MAX_CAPACITY = 65_536;

  /**
   * The assumed size of an event in a full ring: the limit below which an event counts as small.
   */
  private static final long EVENT_BYTES = 1024;

  private static final long MIB = 1 << 20;

  private RingMemory() {}

  /** The shards that there can be at once. */
  static int shards(ShardBusOptions options) {
    ScalingPolicy scaling = options.getScaling();
    return scaling == null
        ? options.getShards()
        : Math.max(options.getShards(), new ScalingPolicy(scaling).normalize().getMaxShards());
  }

  /**
   * The largest power of two with which full rings, at 1 KiB an event, fit in a quarter of the
   * heap; 1,024 at the least and 65,536 at the most.
   */
  static int capacity(int shards, long heap) {
    long events = heap / 4 / EVENT_BYTES / shards;
    return (int) Math.max(MIN_CAPACITY, Math.min(MAX_CAPACITY, Long.highestOneBit(events)));
  }

  /**
   * Says what to set if the shards can hold more than the heap.
   *
   * @param options with a ring capacity
   */
  static Optional<String> warning(ShardBusOptions options, long heap) {
    int shards = shards(options);
    double all = (double) shards * shardBytes(options);
    if (all <= heap) {
      return Optional.empty();
    }
    return Optional.of(
        "the heap is "
            + heap / MIB
            + " MiB, but "
            + shards
            + " shards can hold "
            + mib(all)
            + " MiB of events in rings and batches if the sink is down: set "
            + fitting(options, shards, heap)
            + " in the options of the bus, or give the JVM -Xmx"
            + mib(all * 4 / 3)
            + "m");
  }

  private static long shardBytes(ShardBusOptions options) {
    ShardLimits limits = new ShardLimits(options.getMaxEventBytes(), options.getMaxRingBytes());
    // One batch is with the sink, another is formed.
    return limits.mostBytes(options.getRingCapacity()) + 2L * options.getBatch().getMaxBytes();
  }

  private static long mib(double bytes) {
    return (long) Math.ceil(bytes / MIB);
  }

  /** Values with which the shards take three quarters of the heap at the most. */
  private static String fitting(ShardBusOptions options, int shards, long heap) {
    long share = heap * 3 / 4 / shards;
    int capacity = Math.min(options.getRingCapacity(), capacity(shards, heap));
    long batch = Math.min(options.getBatch().getMaxBytes(), share / 8);
    long large = share - capacity * EVENT_BYTES - 2 * batch;
    large = large / MIB * MIB;
    if (large <= 0) {
      String name = options.getScaling() == null ? "shards" : "shards and scaling.maxShards";
      return name + " to " + Math.max(1, heap / (8 * MIB)) + " at the most";
    }
    List<String> changes = new ArrayList<>();
    change(changes, "ringCapacity", options.getRingCapacity(), capacity);
    change(changes, "maxRingBytes", options.getMaxRingBytes(), large);
    change(changes, "maxEventBytes", options.getMaxEventBytes(), large);
    change(changes, "batch.maxBytes", options.getBatch().getMaxBytes(), batch);
    return String.join(", ", changes);
  }

  private static void change(List<String> changes, String name, long given, long fitting) {
    if (fitting < given) {
      changes.add(name + " to " + fitting);
    }
  }
}
