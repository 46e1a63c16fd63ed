package io.shardbus.bench;

import java.lang.management.ManagementFactory;

/** Heap that a shard takes while nothing is in it. */
final class MemoryStudy {

  private static final int SHARDS = 256;
  private static final int COLLECTIONS = 3;

  private MemoryStudy() {}

  public static void main(String[] arguments) {
    Table table = new Table("Heap of an idle shard", "ring, events", "bytes a shard");
    heapOf(1, 1024); // loads the classes
    for (int capacity : new int[] {1024, 8192, 65_536}) {
      long one = heapOf(1, capacity);
      long many = heapOf(1 + SHARDS, capacity);
      table.row("" + capacity, "" + (many - one) / SHARDS);
    }
    System.out.println(table);
  }

  private static long heapOf(int shards, int capacity) {
    WholeBus pipeline =
        new WholeBus(WholeBus.options(shards).setRingCapacity(capacity), 0, Feed.SINGLE);
    long used = usedAfterCollection();
    pipeline.close();
    return used;
  }

  private static long usedAfterCollection() {
    for (int i = 0; i < COLLECTIONS; i++) {
      System.gc();
    }
    return ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
  }
}
