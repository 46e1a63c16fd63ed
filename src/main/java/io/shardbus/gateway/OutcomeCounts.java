package io.shardbus.gateway;

import io.shardbus.event.Outcome;
import io.vertx.core.json.JsonObject;
import java.util.Collections;
import java.util.EnumMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Counts the outcomes of some events of a client. Not safe for threads. */
final class OutcomeCounts {

  private long accepted;
  private long duplicates; // of the accepted
  private long refused;
  private @Nullable Map<Outcome, Long> refusals;

  void accept(long events) {
    accepted += events;
  }

  /** Counts the outcome of one event. */
  void count(Outcome outcome) {
    if (outcome.taken()) {
      accepted++;
      duplicates += outcome == Outcome.DUPLICATE ? 1 : 0;
    } else {
      refuse(outcome, 1);
    }
  }

  /** Counts the refusals and repeats of another one here too. */
  void addOthersOf(OutcomeCounts other) {
    addRefusalsOf(other);
    duplicates += other.duplicates;
  }

  void refuse(Outcome reason, long events) {
    if (events > 0) {
      if (refusals == null) {
        refusals = new EnumMap<>(Outcome.class);
      }
      refusals.merge(reason, events, Long::sum);
      refused += events;
    }
  }

  /** Counts the refusals of another one here too. */
  void addRefusalsOf(OutcomeCounts other) {
    other.refusals().forEach(this::refuse);
  }

  long accepted() {
    return accepted;
  }

  /** Those of the accepted events whose id was known already. */
  long duplicates() {
    return duplicates;
  }

  long refused() {
    return refused;
  }

  /** How many events were refused, by reason. */
  Map<Outcome, Long> refusals() {
    return refusals == null ? Collections.emptyMap() : refusals;
  }

  /** How many events were refused, by the word of the reason. */
  JsonObject refusalsJson() {
    JsonObject json = new JsonObject();
    refusals().forEach((reason, events) -> json.put(reason.word(), events));
    return json;
  }
}
