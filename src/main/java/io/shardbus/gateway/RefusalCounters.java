package io.shardbus.gateway;

import io.shardbus.event.Outcome;
import java.util.EnumMap;
import java.util.Map;
import java.util.concurrent.atomic.LongAdder;

/**
 * Counts the refusals of the gateway itself, by reason; the bus counts its own. Safe for any
 * thread.
 */
final class RefusalCounters {

  private final Map<Outcome, LongAdder> counts = new EnumMap<>(Outcome.class);

  RefusalCounters() {
    for (Outcome reason :
        new Outcome[] {
          Outcome.INVALID,
          Outcome.RATE,
          Outcome.TOO_MANY,
          Outcome.TOO_LARGE,
          Outcome.NO_MEMORY,
          Outcome.TOO_SLOW
        }) {
      counts.put(reason, new LongAdder());
    }
  }

  void count(Outcome reason) {
    LongAdder count = counts.get(reason);
    if (count != null) { // else the bus has counted it
      count.increment();
    }
  }

  /** By reason; live. */
  Map<Outcome, LongAdder> counts() {
    return counts;
  }
}
