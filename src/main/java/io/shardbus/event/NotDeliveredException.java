package io.shardbus.event;

/**
 * Says why an event will not be delivered. The event was handed to {@code ShardBus.deliver}, {@code
 * ShardBus.ingestAwait}, {@code ShardBus.writeStream} or an {@code EventBusPublisher}. Has no stack
 * trace.
 */
public final class NotDeliveredException extends RuntimeException {

  private static final long serialVersionUID = 1L;

  private final Outcome reason;

  /**
   * @param reason why it will not be delivered; not {@link Outcome#ACCEPTED}
   */
  public NotDeliveredException(Outcome reason) {
    this(reason, reason.meaning());
  }

  /**
   * @param refused the result of handing the event in; not {@link IngestResult#accepted}
   */
  public NotDeliveredException(IngestResult refused) {
    this(refused.outcome(), refused.meaning());
  }

  private NotDeliveredException(Outcome reason, String meaning) {
    super("event not delivered: " + reason.word() + ": " + meaning, null, false, false);
    this.reason = reason;
  }

  /**
   * {@return EVICTED, DEAD_LETTERED and UNKNOWN for an event that was or may have been accepted;
   * any other for one that was refused}
   */
  public Outcome reason() {
    return reason;
  }
}
