package io.shardbus;

import io.shardbus.event.JsonCheck;
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

  /** Of a shard: its old one and a fresh one. For moments it can have more, seldom full ones. */
  private static final int RINGS_WHILE_KEYS_MOVE = 2;

  private static final long MIB = 1 << 20;
  private static final ShardLimits MOST = ShardLimits.DEFAULT;

  private RingMemory() {}

  /** The shards that there can be at once. */
  static int shards(ShardBusOptions options) {
    ScalingPolicy scaling = options.getScaling();
    return scaling == null
        ? options.getShards()
        : Math.max(options.getShards(), new ScalingPolicy(scaling).normalize().getMaxShards());
  }

  /** The rings that the heap must have room for. */
  static int rings(ShardBusOptions options) {
    return shards(options) * (options.getScaling() == null ? 1 : RINGS_WHILE_KEYS_MOVE);
  }

  /** Sets what is left to the heap. */
  static void fit(ShardBusOptions options, long heap) {
    if (options.getRingCapacity() == 0) {
      options.setRingCapacity(capacity(rings(options), heap));
    }
    if (options.getMaxRingBytes() == 0) {
      long fits = Math.max(MIB, Math.min(MOST.maxRingBytes(), largeBytes(options, heap)));
      options.setMaxRingBytes(Math.max(options.getMaxEventBytes(), fits));
    }
    if (options.getMaxEventBytes() == 0) {
      options.setMaxEventBytes((int) Math.min(MOST.maxEventBytes(), options.getMaxRingBytes()));
    }
  }

  /**
   * The largest power of two with which full rings, at 1 KiB an event, fit in a quarter of the
   * heap; 1,024 at the least and 65,536 at the most.
   */
  static int capacity(int rings, long heap) {
    long events = heap / 4 / EVENT_BYTES / rings;
    return (int) Math.max(MIN_CAPACITY, Math.min(MAX_CAPACITY, Long.highestOneBit(events)));
  }

  /** What is left of three quarters of the heap for the larger events of one ring. */
  private static long largeBytes(ShardBusOptions options, long heap) {
    long batches = shards(options) * batchBytes(options);
    return (heap * 3 / 4 - batches) / rings(options) - options.getRingCapacity() * EVENT_BYTES;
  }

  /** One batch is with the sink, another is formed. */
  private static long batchBytes(ShardBusOptions options) {
    return 2L * options.getBatch().getMaxBytes();
  }

  /** With all that {@link #fit} sets. */
  static ShardLimits limits(ShardBusOptions options) {
    return new ShardLimits(
        options.getMaxEventBytes(),
        options.getMaxRingBytes(),
        new JsonCheck(options.getMaxJsonDepth()));
  }

  /**
   * Says what to set if the shards can hold more than the heap.
   *
   * @param options with all that {@link #fit} sets
   */
  static Optional<String> warning(ShardBusOptions options, long heap) {
    int shards = shards(options);
    int rings = rings(options);
    ShardLimits limits = limits(options);
    double all =
        (double) rings * limits.mostBytes(options.getRingCapacity())
            + (double) shards * batchBytes(options);
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
            + " MiB of events in "
            + rings
            + " rings and in batches if the sink is down: set "
            + fitting(options, heap)
            + " in the options of the bus, or give the JVM -Xmx"
            + mib(all * 4 / 3)
            + "m");
  }

  private static long mib(double bytes) {
    return (long) Math.ceil(bytes / MIB);
  }

  /** Values with which the shards take three quarters of the heap at the most. */
  private static String fitting(ShardBusOptions given, long heap) {
    int shards = shards(given);
    ShardBusOptions options = new ShardBusOptions(given);
    options.setRingCapacity(Math.min(given.getRingCapacity(), capacity(rings(given), heap)));
    long batch = Math.min(given.getBatch().getMaxBytes(), heap * 3 / 4 / shards / 8);
    options.getBatch().setMaxBytes((int) Math.max(1, batch));
    long large = largeBytes(options, heap) / MIB * MIB;
    if (large <= 0) {
      String name = given.getScaling() == null ? "shards" : "shards and scaling.maxShards";
      long most = heap / (8 * MIB) / (rings(given) / shards);
      return name + " to " + Math.max(1, most) + " at the most";
    }
    List<String> changes = new ArrayList<>();
    change(changes, "ringCapacity", given.getRingCapacity(), options.getRingCapacity());
    change(changes, "maxRingBytes", given.getMaxRingBytes(), large);
    change(changes, "maxEventBytes", given.getMaxEventBytes(), large);
    change(changes, "batch.maxBytes", given.getBatch().getMaxBytes(), batch);
    return String.join(", ", changes);
  }

  private static void change(List<String> changes, String name, long given, long fitting) {
    if (fitting < given) {
      changes.add(name + " to " + fitting);
    }
  }
}
