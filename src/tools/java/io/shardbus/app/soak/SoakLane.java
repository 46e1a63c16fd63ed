package io.shardbus.app.soak;

import io.shardbus.app.soak.Violations.Kind;
import io.shardbus.event.ShardEvent;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Random;

/**
 * The events that a backend took from one shard, by sequence. The sequence shows repeated events.
 */
final class SoakLane {

  static final long REFUSED = -1;

  final Random dice;
  private final int shard;
  private final SoakKeys keys;
  private final Violations violations;
  private long[] codes = new long[1024];
  private int count;
  private int refused;
  private long lastTimestamp = Long.MIN_VALUE;

  SoakLane(int shard, long seed, SoakKeys keys, Violations violations) {
    this.shard = shard;
    this.keys = keys;
    this.violations = violations;
    dice = new Random(seed ^ shard * 0x9E3779B97F4A7C15L);
  }

  synchronized int taken() {
    return count - refused;
  }

  synchronized int refused() {
    return refused;
  }

  synchronized int count() {
    return count;
  }

  /** The code of the event with a sequence, or {@link #REFUSED}. */
  synchronized long code(int sequence) {
    return codes[sequence];
  }

  synchronized void take(List<ShardEvent> events) {
    for (ShardEvent event : events) {
      take(event, SoakEvent.code(event.payload()));
    }
  }

  /** Takes those that are not chosen. */
  synchronized void takeAllBut(BitSet failed, List<ShardEvent> events) {
    for (int i = failed.nextClearBit(0); i < events.size(); i = failed.nextClearBit(i + 1)) {
      take(events.get(i), SoakEvent.code(events.get(i).payload()));
    }
  }

  /** The code of an event that is always refused. */
  synchronized void refuse(ShardEvent event) {
    if (take(event, REFUSED)) {
      refused++;
    }
  }

  /** Whether it was not taken before. */
  private boolean take(ShardEvent event, long code) {
    long sequence = event.sequence();
    if (sequence < count) {
      violations.check(
          codes[(int) sequence] == code,
          Kind.DOUBLED,
          "shard %d: sequence %d was given to two events",
          shard,
          sequence);
      return false;
    }
    violations.check(
        sequence == count, Kind.OTHER, "shard %d: %d follows %d", shard, sequence, count - 1);
    violations.check(
        event.timestamp() > lastTimestamp,
        Kind.OTHER,
        "shard %d: the timestamp does not rise at %d",
        shard,
        sequence);
    lastTimestamp = event.timestamp();
    if (count == codes.length) {
      codes = Arrays.copyOf(codes, 2 * count);
    }
    codes[count++] = code;
    if (event.key() != null && code != REFUSED) {
      keys.taken(code);
    }
    return true;
  }
}
