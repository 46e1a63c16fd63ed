package io.shardbus;

import io.shardbus.event.IngestResult;
import io.shardbus.shard.DeliveryAck;

/**
 * Says why an event will not be delivered. The event was handed to {@link ShardBus#deliver}, {@link
 * ShardBus#ingestAwait}, {@link ShardBus#writeStream} or an {@link EventBusPublisher}. Has no stack
 * trace.
 */
public final class NotDeliveredException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  /** Why it will not be delivered. */
  public enum Reason {
    /** Refused: the ring was full. */
    BACKPRESSURE,
    /** Refused by mode {@code sample(n)}. */
    SAMPLED,
    /** Refused: no shard is active. */
    UNROUTED,
    /** Refused: the bus is closing or closed. */
    CLOSED,
    /** Refused: larger than the bus takes. */
    TOO_LARGE,
    /** Accepted, then pushed out by a newer event. */
    EVICTED,
    /** Accepted, then refused by the sink for good. */
    DEAD_LETTERED,
    /** Not taken: no bus was at the address. */
    NO_BUS,
    /** No answer came in time, so it is not known whether the event was taken. */
    UNKNOWN;

    static Reason of(IngestResult.Outcome refusal) {
      return switch (refusal) {
        case BACKPRESSURE -> BACKPRESSURE;
        case SAMPLED -> SAMPLED;
        case UNROUTED -> UNROUTED;
        case CLOSED -> CLOSED;
        case TOO_LARGE -> TOO_LARGE;
        case ACCEPTED -> throw new IllegalArgumentException("ACCEPTED is no refusal");
      };
    }

    static Reason of(DeliveryAck.Failure failure) {
      return switch (failure) {
        case EVICTED -> EVICTED;
        case DEAD_LETTERED -> DEAD_LETTERED;
        case ABANDONED -> UNKNOWN;
      };
    }
  }

  private final Reason reason;

  /**
   * @param reason why it will not be delivered
   */
  public NotDeliveredException(Reason reason) {
    super("event not delivered: " + reason, null, false, false);
    this.reason = reason;
  }

  /**
   * @return why it will not be delivered
   */
  public Reason reason() {
    return reason;
  }
}
