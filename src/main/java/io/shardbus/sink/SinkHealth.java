package io.shardbus.sink;

import org.jspecify.annotations.Nullable;

/**
 * The state of the connection between a shard and its sink.
 *
 * @param circuit the state of the shard's circuit breaker
 * @param failures attempts that failed in a row for a passing reason
 * @param lastError the answer of the sink to the last of them; null if there was none
 */
public record SinkHealth(Circuit circuit, int failures, @Nullable String lastError) {

  /** All is well. */
  public static final SinkHealth GOOD = new SinkHealth(Circuit.CLOSED, 0, null);

  /** The states of a circuit breaker. */
  public enum Circuit {
    /** Batches are written. */
    CLOSED,
    /** The sink failed too often in a row: nothing is written until the pause is over. */
    OPEN,
    /** The pause is over: one attempt shows whether the sink is back. */
    HALF_OPEN
  }
}
