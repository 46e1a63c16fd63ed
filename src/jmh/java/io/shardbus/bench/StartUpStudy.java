package io.shardbus.bench;

import io.shardbus.ShardBus;
import io.vertx.core.Vertx;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** How long a bus takes to start. */
final class StartUpStudy {

  private static final int STARTS = 50;

  private StartUpStudy() {}

  public static void main(String[] arguments) {
    Vertx vertx = Vertx.vertx();
    Table table = new Table("Start of a bus, in ms", "shards", "the JVM's first", "later, median");
    for (int shards : new int[] {2, 8, 64}) {
      double first = start(vertx, shards);
      List<Double> later = new ArrayList<>();
      for (int i = 0; i < STARTS; i++) {
        later.add(start(vertx, shards));
      }
      table.row("" + shards, shards == 2 ? millis(first) : "", millis(Median.of(later)));
    }
    vertx.close().await();
    System.out.println(table);
  }

  private static double start(Vertx vertx, int shards) {
    long start = System.nanoTime();
    ShardBus bus =
        ShardBus.start(vertx, WholeBus.options(shards), new CountingSink(shards)).await();
    double nanos = System.nanoTime() - start;
    bus.close().await();
    return nanos;
  }

  private static String millis(double nanos) {
    return String.format(Locale.ROOT, "%.2f", nanos / 1e6);
  }
}
