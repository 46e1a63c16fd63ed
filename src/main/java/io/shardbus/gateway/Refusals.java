package io.shardbus.gateway;

import io.shardbus.event.IngestResult;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.LongAdder;

/**
 * Counts the refusals of the gateway itself, by reason; the bus counts its own. Safe for any
 * thread.
 */
final class Refusals {

  static final String BACKPRESSURE = of(IngestResult.Outcome.BACKPRESSURE);
  static final String SAMPLED = of(IngestResult.Outcome.SAMPLED);
  static final String UNROUTED = of(IngestResult.Outcome.UNROUTED);
  static final String CLOSED = of(IngestResult.Outcome.CLOSED);
  static final String INVALID = "invalid";
  static final String RATE = "rate";
  static final String TOO_MANY = "too_many";
  static final String TOO_LARGE = "too_large";
  static final String NO_MEMORY = "no_memory";
  static final String TOO_SLOW = "too_slow";

  private final Map<String, LongAdder> counts = new TreeMap<>();

  Refusals() {
    for (String reason : new String[] {INVALID, RATE, TOO_MANY, TOO_LARGE, NO_MEMORY, TOO_SLOW}) {
      counts.put(reason, new LongAdder());
    }
  }

  /** The words for the refusals of the bus. */
  static String of(IngestResult.Outcome refusal) {
    return refusal.name().toLowerCase(Locale.ROOT);
  }

  void count(String reason) {
    LongAdder count = counts.get(reason);
    if (count != null) { // else the bus has counted it
      count.increment();
    }
  }

  /** By reason; live. */
  Map<String, LongAdder> counts() {
    return counts;
  }
}
