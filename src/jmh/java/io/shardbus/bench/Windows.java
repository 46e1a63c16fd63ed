package io.shardbus.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.HdrHistogram.Histogram;

/**
 * Measures ways one at a time, each in several short windows. In each round the next way begins, so
 * that none is always behind the same one.
 */
final class Windows {

  private static final int ROUNDS = 5;
  private static final long WARM_UP_NANOS = 500_000_000;
  private static final int MOST_WARM_UPS = 60;
  private static final int FLAT_WARM_UPS = 12;

  /** Rates in events per second, one for each round, and latencies in nanoseconds. */
  record Measured(List<Double> rates, Histogram latencies) {

    Measured() {
      this(new ArrayList<>(), new Histogram(3));
    }
  }

  private final long window;

  /**
   * @param nanos how long a way is measured in all, lead-ins included
   */
  Windows(long nanos) {
    window = nanos * 2 / 3 / ROUNDS;
  }

  Map<String, Measured> measure(Map<String, Way> ways, Lots lots) throws Exception {
    for (Way way : ways.values()) {
      run(way, lots, this::warmUp);
    }
    Map<String, Measured> measured = new LinkedHashMap<>();
    ways.keySet().forEach(name -> measured.put(name, new Measured()));
    List<String> names = List.copyOf(ways.keySet());
    for (int round = 0; round < ROUNDS; round++) {
      for (int i = 0; i < names.size(); i++) {
        String name = names.get((round + i) % names.size());
        run(ways.get(name), lots, confirmations -> measure(confirmations, measured.get(name)));
      }
    }
    return measured;
  }

  @FunctionalInterface
  private interface Use {

    void of(Confirmations confirmations) throws InterruptedException;
  }

  private static void run(Way way, Lots lots, Use use) throws Exception {
    Confirmations confirmations = new Confirmations();
    try (Opened opened = new Opened()) {
      way.open(lots, confirmations, opened);
      use.of(confirmations);
    }
  }

  /** Until it gets no faster: a server in Java takes its time to be compiled. */
  private void warmUp(Confirmations confirmations) throws InterruptedException {
    double best = 0;
    int flat = 0;
    for (int i = 0; i < MOST_WARM_UPS && flat < FLAT_WARM_UPS; i++) {
      double rate = Rate.perSecond(confirmations::events, WARM_UP_NANOS);
      flat = rate > best ? 0 : flat + 1;
      best = Math.max(best, rate);
    }
  }

  private void measure(Confirmations confirmations, Measured into) throws InterruptedException {
    Rate.perSecond(confirmations::events, window / 2);
    confirmations.latencies();
    into.rates().add(Rate.perSecond(confirmations::events, window));
    into.latencies().add(confirmations.latencies());
  }

  @Override
  public String toString() {
    return "%d windows of %d ms a way, in rotating order".formatted(ROUNDS, window / 1_000_000);
  }
}
