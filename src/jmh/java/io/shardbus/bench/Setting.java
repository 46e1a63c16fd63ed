package io.shardbus.bench;

import java.util.Comparator;

/** What systems are compared at. */
record Setting(int producers, int shards, int bytes) implements Comparable<Setting> {

  /** What the targets are set for. */
  static final Setting BASE = new Setting(2, 2, 128);

  private static final Comparator<Setting> ORDER =
      Comparator.comparingInt(Setting::bytes)
          .thenComparingInt(Setting::producers)
          .thenComparingInt(Setting::shards);

  @Override
  public int compareTo(Setting other) {
    return ORDER.compare(this, other);
  }

  @Override
  public String toString() {
    return count(producers, "producer") + ", " + count(shards, "shard") + ", " + bytes + " B";
  }

  private static String count(int number, String noun) {
    return number + " " + noun + (number == 1 ? "" : "s");
  }
}
