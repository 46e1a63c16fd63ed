package io.shardbus.shard;

import io.shardbus.shard.ScalingDecision.Direction;
import io.shardbus.shard.ScalingException.Reason;
import java.time.Duration;
import java.util.function.LongSupplier;

/** When shards were added and removed last. The mapper's monitor guards it. */
final class Cooldown {

  private final LongSupplier nanoClock;

  /** 0 if never. */
  private long lastUp;

  private long lastDown;

  Cooldown(LongSupplier nanoClock) {
    this.nanoClock = nanoClock;
  }

  /** Makes no object: it comes after the change. */
  void begin(Direction direction) {
    long now = nanoClock.getAsLong();
    long given = now == 0 ? 1 : now;
    if (direction == Direction.UP) {
      lastUp = given;
    } else {
      lastDown = given;
    }
  }

  /** Whether the last change of that direction is too recent. */
  boolean isOn(Direction direction, Duration cooldown) {
    return nanosSince(direction) < cooldown.toNanos();
  }

  private long nanosSince(Direction direction) {
    long last = direction == Direction.UP ? lastUp : lastDown;
    return last == 0 ? Long.MAX_VALUE : nanoClock.getAsLong() - last;
  }

  /** Throws if a change of any direction is too recent. */
  void requireOver(Duration cooldown) {
    long ago = Math.min(nanosSince(Direction.UP), nanosSince(Direction.DOWN));
    if (ago < cooldown.toNanos()) {
      throw new ScalingException(
          Reason.IN_COOLDOWN,
          "the last change was "
              + ago / 1_000_000
              + " ms ago, and cooldown is "
              + cooldown.toMillis()
              + " ms");
    }
  }
}
