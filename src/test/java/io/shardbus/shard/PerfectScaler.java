package io.shardbus.shard;

import java.util.function.IntUnaryOperator;

/** The scaler that knows the future and needs no time: what others are compared with. */
final class PerfectScaler {

  private PerfectScaler() {}

  /** The least number of shards, at least 1, that drain what comes, all rates a second. */
  static int needed(double load, double drainRate) {
    return Math.max(1, (int) Math.ceil(load / drainRate - 1e-9));
  }

  /**
   * The sum over all ticks of the shards that it runs.
   *
   * @param needed shards needed in a tick, at least 1
   * @param held ticks for which it keeps a shard after it was last needed; 0 or more
   */
  static long shardTicks(IntUnaryOperator needed, int ticks, int held) {
    long sum = 0;
    int[] lastNeeded = new int[ScalingPolicy.MAX_SHARDS + 1]; // by number of shards
    int running = 0;
    for (int tick = 0; tick < ticks; tick++) {
      int now = needed.applyAsInt(tick);
      for (int shards = 1; shards <= now; shards++) {
        lastNeeded[shards] = tick;
      }
      running = Math.max(running, now);
      while (running > now && tick - lastNeeded[running] > held) {
        running--;
      }
      sum += running;
    }
    return sum;
  }
}
