package io.shardbus.gateway;

import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Counts the fates of some events of a client. Not safe for threads. */
final class Tally {

  private long accepted;
  private @Nullable Map<String, Long> refusals;

  void accept(long events) {
    accepted += events;
  }

  void refuse(String reason, long events) {
    if (events > 0) {
      if (refusals == null) {
        refusals = new TreeMap<>();
      }
      refusals.merge(reason, events, Long::sum);
    }
  }

  /** Counts the refusals of another one here too. */
  void addRefusalsOf(Tally other) {
    other.refusals().forEach(this::refuse);
  }

  long accepted() {
    return accepted;
  }

  long refused() {
    return refusals().values().stream().mapToLong(Long::longValue).sum();
  }

  /** How many events were refused, by reason. */
  Map<String, Long> refusals() {
    return refusals == null ? Collections.emptyMap() : refusals;
  }
}
