package io.shardbus.event;

import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The result of handing one event to the bus. A refusal is a value, never an exception.
 *
 * @param outcome accepted, or why not
 * @param shard the id of the shard that took or refused the event; -1 if none was asked
 * @param timestamp nanoseconds since the epoch at which the event was taken; 0 if it was refused.
 *     If the outcome is DUPLICATE, shard and timestamp are those of the first event with this id.
 *     The drain raises timestamps of a shard that tie by 1 ns each, so the delivered event's may be
 *     higher
 * @param refusal the reason of the interceptor that refused the event; null if none did
 */
public record IngestResult(Outcome outcome, int shard, long timestamp, @Nullable String refusal) {

  private static final Map<Outcome, IngestResult> REFUSALS = new EnumMap<>(Outcome.class);

  static {
    for (Outcome outcome : Outcome.values()) {
      REFUSALS.put(outcome, new IngestResult(outcome, -1, 0));
    }
  }

  /**
   * The result for an event that no interceptor refused.
   *
   * @param outcome accepted, or why not
   * @param shard the id of the shard; -1 if none was asked
   * @param timestamp nanoseconds since the epoch; 0 if the event was refused
   */
  public IngestResult(Outcome outcome, int shard, long timestamp) {
    this(outcome, shard, timestamp, null);
  }

  /**
   * A refusal by an interceptor.
   *
   * @param refusal the interceptor's answer
   * @return INTERCEPTED, with the interceptor's reason
   */
  public static IngestResult intercepted(Intercepted.Refusal refusal) {
    return new IngestResult(Outcome.INTERCEPTED, -1, 0, refusal.reason());
  }

  /**
   * A refusal for which no shard was asked.
   *
   * @param outcome the reason; not one that is {@link Outcome#taken}
   * @return a shared instance
   */
  public static IngestResult refused(Outcome outcome) {
    if (outcome.taken()) {
      throw new IllegalArgumentException("outcome: " + outcome + " is no refusal");
    }
    return Objects.requireNonNull(REFUSALS.get(outcome));
  }

  /**
   * {@return whether this call, or an earlier one with the same id, brought the event into a ring}
   */
  public boolean accepted() {
    return outcome.taken();
  }

  /**
   * {@return what the outcome means, for people, such as {@code the shard is full}; with the reason
   * of the interceptor, if one refused it}
   */
  public String meaning() {
    return refusal == null ? outcome.meaning() : outcome.meaning() + ": " + refusal;
  }
}
